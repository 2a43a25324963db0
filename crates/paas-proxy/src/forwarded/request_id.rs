use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::claims::REQUEST_ID;

const MAX: usize = 128;
const UNKNOWN: HeaderValue = HeaderValue::from_static("unknown");

/// 128 random bits in lower-case hex.
pub(crate) fn new() -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::copy_from_slice(&text())).unwrap_or(UNKNOWN)
}

/// The same as text.
pub(crate) fn text() -> [u8; 32] {
    let bits: u128 = rand::random();
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + (nibble - 10) };
    let mut text = [0; 32];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bits.to_be_bytes()) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
    }
    text
}

/// The id that a trusted proxy gave: one, of 1 to 128 characters of a token (RFC 9110, 5.6.2). Any other could break the logs it
/// stands in.
pub(super) fn told(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut ids = headers.get_all(REQUEST_ID).iter();
    let (id, more) = (ids.next()?, ids.next());
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let bytes = id.as_bytes();
    (more.is_none() && (1..=MAX).contains(&bytes.len()) && bytes.iter().all(token)).then(|| id.clone())
}
