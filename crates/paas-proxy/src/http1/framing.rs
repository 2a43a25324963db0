use std::ops::RangeInclusive;

use bytes::BytesMut;
use http::{
    HeaderMap, StatusCode, Version,
    header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING},
};

use super::{
    chunks::{Chunks, Piece},
    error::Http1Error,
};

/// How many fields a `Connection` names at most: each field is looked for among them.
const MOST_NAMED: usize = 32;

/// How much is read at one time. A client that takes nothing should not hold much of our memory, and has taken little so far: so it is a
/// part of what has passed. With the byte more that is asked for, the least is a size that allocators have.
const READ: RangeInclusive<u64> = 16 * 1024 - 1..=128 * 1024;
const PART: u64 = 16;

/// How the end of a body is found (RFC 9112, 6.3).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// So many bytes are missing.
    Length(u64),
    Chunked(Chunks),
    /// It ends with the connection.
    UntilClose,
}

impl Framing {
    pub(crate) fn has_ended(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.has_ended(),
            Self::UntilClose => false,
        }
    }

    /// How much more to read at one time, after so many bytes.
    pub(crate) fn wish(&self, passed: u64) -> usize {
        let wish = (passed / PART).clamp(*READ.start(), *READ.end());
        let wish = if let Self::Length(left) = self { wish.min(*left) } else { wish };
        // One byte more, so that a read that brings all is a short one: the runtime then knows that nothing is left.
        usize::try_from(wish + 1).unwrap_or(usize::MAX)
    }

    /// Takes what is there of the body off the buffer.
    pub(crate) fn next(&mut self, buffer: &mut BytesMut) -> Result<Piece, Http1Error> {
        match self {
            Self::Length(0) => Ok(Piece::End),
            Self::Chunked(chunks) => chunks.next(buffer),
            _ if buffer.is_empty() => Ok(Piece::Missing),
            Self::Length(left) => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                *left -= count as u64;
                Ok(Piece::Data(buffer.split_to(count).freeze()))
            }
            Self::UntilClose => Ok(Piece::Data(buffer.split().freeze())),
        }
    }
}

/// What an answer's header says about its body and its connection.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) framing: Framing,
    /// Whether the connection can carry another request after it.
    pub(crate) keeps: bool,
    /// The length that was told, if that counts. An answer without a body may have one, too.
    pub(crate) length: Option<u64>,
}

/// To what an answer's header is one.
#[derive(Debug, Clone, Copy)]
pub(super) struct StatusLine {
    pub(super) status: StatusCode,
    pub(super) version: Version,
    /// The request was a HEAD.
    pub(super) to_head: bool,
}

/// Reads it, and takes a `Content-Length` out of the header that does not count.
pub(super) fn shape(line: StatusLine, headers: &mut HeaderMap) -> Result<Shape, Http1Error> {
    let mut told = Told::default();
    for (name, value) in &*headers {
        let value = value.as_bytes();
        match *name {
            CONNECTION => told.connection.add(value),
            TRANSFER_ENCODING => told.coding(value)?,
            CONTENT_LENGTH => told.length(value)?,
            _ => {}
        }
    }
    let shape = told.shape(line)?;
    if shape.length.is_none() {
        headers.remove(CONTENT_LENGTH);
    }
    Ok(shape)
}

/// What `Connection` says (RFC 9110, 7.6.1).
#[derive(Debug, Default)]
pub(crate) struct ConnectionOptions {
    pub(crate) closes: bool,
    pub(crate) stays: bool,
    /// How many other fields it names.
    pub(crate) names: usize,
}

impl ConnectionOptions {
    /// Adds what one of the fields says.
    pub(crate) fn add(&mut self, value: &[u8]) {
        for token in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if token.eq_ignore_ascii_case(b"close") {
                self.closes = true;
            } else if token.eq_ignore_ascii_case(b"keep-alive") {
                self.stays = true;
            } else {
                self.names += usize::from(!token.is_empty());
            }
        }
    }

    /// Whether the connection stays after this message; `Close` goes before `Keep-Alive` (RFC 9112, 9.3).
    pub(crate) fn keeps(&self, version: Version) -> bool {
        !self.closes && (version == Version::HTTP_11 || self.stays)
    }
}

/// What the fields of a header say about the body and the connection, read in one pass.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) connection: ConnectionOptions,
    chunked: bool,
    length: Option<u64>,
}

impl Told {
    /// Only `chunked`, alone and once, can be undone here.
    pub(super) fn coding(&mut self, value: &[u8]) -> Result<(), Http1Error> {
        if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Http1Error::Malformed("an unknown transfer coding"));
        }
        self.chunked = true;
        Ok(())
    }

    /// One length, said once: a visitor might believe another one than we do.
    pub(super) fn length(&mut self, value: &[u8]) -> Result<(), Http1Error> {
        let length = length(value).filter(|_| self.length.is_none());
        self.length = Some(length.ok_or(Http1Error::Malformed("no such content length"))?);
        Ok(())
    }

    pub(super) fn shape(&self, line: StatusLine) -> Result<Shape, Http1Error> {
        let StatusLine { status, version, to_head } = line;
        if self.connection.names > MOST_NAMED {
            return Err(Http1Error::Malformed("a connection that names too many fields"));
        }
        let mut keeps = self.connection.keeps(version);
        if self.chunked && version == Version::HTTP_10 {
            return Err(Http1Error::Malformed("a transfer coding in HTTP/1.0"));
        }
        let mut length = self.length;
        if self.chunked && length.is_some() {
            // Two lengths: the coding counts, and nothing that follows is trusted (RFC 9112, 6.1).
            length = None;
            keeps = false;
        }
        let bodiless = to_head
            || status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let framing = match length {
            _ if bodiless => Framing::Length(0),
            _ if self.chunked => Framing::Chunked(Chunks::default()),
            Some(length) => Framing::Length(length),
            None => {
                keeps = false;
                Framing::UntilClose
            }
        };
        Ok(Shape { framing, keeps, length })
    }
}

/// A `Content-Length`: digits and nothing else (RFC 9110, 8.6).
pub(crate) fn length(value: &[u8]) -> Option<u64> {
    let good = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok()?.parse().ok().filter(|_| good)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, Method};

    use super::*;

    fn shaped(
        method: &Method,
        status: u16,
        fields: &[(&'static str, &'static str)],
    ) -> Result<String, String> {
        let mut headers: HeaderMap = fields
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let status = StatusCode::from_u16(status).unwrap();
        let line = StatusLine { status, version: Version::HTTP_11, to_head: *method == Method::HEAD };
        let shape = shape(line, &mut headers).map_err(|error| error.to_string())?;
        let framing = match shape.framing {
            Framing::Length(length) => length.to_string(),
            Framing::Chunked(_) => "chunked".to_owned(),
            Framing::UntilClose => "close".to_owned(),
        };
        Ok(if shape.keeps { framing } else { format!("{framing}, closes") })
    }

    #[test]
    fn the_end_of_a_body_is_found_as_the_rfc_says() {
        let get = |fields| shaped(&Method::GET, 200, fields);
        assert_eq!(get(&[("content-length", "5")]).unwrap(), "5");
        assert_eq!(get(&[("transfer-encoding", "Chunked")]).unwrap(), "chunked");
        assert_eq!(get(&[]).unwrap(), "close, closes");
        assert_eq!(get(&[("content-length", "5"), ("connection", "x, Close")]).unwrap(), "5, closes");
        let both = [("content-length", "5"), ("transfer-encoding", "chunked")];
        assert_eq!(get(&both).unwrap(), "chunked, closes");
        for status in [204, 304] {
            assert_eq!(shaped(&Method::GET, status, &[("content-length", "5")]).unwrap(), "0");
        }
        assert_eq!(shaped(&Method::HEAD, 200, &[("content-length", "5")]).unwrap(), "0");
    }

    #[test]
    fn what_two_readers_could_read_in_two_ways_is_no_answer() {
        for fields in [
            &[("content-length", "5"), ("content-length", "5")][..],
            &[("content-length", "5, 5")],
            &[("content-length", "+5")],
            &[("content-length", "")],
            &[("content-length", "99999999999999999999999")],
            &[("transfer-encoding", "gzip, chunked")],
            &[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
        ] {
            assert!(shaped(&Method::GET, 200, fields).is_err(), "{fields:?}");
        }
    }
}
