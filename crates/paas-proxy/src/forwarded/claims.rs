use http::{HeaderMap, header::HeaderName};

pub(super) const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(super) const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub(super) const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
pub(super) const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
pub(super) const PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
pub(super) const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Removes everything that a client may have said about where it comes from.
pub(super) fn remove_claims(headers: &mut HeaderMap) {
    // Most clients claim nothing.
    if !headers.keys().any(|name| is_claim(name.as_str())) {
        return;
    }
    let claims: Vec<HeaderName> = headers.keys().filter(|name| is_claim(name.as_str())).cloned().collect();
    for name in claims {
        headers.remove(name);
    }
}

/// Servers that make CGI variables of fields cannot tell `X_Real_IP` from `X-Real-IP`, so neither do we.
pub(crate) fn is_claim(name: &str) -> bool {
    // Asked of every field of every request.
    if !matches!(name.as_bytes().first(), Some(b'x' | b'X' | b'f' | b'F')) {
        return false;
    }
    let begins = |with: &str| {
        name.len() >= with.len() && name.bytes().zip(with.bytes()).all(|(one, other)| dashed(one) == other)
    };
    let is = |other: &str| name.len() == other.len() && begins(other);
    begins("x-forwarded-") || ["forwarded", "x-real-ip", "x-request-id", "x-forwarded"].into_iter().any(is)
}

fn dashed(byte: u8) -> u8 {
    if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() }
}
