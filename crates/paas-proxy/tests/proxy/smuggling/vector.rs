use bytes::Bytes;

/// Stands in a vector's bytes for four digits of its own, so that whatever reaches a backend tells where it came from.
pub const TAG: &str = "{tag}";

/// One hostile request, and what has to become of it.
#[derive(Debug, Clone)]
pub struct Vector {
    /// The family, and what is odd about it.
    pub name: String,
    pub bytes: Bytes,
    pub expect: Expect,
}

/// What has to become of a request, and of the canary: a second request that stands right behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// It is answered with 400 (a few with something else, see `refusals.rs`), and the connection ends. Not a byte of either reaches a
    /// backend.
    Refused,
    /// The same, but its header was good: a backend may have seen it begin. It never sees it whole. Its client may have gone before it was
    /// all there, and then gets no answer.
    Broken,
    /// The backend refused it by itself, and then got the canary, which is a request of its own for the client.
    CanaryAlone,
    /// A backend gets it, with this method and body in a framing that is beyond doubt.
    Passed { method: &'static str, body: Bytes, then: Then },
}

/// What becomes of the canary behind a request that is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// By the client's own framing it is the next request, and so it arrives.
    Next,
    /// The connection ends before it.
    Closed,
    /// By the client's own framing it belongs to the request.
    Swallowed,
}

/// The canary of a vector.
pub fn canary() -> String {
    format!("GET /canary-{TAG} HTTP/1.1\r\nHost: a.test\r\n\r\n")
}

/// How long the canary is when its tag is written out.
pub fn canary_length() -> usize {
    canary().len() + 4 - TAG.len()
}

/// A request line and the host, then the fields and the body as they are.
pub fn request(line: &str, fields: &str, body: &str) -> Bytes {
    Bytes::from(format!("{line}\r\nHost: a.test\r\n{fields}\r\n{body}"))
}

/// The same for `POST`.
pub fn post(fields: &str, body: &str) -> Bytes {
    request(&format!("POST /{TAG} HTTP/1.1"), fields, body)
}

pub fn refused(name: impl Into<String>, bytes: impl Into<Bytes>) -> Vector {
    Vector { name: name.into(), bytes: bytes.into(), expect: Expect::Refused }
}

pub fn broken(name: impl Into<String>, bytes: impl Into<Bytes>) -> Vector {
    Vector { name: name.into(), bytes: bytes.into(), expect: Expect::Broken }
}

/// A `POST` that arrives.
pub fn passed(
    name: impl Into<String>,
    bytes: impl Into<Bytes>,
    body: impl Into<Bytes>,
    then: Then,
) -> Vector {
    passed_as("POST", name, bytes, body, then)
}

pub fn passed_as(
    method: &'static str,
    name: impl Into<String>,
    bytes: impl Into<Bytes>,
    body: impl Into<Bytes>,
    then: Then,
) -> Vector {
    let expect = Expect::Passed { method, body: body.into(), then };
    Vector { name: name.into(), bytes: bytes.into(), expect }
}

/// Bytes with the tag written out.
pub fn tagged(bytes: &[u8], tag: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(TAG.len()).position(|part| part == TAG.as_bytes()) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(tag.as_bytes());
        rest = &rest[at + TAG.len()..];
    }
    out.extend_from_slice(rest);
    out
}
