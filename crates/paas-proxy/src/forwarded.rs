use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue,
    header::{FORWARDED, HeaderName},
};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const HOST_IS: &str = ";host=\"";
const UNKNOWN: HeaderValue = HeaderValue::from_static("unknown");

/// How a client came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What the target is told about where a request comes from. Made once for each connection.
#[derive(Debug)]
pub(crate) struct Origin {
    scheme: Scheme,
    client: HeaderValue,
    port: HeaderValue,
    /// `for=` and `proto=` of `Forwarded` (RFC 7239).
    forwarded: String,
}

impl Origin {
    /// `client` is the other end of the connection, `listener` the address it came to.
    pub(crate) fn new(client: SocketAddr, listener: SocketAddr, scheme: Scheme) -> Self {
        // An IPv4 client on a dual-stack socket is shown as IPv4.
        let ip = client.ip().to_canonical();
        let node = match ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("\"[{ip}]\""),
        };
        Self {
            scheme,
            client: value(&ip.to_string()),
            port: HeaderValue::from(listener.port()),
            forwarded: format!("for={node};proto={}", scheme.as_str()),
        }
    }

    /// Replaces everything a client may have claimed about itself. Gives the request's id.
    pub(crate) fn apply(&self, headers: &mut HeaderMap, host: &HeaderValue) -> HeaderValue {
        remove_claims(headers);
        let id = request_id();
        headers.insert(FOR, self.client.clone());
        headers.insert(REAL_IP, self.client.clone());
        headers.insert(PROTO, HeaderValue::from_static(self.scheme.as_str()));
        headers.insert(HOST, host.clone());
        headers.insert(PORT, self.port.clone());
        headers.insert(FORWARDED, self.forwarded(host));
        headers.insert(REQUEST_ID, id.clone());
        id
    }

    fn forwarded(&self, host: &HeaderValue) -> HeaderValue {
        let host = host.to_str().unwrap_or_default();
        let mut text = String::with_capacity(self.forwarded.len() + host.len() + HOST_IS.len() + 1);
        text.push_str(&self.forwarded);
        if !host.is_empty() {
            text.push_str(HOST_IS);
            text.push_str(host);
            text.push('"');
        }
        HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(UNKNOWN)
    }
}

/// 128 random bits in lower-case hex.
fn request_id() -> HeaderValue {
    let bits: u128 = rand::random();
    let digit = |place: u32| match u8::try_from((bits >> (4 * place)) & 0xf).unwrap_or_default() {
        low @ 0..10 => b'0' + low,
        high => b'a' + (high - 10),
    };
    let text: Vec<u8> = (0..32).rev().map(digit).collect();
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(UNKNOWN)
}

/// The text is ours: digits, letters, and hosts that were read as hosts.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(UNKNOWN)
}

fn remove_claims(headers: &mut HeaderMap) {
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
fn is_claim(name: &str) -> bool {
    let begins = |with: &str| {
        name.len() >= with.len() && name.bytes().zip(with.bytes()).all(|(one, other)| dashed(one) == other)
    };
    let is = |other: &str| name.len() == other.len() && begins(other);
    begins("x-forwarded-") || ["forwarded", "x-real-ip", "x-request-id", "x-forwarded"].into_iter().any(is)
}

fn dashed(byte: u8) -> u8 {
    if byte == b'_' { b'-' } else { byte }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(client: &str, fields: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
        let origin = Origin::new(client.parse().unwrap(), "10.0.0.1:8080".parse().unwrap(), Scheme::Http);
        let mut headers: HeaderMap = fields
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let id = origin.apply(&mut headers, &HeaderValue::from_static("A.example:8080"));
        assert_eq!(headers.remove("x-request-id").unwrap(), id);
        let mut all: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        all.sort();
        all
    }

    fn expected(client: &str, node: &str) -> Vec<(String, String)> {
        [
            ("forwarded", format!("for={node};proto=http;host=\"A.example:8080\"")),
            ("x-forwarded-for", client.to_owned()),
            ("x-forwarded-host", "A.example:8080".to_owned()),
            ("x-forwarded-port", "8080".to_owned()),
            ("x-forwarded-proto", "http".to_owned()),
            ("x-real-ip", client.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    #[test]
    fn spoofs_are_replaced_byte_for_byte() {
        let spoofs = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "7.7.7.7"),
            ("x_forwarded_for", "6.6.6.6"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-ssl", "on"),
            ("x-real-ip", "6.6.6.6"),
            ("x_real-ip", "6.6.6.6"),
            ("forwarded", "for=6.6.6.6"),
            ("x-request-id", "evil"),
        ];
        assert_eq!(applied("192.0.2.7:999", &spoofs), expected("192.0.2.7", "192.0.2.7"));
    }

    #[test]
    fn ipv6_and_mapped_addresses() {
        assert_eq!(applied("[2001:db8::1]:9", &[]), expected("2001:db8::1", "\"[2001:db8::1]\""));
        assert_eq!(applied("[::ffff:192.0.2.7]:9", &[]), expected("192.0.2.7", "192.0.2.7"));
    }
}
