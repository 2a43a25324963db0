use http::{
    HeaderMap, HeaderValue, Method, StatusCode, Version,
    header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING},
};

use super::{chunks::Chunks, error::Http1Error};

/// How the end of an answer's body is found (RFC 9112, 6.3).
#[derive(Debug)]
pub(super) enum Framing {
    /// So many bytes are missing.
    Length(u64),
    Chunked(Chunks),
    /// It ends with the connection.
    UntilClose,
}

/// What an answer's header says about its body and its connection.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) framing: Framing,
    /// Whether the connection can carry another request after it.
    pub(super) keeps: bool,
}

/// Reads it, and takes a `Content-Length` out of the header that does not count.
pub(super) fn shape(
    method: &Method,
    status: StatusCode,
    version: Version,
    headers: &mut HeaderMap,
) -> Result<Shape, Http1Error> {
    let told = Told::read(headers)?;
    let mut keeps = !told.closes && (version == Version::HTTP_11 || told.stays);
    let coded = told.chunked;
    if coded && version == Version::HTTP_10 {
        return Err(Http1Error::Malformed("a transfer coding in HTTP/1.0"));
    }
    let length = told.length;
    if coded && length.is_some() {
        // Two lengths: the coding counts, and nothing that follows is trusted (RFC 9112, 6.1).
        headers.remove(CONTENT_LENGTH);
        keeps = false;
    }
    let bodiless = *method == Method::HEAD
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let framing = match length {
        _ if bodiless => Framing::Length(0),
        _ if coded => Framing::Chunked(Chunks::default()),
        Some(length) => Framing::Length(length),
        None => {
            keeps = false;
            Framing::UntilClose
        }
    };
    Ok(Shape { framing, keeps })
}

/// What the fields of a header say about the body and the connection, read in one pass.
#[derive(Debug, Default)]
struct Told {
    closes: bool,
    stays: bool,
    chunked: bool,
    length: Option<u64>,
}

impl Told {
    fn read(headers: &HeaderMap) -> Result<Self, Http1Error> {
        let mut told = Self::default();
        for (name, value) in headers {
            match *name {
                CONNECTION => {
                    let tokens = value.to_str().unwrap_or_default().split(',').map(str::trim);
                    for token in tokens {
                        told.closes |= token.eq_ignore_ascii_case("close");
                        told.stays |= token.eq_ignore_ascii_case("keep-alive");
                    }
                }
                // Only `chunked`, alone and once, can be undone here.
                TRANSFER_ENCODING => {
                    if told.chunked || !value.as_bytes().eq_ignore_ascii_case(b"chunked") {
                        return Err(Http1Error::Malformed("an unknown transfer coding"));
                    }
                    told.chunked = true;
                }
                // One length, said once: a visitor might believe another one than we do.
                CONTENT_LENGTH => {
                    let length = length(value).filter(|_| told.length.is_none());
                    told.length = Some(length.ok_or(Http1Error::Malformed("no such content length"))?);
                }
                _ => {}
            }
        }
        Ok(told)
    }
}

fn length(value: &HeaderValue) -> Option<u64> {
    let digits = value.to_str().ok()?;
    let good = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| good)
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

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
        let shape =
            shape(method, status, Version::HTTP_11, &mut headers).map_err(|error| error.to_string())?;
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
