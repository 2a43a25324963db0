//! Which answers are compressed, and what their header says then.

use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
        CONTENT_TYPE, ETAG, VARY,
    },
};

use super::{Encoder, Wish};
use crate::headers::tokens;

/// Below this many bytes nothing is gained.
const SMALLEST: u64 = 1_024;

/// Checksums of the body as the app sent it (RFC 9530 and those before it).
const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-md5"),
];

/// Types besides text and those that end in `+json` and `+xml`. Images, archives and the like are compressed already.
const TYPES: [&str; 14] = [
    "application/json",
    "application/javascript",
    "application/x-javascript",
    "application/ecmascript",
    "application/xml",
    "application/wasm",
    "application/x-ndjson",
    "application/graphql",
    "application/rtf",
    "application/vnd.ms-fontobject",
    "font/ttf",
    "font/otf",
    "image/bmp",
    "image/x-icon",
];

impl Wish {
    /// Decides over an answer and changes its header. Gives the encoder for its body, if that is to be compressed: an answer to
    /// HEAD says what one to GET would.
    pub(crate) fn apply(self, status: StatusCode, headers: &mut HeaderMap) -> Option<Encoder> {
        if !is_worth_it(status, headers) {
            return None;
        }
        vary(headers);
        let coding = self.coding?;
        let encoder = Encoder::new(coding)?;
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
        headers.remove(CONTENT_LENGTH);
        headers.remove(ACCEPT_RANGES);
        weaken(headers);
        (!self.head).then_some(encoder)
    }
}

fn is_worth_it(status: StatusCode, headers: &HeaderMap) -> bool {
    let has_body = !status.is_informational()
        && !matches!(
            status,
            StatusCode::NO_CONTENT
                | StatusCode::RESET_CONTENT
                | StatusCode::PARTIAL_CONTENT
                | StatusCode::NOT_MODIFIED
        );
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let as_it_is = tokens(headers, &CACHE_CONTROL).any(|token| token.eq_ignore_ascii_case("no-transform"))
        || [CONTENT_ENCODING, CONTENT_RANGE].iter().chain(&DIGESTS).any(|name| headers.contains_key(name));
    has_body && length.is_none_or(|length| length >= SMALLEST) && !as_it_is && is_of_a_type(headers)
}

fn is_of_a_type(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // Streams of events stay open for hours, each with an encoder and its memory, for a few bytes now and then.
    (kind.starts_with("text/") && kind != "text/event-stream")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || TYPES.contains(&kind.as_str())
}

fn vary(headers: &mut HeaderMap) {
    let known = |token: &str| token == "*" || token.eq_ignore_ascii_case(ACCEPT_ENCODING.as_str());
    if !tokens(headers, &VARY).any(known) {
        headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

/// The bytes are others now, so a strong validator would lie (RFC 9110, 8.8.1).
fn weaken(headers: &mut HeaderMap) {
    let Some(tag) = headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\"")) else { return };
    if let Ok(weak) = HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()) {
        headers.insert(ETAG, weak);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression::coding::Coding;

    const WISH: Wish = Wish { coding: Some(Coding::Gzip), head: false };

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let field = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        fields.iter().map(field).collect()
    }

    fn is_compressed(status: StatusCode, fields: &[(&'static str, &'static str)]) -> bool {
        WISH.apply(status, &mut map(fields)).is_some()
    }

    #[test]
    fn the_header_fits_the_new_body() {
        let mut headers = map(&[
            ("content-type", "Text/HTML; charset=utf-8"),
            ("content-length", "1024"),
            ("etag", "\"x\""),
            ("accept-ranges", "bytes"),
            ("vary", "Cookie"),
        ]);
        assert!(WISH.apply(StatusCode::OK, &mut headers).is_some());
        let mut expected = map(&[
            ("content-type", "Text/HTML; charset=utf-8"),
            ("etag", "W/\"x\""),
            ("vary", "Cookie"),
            ("content-encoding", "gzip"),
        ]);
        expected.append(VARY, HeaderValue::from_static("Accept-Encoding"));
        assert_eq!(headers, expected);
    }

    #[test]
    fn an_answer_to_head_has_the_header_of_one_to_get() {
        let fields = [("content-type", "text/css"), ("content-length", "5000")];
        let (mut get, mut head) = (map(&fields), map(&fields));
        assert!(WISH.apply(StatusCode::OK, &mut get).is_some());
        assert!(Wish { head: true, ..WISH }.apply(StatusCode::OK, &mut head).is_none());
        assert_eq!(get, head);
    }

    #[test]
    fn caches_are_told_also_when_nothing_was_wanted() {
        let mut headers = map(&[("content-type", "text/css"), ("etag", "\"x\"")]);
        assert!(Wish { coding: None, head: false }.apply(StatusCode::OK, &mut headers).is_none());
        assert_eq!(headers[VARY], "Accept-Encoding");
        assert_eq!(headers[ETAG], "\"x\"");
    }

    #[test]
    fn types_that_are_worth_it() {
        let of = |kind| is_compressed(StatusCode::OK, &[("content-type", kind)]);
        for kind in
            ["text/plain", "application/json;x=y", "image/svg+xml", "application/ld+json", "application/wasm"]
        {
            assert!(of(kind), "{kind}");
        }
        for kind in ["image/png", "video/mp4", "application/zip", "text/event-stream", "application/grpc", ""]
        {
            assert!(!of(kind), "{kind}");
        }
    }

    #[test]
    fn what_must_stay_as_it_is_stays() {
        let json = ("content-type", "application/json");
        for field in [
            ("content-encoding", "br"),
            ("content-encoding", "identity"),
            ("cache-control", "public, No-Transform"),
            ("content-length", "1023"),
            ("content-range", "bytes 0-9/10"),
            ("content-digest", "sha-256=:x:"),
        ] {
            assert!(!is_compressed(StatusCode::OK, &[json, field]), "{field:?}");
        }
        for status in [204, 206, 304] {
            assert!(!is_compressed(StatusCode::from_u16(status).unwrap(), &[json]), "{status}");
        }
        assert!(is_compressed(StatusCode::NOT_FOUND, &[json]));
    }
}
