use std::mem::MaybeUninit;

use bytes::{Buf, BufMut, BytesMut};
use http::StatusCode;

use super::{
    error::Http1Error,
    framing::{Framing, Shape, StatusLine, Told},
    response_head::{Parsed, parse},
};
use crate::headers::is_hop_by_hop;

/// An answer's header as an HTTP/1.1 client gets it, made without a map of its fields: the status line and the fields, without the
/// empty line at the end.
#[derive(Debug)]
pub(crate) struct PlainHead {
    pub(crate) status: StatusCode,
    pub(crate) text: BytesMut,
    pub(crate) has_date: bool,
    /// Whether the body is written in chunks.
    pub(crate) is_chunked: bool,
    pub(crate) is_event_stream: bool,
}

/// Room for what is added to a header on its way, and for a small body behind it.
const SPARE: usize = 256;

impl PlainHead {
    /// Takes an answer's header off the buffer, once it is there whole.
    pub(super) fn take(buffer: &mut BytesMut, to_head: bool) -> Result<Option<(Self, Shape)>, Http1Error> {
        let mut room = [const { MaybeUninit::uninit() }; super::response_head::MAX_FIELDS];
        let Some(parsed) = parse(buffer, &mut room)? else { return Ok(None) };
        let line = StatusLine { status: parsed.status, version: parsed.version, to_head };
        let taken = Self::of(&parsed, line)?;
        let length = parsed.length;
        buffer.advance(length);
        Ok(Some(taken))
    }

    fn of(parsed: &Parsed<'_>, line: StatusLine) -> Result<(Self, Shape), Http1Error> {
        let mut told = Told::default();
        for field in parsed.fields {
            // Of these lengths few fields are another one.
            match field.name.len() {
                10 if field.name.eq_ignore_ascii_case("connection") => told.connection.add(field.value),
                14 if field.name.eq_ignore_ascii_case("content-length") => told.length(field.value)?,
                17 if field.name.eq_ignore_ascii_case("transfer-encoding") => told.coding(field.value)?,
                _ => {}
            }
        }
        let shape = told.shape(line)?;
        let mut head = Self {
            status: line.status,
            text: BytesMut::with_capacity(parsed.length + SPARE),
            has_date: false,
            is_chunked: false,
            is_event_stream: false,
        };
        head.status_line(parsed);
        for field in parsed.fields {
            head.field(field.name, field.value, &told, parsed);
        }
        head.framing(line, &shape);
        Ok((head, shape))
    }

    fn status_line(&mut self, parsed: &Parsed<'_>) {
        self.text.put_slice(b"HTTP/1.1 ");
        self.text.put_slice(self.status.as_str().as_bytes());
        self.text.put_u8(b' ');
        let reason = parsed.reason.or(self.status.canonical_reason()).unwrap_or_default();
        self.text.put_slice(reason.as_bytes());
        self.text.put_slice(b"\r\n");
    }

    /// Passes a field on, if it is not for this hop alone (RFC 9110, 7.6.1). How long the body is is written anew.
    fn field(&mut self, name: &str, value: &[u8], told: &Told, parsed: &Parsed<'_>) {
        let mut lower = [0; 64];
        let lower = match lower.get_mut(..name.len()) {
            Some(lower) => {
                lower.copy_from_slice(name.as_bytes());
                lower.make_ascii_lowercase();
                &*lower
            }
            None => &name.to_ascii_lowercase().into_bytes(),
        };
        if lower == b"content-length"
            || is_hop_by_hop(lower)
            || (told.connection.names > 0 && parsed.is_named(name))
        {
            return;
        }
        self.has_date |= lower == b"date";
        self.is_event_stream |= lower == b"content-type" && crate::outgoing::is_event_stream(value);
        self.put(lower, value);
    }

    fn framing(&mut self, line: StatusLine, shape: &Shape) {
        let bodiless = line.status.is_informational() || line.status == StatusCode::NO_CONTENT;
        match (shape.length, &shape.framing) {
            _ if bodiless => {}
            (Some(length), _) => self.put(b"content-length", length.to_string().as_bytes()),
            (None, Framing::Length(_)) => {}
            // What ended with its connection ends with its last chunk here.
            (None, Framing::Chunked(_) | Framing::UntilClose) => {
                self.is_chunked = true;
                self.put(b"transfer-encoding", b"chunked");
            }
        }
    }

    /// Adds a field; its name is in lower case.
    pub(crate) fn put(&mut self, name: &[u8], value: &[u8]) {
        self.text.reserve(name.len() + value.len() + 4);
        self.text.put_slice(name);
        self.text.put_slice(b": ");
        self.text.put_slice(value);
        self.text.put_slice(b"\r\n");
    }
}

impl Parsed<'_> {
    /// Whether a `Connection` names this field. `Host` stays whatever it says, and one that is no ASCII says nothing.
    fn is_named(&self, name: &str) -> bool {
        let is_text = |value: &[u8]| value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
        let connections = self.fields.iter().filter(|field| field.name.eq_ignore_ascii_case("connection"));
        !name.eq_ignore_ascii_case("host")
            && connections
                .filter(|field| is_text(field.value))
                .flat_map(|field| field.value.split(|byte| *byte == b','))
                .any(|token| token.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str, to_head: bool) -> Option<(String, String)> {
        let mut buffer = BytesMut::from(text);
        let (head, shape) = PlainHead::take(&mut buffer, to_head).unwrap()?;
        assert_eq!(&buffer[..], text.split_once("\r\n\r\n").unwrap().1.as_bytes());
        assert!(matches!(shape.framing, Framing::Chunked(_) | Framing::UntilClose) == head.is_chunked);
        Some((String::from_utf8(head.text.to_vec()).unwrap(), format!("{:?}", shape.framing)))
    }

    #[test]
    fn an_answer_is_passed_on_without_what_is_for_this_hop() {
        let text = "HTTP/1.1 200 OK\r\nDate: now\r\nX-A: 1\r\nx-a:2\r\nConnection: keep-alive, X-Gone\r\nX-GONE: 1\r\n\
                    Keep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok";
        let expected = "HTTP/1.1 200 OK\r\ndate: now\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 2\r\n";
        assert_eq!(taken(text, false).unwrap().0, expected);
        for end in 0..text.len() - 2 {
            let mut part = BytesMut::from(&text[..end]);
            assert!(PlainHead::take(&mut part, false).unwrap().is_none());
            assert_eq!(part, text[..end]);
        }
    }

    #[test]
    fn the_body_is_announced_as_it_is_written() {
        let head =
            |fields: &str, to_head| taken(&format!("HTTP/1.1 200 Fine\r\n{fields}\r\n"), to_head).unwrap().0;
        let begin = "HTTP/1.1 200 Fine\r\n";
        assert_eq!(head("", false), format!("{begin}transfer-encoding: chunked\r\n"));
        assert_eq!(head("", true), begin);
        assert_eq!(head("Content-Length: 5\r\n", true), format!("{begin}content-length: 5\r\n"));
        assert_eq!(
            head("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", false),
            format!("{begin}transfer-encoding: chunked\r\n")
        );
        assert_eq!(
            taken("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", false).unwrap().0,
            "HTTP/1.1 204 No Content\r\n"
        );
        assert_eq!(
            taken("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", false).unwrap().0,
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n"
        );
        // No reason is given: the usual one.
        assert!(taken("HTTP/1.1 404 \r\n\r\n", false).unwrap().0.starts_with("HTTP/1.1 404 Not Found\r\n"));
    }
}
