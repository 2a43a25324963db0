use http::{HeaderMap, Method, Request, header::ACCEPT_ENCODING};

use super::coding::Coding;
use crate::headers::tokens;

/// Weights are thousandths (RFC 9110, 12.4.2).
const WHOLE: u16 = 1_000;

/// Which compression a visitor takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish {
    /// The one he likes best of those we know.
    pub(super) coding: Option<Coding>,
    /// Whether he asked for the header alone.
    pub(super) head: bool,
}

impl Wish {
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        Self { coding: preferred(request.headers()), head: request.method() == Method::HEAD }
    }
}

/// The coding of the highest weight that is not below the one of an uncompressed answer; `None` without `Accept-Encoding`.
fn preferred(headers: &HeaderMap) -> Option<Coding> {
    let weights = Coding::ALL.map(|coding| weight(headers, coding.name()).unwrap_or_default());
    let plain = weight_of(headers, |name| name.eq_ignore_ascii_case("identity")).unwrap_or_default();
    let mut best = None;
    let mut most = 0;
    for (coding, weight) in Coding::ALL.into_iter().zip(weights) {
        if weight > most && weight >= plain {
            (best, most) = (Some(coding), weight);
        }
    }
    best
}

fn weight(headers: &HeaderMap, name: &str) -> Option<u16> {
    let is = |found: &str| {
        found.eq_ignore_ascii_case(name) || (name == "gzip" && found.eq_ignore_ascii_case("x-gzip"))
    };
    weight_of(headers, is).or_else(|| weight_of(headers, |found| found == "*"))
}

fn weight_of(headers: &HeaderMap, is: impl Fn(&str) -> bool) -> Option<u16> {
    tokens(headers, &ACCEPT_ENCODING).find_map(|token| {
        let mut parts = token.split(';').map(str::trim);
        if !is(parts.next()?) {
            return None;
        }
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some(weight.map_or(WHOLE, thousandths))
    })
}

/// 0 for what is no weight.
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    let fraction = format!("{fraction:0<3}").parse().unwrap_or(0);
    match whole {
        "0" => fraction,
        "1" if fraction == 0 => WHOLE,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(accept: &str) -> Option<&'static str> {
        let value = HeaderValue::from_str(accept).unwrap();
        preferred(&HeaderMap::from_iter([(ACCEPT_ENCODING, value)])).map(Coding::name)
    }

    #[test]
    fn the_weightiest_is_taken() {
        assert_eq!(of("gzip, deflate, br, zstd"), Some("zstd"));
        assert_eq!(of("gzip, deflate, br"), Some("br"));
        assert_eq!(of("gzip;q=1.0, br;q=0.9, zstd; q=0.5"), Some("gzip"));
        assert_eq!(of("X-GZIP"), Some("gzip"));
        assert_eq!(of("*"), Some("zstd"));
        assert_eq!(of("zstd;q=0, *;q=0.1"), Some("br"));
    }

    #[test]
    fn what_is_not_wanted_is_not_taken() {
        assert_eq!(preferred(&HeaderMap::new()), None);
        assert_eq!(of(""), None);
        assert_eq!(of("deflate"), None);
        assert_eq!(of("gzip;q=0"), None);
        assert_eq!(of("gzip;q=0.5, identity"), None, "he likes it better as it is");
        assert_eq!(of("gzip;q=2, br;q=0.1234, zstd;q=x"), None, "no weights");
        assert_eq!(of("gzip;q=1, identity;q=0"), Some("gzip"));
    }
}
