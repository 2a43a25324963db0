use std::mem::MaybeUninit;

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version, header::InvalidHeaderName};
use hyper::ext::ReasonPhrase;

use super::{
    error::Http1Error,
    framing::{Shape, StatusLine, shape},
};

/// The longest header of an answer.
const MAX_HEAD: usize = 128 * 1024;
pub(super) const MAX_FIELDS: usize = 128;

/// An answer's header, with how its body is read.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) response: Response<()>,
    pub(super) shape: Shape,
}

/// An answer's header as it came.
#[derive(Debug)]
pub(super) struct Parsed<'a> {
    pub(super) status: StatusCode,
    pub(super) version: Version,
    /// If one was given.
    pub(super) reason: Option<&'a str>,
    pub(super) fields: &'a [httparse::Header<'a>],
    /// Of the whole header, in bytes.
    pub(super) length: usize,
}

/// Reads an answer's header, once it is there whole.
pub(super) fn parse<'a>(
    buffer: &'a [u8],
    room: &'a mut [MaybeUninit<httparse::Header<'a>>; MAX_FIELDS],
) -> Result<Option<Parsed<'a>>, Http1Error> {
    let mut parsed = httparse::Response::new(&mut []);
    let status =
        httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut parsed, buffer, room);
    let length = match status {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if buffer.len() < MAX_HEAD => return Ok(None),
        Ok(httparse::Status::Partial) => return Err(Http1Error::Malformed("a header that is too large")),
        Err(error) => return Err(Http1Error::Malformed(sentence(error))),
    };
    let status = parsed.code.and_then(|code| StatusCode::from_u16(code).ok());
    Ok(Some(Parsed {
        status: status.ok_or(Http1Error::Malformed("no status"))?,
        version: if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 },
        reason: parsed.reason.filter(|reason| !reason.is_empty()),
        fields: parsed.headers,
        length,
    }))
}

/// Takes an answer's header off the buffer, once it is there whole.
pub(super) fn take_head(buffer: &mut BytesMut, to_head: bool) -> Result<Option<Head>, Http1Error> {
    let mut room = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let Some(parsed) = parse(buffer, &mut room)? else { return Ok(None) };
    let Parsed { status, version, reason, fields, length } = parsed;
    let begin = buffer.as_ptr() as usize;
    let place = |part: &[u8]| {
        let from = (part.as_ptr() as usize).saturating_sub(begin);
        from..from + part.len()
    };
    let reason = reason.filter(|reason| Some(*reason) != status.canonical_reason());
    let reason = reason.map(|reason| place(reason.as_bytes()));
    let name = |field: &httparse::Header<'_>| HeaderName::from_bytes(field.name.as_bytes());
    let fields: Result<Vec<_>, _> =
        fields.iter().map(|field| Ok((name(field)?, place(field.value)))).collect();
    let fields = fields.map_err(|_: InvalidHeaderName| Http1Error::Malformed("no such field name"))?;

    let head = buffer.split_to(length).freeze();
    let mut headers = HeaderMap::with_capacity(fields.len());
    for (name, place) in fields {
        let value = HeaderValue::from_maybe_shared(head.slice(place));
        headers.append(name, value.map_err(|_| Http1Error::Malformed("no such field value"))?);
    }
    let shape = shape(StatusLine { status, version, to_head }, &mut headers)?;
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    if let Some(reason) = reason.and_then(|place| ReasonPhrase::try_from(head.slice(place)).ok()) {
        response.extensions_mut().insert(reason);
    }
    Ok(Some(Head { response, shape }))
}

fn sentence(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::HeaderName => "no such field name",
        httparse::Error::HeaderValue => "no such field value",
        httparse::Error::NewLine => "no such line end",
        httparse::Error::Status => "no status",
        httparse::Error::Token => "no such character",
        httparse::Error::TooManyHeaders => "too many fields",
        httparse::Error::Version => "another version",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(text: &[u8]) -> Result<Option<Head>, Http1Error> {
        take_head(&mut BytesMut::from(text), false)
    }

    #[test]
    fn a_header_is_taken_whole_and_nothing_after_it() {
        let text = b"HTTP/1.1 299 As You Like It\r\nX-A: 1\r\nx-a:2\r\nContent-Length: 2\r\n\r\nok";
        for end in 0..text.len() - 2 {
            assert!(taken(&text[..end]).unwrap().is_none());
        }
        let mut buffer = BytesMut::from(&text[..]);
        let head = take_head(&mut buffer, false).unwrap().unwrap();
        assert_eq!(head.response.status(), 299);
        assert_eq!(head.response.headers().get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
        let reason = head.response.extensions().get::<ReasonPhrase>().unwrap();
        assert_eq!(reason.as_bytes(), b"As You Like It");
        assert_eq!(&buffer[..], b"ok");
    }

    #[test]
    fn what_is_no_http_is_refused_with_what_is_wrong() {
        for (text, what) in [
            (&b"SSH-2.0-OpenSSH_9.2\r\n"[..], "another version"),
            (b"HTTP/1.1 20 OK\r\n\r\n", "no status"),
            (b"HTTP/1.1 200 OK\r\nbad name: 1\r\n\r\n", "no such field name"),
            (b"HTTP/1.1 200 OK\r\na: 1\0\r\n\r\n", "no such field value"),
            (b"HTTP/1.1 200 OK\r\na: 1\r\n b: folded\r\n\r\n", "no such field name"),
        ] {
            let error = taken(text).unwrap_err().to_string();
            assert!(error.ends_with(what), "{error}");
        }
        let large = [b"HTTP/1.1 200 OK\r\na: ".as_slice(), &vec![b'x'; MAX_HEAD]].concat();
        assert!(taken(&large).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(rest in "[ -~\r\n]{0,80}") {
            let _ = taken(format!("HTTP/1.1 {rest}\r\n\r\n").as_bytes());
        }
    }
}
