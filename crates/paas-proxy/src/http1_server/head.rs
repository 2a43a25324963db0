use std::mem::MaybeUninit;

use http::Version;

use crate::{
    failure::Failure,
    headers::says_trailers,
    http1::{ConnectionOptions, length},
    request_check::{MAX_FIELDS, MAX_HEADER},
};

/// Room for the fields of a header.
pub(super) type Room<'a> = [MaybeUninit<httparse::Header<'a>>; MAX_FIELDS];

pub(super) fn room<'a>() -> Room<'a> {
    [const { MaybeUninit::uninit() }; MAX_FIELDS]
}

/// A request's header as it came.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    pub(super) version: Version,
    pub(super) fields: &'a [httparse::Header<'a>],
    /// Of the whole header, in bytes.
    pub(super) length: usize,
}

/// How a request's body comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coming {
    Length(u64),
    Chunked,
}

/// What a request's header says about the message and its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) body: Coming,
    /// Whether the client means to send another request afterwards.
    pub(super) keeps: bool,
    /// The client sends its body after `100 Continue`.
    pub(super) expects: bool,
    /// The client takes trailers.
    pub(super) takes_trailers: bool,
}

impl<'a> Head<'a> {
    /// Reads a header, once it is there whole.
    pub(super) fn parse(bytes: &'a [u8], room: &'a mut Room<'a>) -> Result<Option<Self>, Failure> {
        let mut parsed = httparse::Request::new(&mut []);
        match parsed.parse_with_uninit_headers(bytes, room) {
            Ok(httparse::Status::Complete(length)) if length <= MAX_HEADER => {
                let (Some(method), Some(target)) = (parsed.method, parsed.path) else {
                    return Err(Failure::BadRequest);
                };
                let version = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
                Ok(Some(Self { method, target, version, fields: parsed.headers, length }))
            }
            Ok(httparse::Status::Partial) if bytes.len() < MAX_HEADER => Ok(None),
            Ok(_) | Err(httparse::Error::TooManyHeaders) => Err(Failure::HeaderTooLarge),
            Err(_) => Err(Failure::BadRequest),
        }
    }

    /// What two readers could read in two ways is refused (RFC 9112, 6.1 and 6.3).
    pub(super) fn facts(&self) -> Result<Facts, Failure> {
        let mut told = Told::default();
        for field in self.fields {
            // Of these lengths few fields are another one.
            match field.name.len() {
                2 if is(field, "te") => told.takes_trailers |= says_trailers(field.value),
                6 if is(field, "expect") => {
                    told.expects |= field.value.eq_ignore_ascii_case(b"100-continue");
                }
                10 if is(field, "connection") => told.connection.add(field.value),
                14 if is(field, "content-length") => told.length(field.value)?,
                17 if is(field, "transfer-encoding") => told.coding(field.value),
                _ => {}
            }
        }
        told.facts(self.version)
    }
}

/// What the fields say one by one.
#[derive(Debug, Default)]
struct Told {
    connection: ConnectionOptions,
    length: Option<u64>,
    coding: Option<Coding>,
    expects: bool,
    takes_trailers: bool,
}

/// What the last `Transfer-Encoding` ends in. Whether there is more than this is looked at with the whole request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Chunked,
    /// Then nobody knows where the body ends.
    Other,
}

impl Told {
    fn length(&mut self, value: &[u8]) -> Result<(), Failure> {
        let length = length(value).filter(|_| self.length.is_none());
        self.length = Some(length.ok_or(Failure::BadRequest)?);
        Ok(())
    }

    fn coding(&mut self, value: &[u8]) {
        let last = value.rsplit(|byte| *byte == b',').next().unwrap_or_default();
        let chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
        self.coding = Some(if chunked { Coding::Chunked } else { Coding::Other });
    }

    fn facts(self, version: Version) -> Result<Facts, Failure> {
        let is_11 = version == Version::HTTP_11;
        let body = match (self.coding, self.length) {
            (None, length) => Coming::Length(length.unwrap_or(0)),
            (Some(Coding::Chunked), None) if is_11 => Coming::Chunked,
            (Some(_), _) => return Err(Failure::BadRequest),
        };
        Ok(Facts {
            body,
            keeps: self.connection.keeps(version),
            expects: self.expects && is_11 && body != Coming::Length(0),
            takes_trailers: self.takes_trailers,
        })
    }
}

/// The name is in lower case.
pub(super) fn is(field: &httparse::Header<'_>, name: &str) -> bool {
    field.name.eq_ignore_ascii_case(name)
}

/// Whether a header that was not whole before may be so now, of which all but the first `seen` bytes have come since.
pub(super) fn may_be_whole(bytes: &[u8], seen: usize) -> bool {
    // An empty line may have begun before.
    let fresh = bytes.get(seen.saturating_sub(3)..).unwrap_or_default();
    fresh.windows(2).any(|pair| pair == b"\n\n") || fresh.windows(3).any(|line| line == b"\n\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> Result<Facts, Failure> {
        let mut room = room();
        Head::parse(text.as_bytes(), &mut room)?.unwrap().facts()
    }

    fn body(fields: &str) -> Result<Coming, Failure> {
        facts(&format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n")).map(|facts| facts.body)
    }

    #[test]
    fn the_end_of_a_body_is_found_in_one_way_or_not_at_all() {
        assert_eq!(body("X: 1"), Ok(Coming::Length(0)));
        assert_eq!(body("Content-Length: 7"), Ok(Coming::Length(7)));
        assert_eq!(body("transfer-ENCODING: Chunked"), Ok(Coming::Chunked));
        // Refused later, with another status: the end can be found.
        assert_eq!(body("Transfer-Encoding: gzip, chunked"), Ok(Coming::Chunked));
        for fields in [
            "Content-Length: 5\r\nContent-Length: 5",
            "Content-Length: 5, 5",
            "Content-Length: +5",
            "Content-Length: -0",
            "Content-Length:",
            "Content-Length: 99999999999999999999",
            "Transfer-Encoding: chunked, gzip",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            "Transfer-Encoding: xchunked",
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
        ] {
            assert_eq!(body(fields), Err(Failure::BadRequest), "{fields}");
        }
        let old = facts("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert_eq!(old, Err(Failure::BadRequest));
    }

    #[test]
    fn the_connection_stays_as_the_client_says() {
        let keeps = |version: &str, fields: &str| {
            facts(&format!("GET / HTTP/{version}\r\nHost: a\r\n{fields}\r\n")).unwrap().keeps
        };
        assert!(keeps("1.1", "") && !keeps("1.0", ""));
        assert!(!keeps("1.1", "Connection: x, Close\r\n") && keeps("1.0", "connection: Keep-Alive\r\n"));
        assert!(!keeps("1.1", "Connection: close\r\nConnection: keep-alive\r\n"));
    }

    #[test]
    fn a_header_is_too_large_or_not_whole_or_no_header() {
        let parsed = |text: &str| Head::parse(text.as_bytes(), &mut room()).map(|head| head.is_some());
        let fields = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(count));
        assert_eq!(parsed(&fields(MAX_FIELDS)), Ok(true));
        assert_eq!(parsed(&fields(MAX_FIELDS + 1)), Err(Failure::HeaderTooLarge));
        let long = |length: usize| format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(length));
        assert_eq!(parsed(&long(MAX_HEADER / 2)), Ok(false));
        assert_eq!(parsed(&long(MAX_HEADER)), Err(Failure::HeaderTooLarge));
        assert_eq!(parsed(&format!("{}\r\n\r\n", long(MAX_HEADER))), Err(Failure::HeaderTooLarge));
        assert_eq!(parsed("GET / HTTP/2.0\r\n\r\n"), Err(Failure::BadRequest));
        assert_eq!(parsed("GET /\r\n\r\n"), Err(Failure::BadRequest));
    }

    #[test]
    fn the_end_of_a_header_is_seen_wherever_it_was_cut() {
        for text in ["GET / HTTP/1.1\r\nA: b\r\n\r\n", "GET / HTTP/1.1\nA: b\n\n", "GET / HTTP/1.1\r\n\n"] {
            for seen in 0..text.len() {
                assert!(may_be_whole(text.as_bytes(), seen), "{text:?} {seen}");
                assert!(!may_be_whole(&text.as_bytes()[..seen], 0), "{text:?} {seen}");
            }
        }
    }
}
