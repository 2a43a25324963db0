use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::claims::REQUEST_ID;

const MAX: usize = 128;
const UNKNOWN: HeaderValue = HeaderValue::from_static("unknown");

/// 128 random bits in lower-case hex.
pub(crate) fn new() -> HeaderValue {
    let bits: u128 = rand::random();
    let digit = |place: u32| match u8::try_from((bits >> (4 * place)) & 0xf).unwrap_or_default() {
        low @ 0..10 => b'0' + low,
        high => b'a' + (high - 10),
    };
    let text: Vec<u8> = (0..32).rev().map(digit).collect();
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(UNKNOWN)
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
