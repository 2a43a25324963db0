use std::net::{IpAddr, SocketAddr};

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, header::FORWARDED};

use super::{
    claims::{FOR, HOST, PORT, PREFIX, PROTO, REAL_IP, REQUEST_ID, remove_claims},
    element::node,
    request_id,
    scheme::Scheme,
    told::Told,
};
use crate::networks::Networks;

const HOST_IS: &str = ";host=\"";
const UNKNOWN: HeaderValue = HeaderValue::from_static("unknown");

/// What the target is told about where a request comes from. Made once for each connection.
#[derive(Debug)]
pub(crate) struct Origin {
    scheme: Scheme,
    address: IpAddr,
    client: HeaderValue,
    port: HeaderValue,
    /// `for=` and `proto=` of `Forwarded` (RFC 7239).
    forwarded: String,
}

/// Who sent one request.
#[derive(Debug)]
pub(crate) struct Source {
    /// The visitor's address, IPv4 as such.
    pub(crate) client: IpAddr,
    /// How the visitor came, to us or to the proxy before us.
    pub(crate) scheme: Scheme,
    told: Option<Box<Told>>,
}

impl Source {
    /// Whether the visitor is known to come from there. Not when what trusted proxies say allows of two: that is made up by whoever
    /// wants to pass for another, or for the proxy itself.
    pub(crate) fn is_within(&self, networks: &Networks) -> bool {
        networks.contains(self.client) && !self.told.as_ref().is_some_and(|told| told.is_doubtful)
    }
}

impl Origin {
    /// `client` is the other end of the connection, `listener` the address it came to.
    pub(crate) fn new(client: SocketAddr, listener: SocketAddr, scheme: Scheme) -> Self {
        // An IPv4 client on a dual-stack socket is shown as IPv4.
        let address = client.ip().to_canonical();
        Self {
            scheme,
            address,
            client: value(&address.to_string()),
            port: HeaderValue::from(listener.port()),
            forwarded: format!("for={};proto={}", node(Some(address)), scheme.as_str()),
        }
    }

    /// Writes what [`Origin::apply`] would put into the header of a request in which nothing is claimed, from the other end of the
    /// connection itself.
    pub(crate) fn write(&self, text: &mut BytesMut, host: &str, id: &[u8; 32]) {
        let fields: [(&HeaderName, &[u8]); 6] = [
            (&FOR, self.client.as_bytes()),
            (&REAL_IP, self.client.as_bytes()),
            (&HOST, host.as_bytes()),
            (&PORT, self.port.as_bytes()),
            (&PROTO, self.scheme.as_str().as_bytes()),
            (&REQUEST_ID, id),
        ];
        for (name, value) in fields {
            for part in [name.as_str().as_bytes(), b": ", value, b"\r\n"] {
                text.put_slice(part);
            }
        }
        for part in ["forwarded: ", &self.forwarded, HOST_IS, host, "\"\r\n"] {
            text.put_slice(part.as_bytes());
        }
    }

    /// The other end of the connection, whatever it claims.
    pub(crate) fn direct(&self) -> Source {
        Source { client: self.address, scheme: self.scheme, told: None }
    }

    /// Who sent a request: what the other end of the connection says if it is trusted, else itself.
    pub(crate) fn source(&self, headers: &HeaderMap, trusted: &Networks) -> Source {
        if !trusted.contains(self.address) {
            return self.direct();
        }
        let told = Told::read(headers, self.address, trusted);
        Source { client: told.client, scheme: told.scheme.unwrap_or(self.scheme), told: Some(Box::new(told)) }
    }

    /// Replaces everything a client may have claimed about itself; what a trusted proxy said is kept and added to. `strip` is the
    /// prefix of the path that the target does not get. Gives the request's id.
    pub(crate) fn apply(
        &self,
        headers: &mut HeaderMap,
        host: &HeaderValue,
        source: &Source,
        strip: Option<&HeaderValue>,
    ) -> HeaderValue {
        remove_claims(headers);
        // What is inserted below, at once: a map grows by moving everything.
        headers.reserve(8);
        let id = match &source.told {
            None => {
                headers.insert(FOR, self.client.clone());
                headers.insert(REAL_IP, self.client.clone());
                headers.insert(HOST, host.clone());
                headers.insert(PORT, self.port.clone());
                headers.insert(FORWARDED, self.forwarded(host, ""));
                request_id::new()
            }
            Some(told) => self.apply_told(told, headers, host),
        };
        headers.insert(PROTO, HeaderValue::from_static(source.scheme.as_str()));
        if let Some(prefix) = strip {
            headers.insert(PREFIX, prefix.clone());
        }
        headers.insert(REQUEST_ID, id.clone());
        id
    }

    fn apply_told(&self, told: &Told, headers: &mut HeaderMap, host: &HeaderValue) -> HeaderValue {
        let chain = format!("{}{}", told.chain, self.address);
        let port = match (told.port, told.scheme) {
            (Some(port), _) => HeaderValue::from(port),
            (None, Some(scheme)) => HeaderValue::from(scheme.port()),
            (None, None) => self.port.clone(),
        };
        headers.insert(FOR, value(&chain));
        headers.insert(REAL_IP, value(&told.client.to_string()));
        headers.insert(HOST, told.host.as_ref().unwrap_or(host).clone());
        headers.insert(PORT, port);
        headers.insert(FORWARDED, self.forwarded(host, &told.forwarded));
        told.id.clone().unwrap_or_else(request_id::new)
    }

    /// `Forwarded` with the hop to us behind those before it.
    fn forwarded(&self, host: &HeaderValue, before: &str) -> HeaderValue {
        let host = host.to_str().unwrap_or_default();
        let length = before.len() + self.forwarded.len() + host.len() + HOST_IS.len() + 1;
        let mut text = String::with_capacity(length);
        text.push_str(before);
        text.push_str(&self.forwarded);
        if !host.is_empty() {
            text.push_str(HOST_IS);
            text.push_str(host);
            text.push('"');
        }
        HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(UNKNOWN)
    }
}

/// The text is ours, or stood in a header: digits, letters, and hosts that were read as hosts.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(client: &str, fields: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
        applied_behind(&[], client, fields).1
    }

    /// The client that was found out, and what the target is told.
    fn applied_behind(
        trusted: &[&str],
        client: &str,
        fields: &[(&'static str, &'static str)],
    ) -> (String, Vec<(String, String)>) {
        let origin = Origin::new(client.parse().unwrap(), "10.0.0.1:8080".parse().unwrap(), Scheme::Http);
        let mut headers: HeaderMap = fields
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let trusted: Vec<_> = trusted.iter().map(|range| range.parse().unwrap()).collect();
        let source = match Networks::new(&trusted) {
            Some(trusted) => origin.source(&headers, &trusted),
            None => origin.direct(),
        };
        let id = origin.apply(&mut headers, &HeaderValue::from_static("A.example:8080"), &source, None);
        if trusted.is_empty() {
            assert_eq!(headers.remove("x-request-id").unwrap(), id);
        }
        let mut all: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        all.sort();
        (source.client.to_string(), all)
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
    fn what_is_written_is_what_would_be_put_into_the_map() {
        let origin = Origin::new("[::1]:9".parse().unwrap(), "10.0.0.1:8080".parse().unwrap(), Scheme::Https);
        let mut headers = HeaderMap::new();
        let id = origin.apply(&mut headers, &HeaderValue::from_static("a.b:1"), &origin.direct(), None);
        let mut text = BytesMut::new();
        origin.write(&mut text, "a.b:1", id.as_bytes().try_into().unwrap());
        let mut written: Vec<_> = std::str::from_utf8(&text).unwrap().lines().map(str::to_owned).collect();
        let mut map: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        written.sort();
        map.sort();
        assert_eq!(written, map);
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
            ("x-forwarded-prefix", "/evil"),
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

    fn told(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn what_a_trusted_proxy_says_is_added_to() {
        let said = [
            ("x-forwarded-for", "6.6.6.6, 192.0.2.7"),
            ("x-forwarded-for", "10.1.1.1"),
            ("x-forwarded-proto", "HTTPS"),
            ("x-forwarded-host", "www.example"),
            ("x-forwarded-ssl", "on"),
            ("x-forwarded-prefix", "/evil"),
            ("forwarded", "for=6.6.6.6"),
            ("x-request-id", "cdn-1"),
        ];
        let (client, all) = applied_behind(&["10.0.0.0/8"], "10.0.0.9:1", &said);
        assert_eq!(client, "192.0.2.7", "the last who is not trusted");
        let hops = "for=6.6.6.6, for=192.0.2.7, for=10.1.1.1;proto=https;host=\"www.example\", \
                    for=10.0.0.9;proto=http;host=\"A.example:8080\"";
        let expected = told(&[
            ("forwarded", hops),
            ("x-forwarded-for", "6.6.6.6, 192.0.2.7, 10.1.1.1, 10.0.0.9"),
            ("x-forwarded-host", "www.example"),
            ("x-forwarded-port", "443"),
            ("x-forwarded-proto", "https"),
            ("x-real-ip", "192.0.2.7"),
            ("x-request-id", "cdn-1"),
        ]);
        assert_eq!(all, expected);
    }

    #[test]
    fn forwarded_alone_is_believed_too() {
        let said = [
            ("forwarded", "for=\"[2001:db8::1]:9\";proto=https;host=w.example"),
            ("forwarded", "for=10.1.1.1"),
        ];
        let (client, mut all) = applied_behind(&["10.0.0.0/8"], "10.0.0.9:1", &said);
        assert_eq!(client, "2001:db8::1");
        all.retain(|(name, _)| name != "x-request-id");
        let hops = "for=\"[2001:db8::1]:9\";proto=https;host=w.example, for=10.1.1.1, \
                    for=10.0.0.9;proto=http;host=\"A.example:8080\"";
        let expected = told(&[
            ("forwarded", hops),
            ("x-forwarded-for", "2001:db8::1, 10.1.1.1, 10.0.0.9"),
            ("x-forwarded-host", "A.example:8080"),
            ("x-forwarded-port", "8080"),
            ("x-forwarded-proto", "http"),
            ("x-real-ip", "2001:db8::1"),
        ]);
        assert_eq!(all, expected);
    }

    #[test]
    fn where_two_clients_are_named_nobody_is_known_to_be_let_in() {
        let ranges = |ranges: &[&str]| {
            Networks::new(&ranges.iter().map(|range| range.parse().unwrap()).collect::<Vec<_>>()).unwrap()
        };
        let trusted = ranges(&["10.0.0.0/8"]);
        let origin = Origin::new("10.0.0.9:1".parse().unwrap(), "10.0.0.1:80".parse().unwrap(), Scheme::Http);
        // The client's own network, the one he wants to seem to be in, and the proxy's.
        let everybody = ranges(&["192.0.2.0/24", "203.0.113.0/24", "10.0.0.0/8"]);
        for (fields, is_known) in [
            (&[("x-forwarded-for", "192.0.2.7")][..], true),
            (&[("forwarded", "for=192.0.2.7")], true),
            (&[], true),
            (&[("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=192.0.2.7;proto=https")], true),
            (&[("x-forwarded-for", "6.6.6.6, 192.0.2.7"), ("forwarded", "for=\"192.0.2.7:9\"")], true),
            (&[("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=192.0.2.7")], false),
            (&[("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=192.0.2.7, for=10.1.1.1")], false),
            (&[("x-forwarded-proto", "https"), ("forwarded", "for=192.0.2.7")], false),
            // Made unreadable by the client, so that only what else he wrote would count.
            (&[("x-forwarded-for", "203.0.113.9"), ("forwarded", "\", for=192.0.2.7")], false),
            (&[("forwarded", "x=\", for=192.0.2.7")], false),
        ] {
            let headers: HeaderMap = fields
                .iter()
                .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            let source = origin.source(&headers, &trusted);
            assert_eq!(source.is_within(&everybody), is_known, "{fields:?}");
            assert!(!source.is_within(&ranges(&["198.51.100.0/24"])), "{fields:?}");
        }
    }

    #[test]
    fn who_is_not_trusted_is_not_believed() {
        let said = [("x-forwarded-for", "6.6.6.6"), ("x-request-id", "evil"), ("x-forwarded-proto", "https")];
        let (client, mut all) = applied_behind(&["10.0.0.0/8"], "192.0.2.7:999", &said);
        assert_eq!(client, "192.0.2.7");
        all.retain(|(name, value)| name != "x-request-id" || value == "evil");
        assert_eq!(all, expected("192.0.2.7", "192.0.2.7"));
    }

    #[test]
    fn the_client_is_the_last_address_that_is_known() {
        let client = |chain: &'static str| {
            applied_behind(&["10.0.0.0/8", "fd00::/8"], "10.0.0.9:1", &[("x-forwarded-for", chain)]).0
        };
        assert_eq!(client("192.0.2.7"), "192.0.2.7");
        assert_eq!(client("10.2.2.2, 10.1.1.1"), "10.2.2.2", "all are trusted");
        assert_eq!(client("192.0.2.7, unknown, 10.1.1.1"), "10.1.1.1");
        assert_eq!(client("6.6.6.6, 192.0.2.7:80, [fd00::1]:5"), "192.0.2.7");
        assert_eq!(client("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(client("garbage"), "10.0.0.9");
        assert_eq!(client(""), "10.0.0.9");
    }

    #[test]
    fn an_id_that_could_break_a_log_is_replaced() {
        let id = |id: &'static str| {
            let (_, all) = applied_behind(&["10.0.0.0/8"], "10.0.0.9:1", &[("x-request-id", id)]);
            all.into_iter().find(|(name, _)| name == "x-request-id").unwrap().1
        };
        assert_eq!(id("a-B_1.~"), "a-B_1.~");
        for bad in ["", "a b", "a\"b", "a,b", "a;b"] {
            assert_eq!(id(bad).len(), 32, "{bad}");
        }
        assert_eq!(id("x".repeat(128).leak()).len(), 128);
        assert_eq!(id("x".repeat(129).leak()).len(), 32);
    }

    #[test]
    fn a_chain_of_thousands_is_cut() {
        let said = ("x-forwarded-for", &*format!("{}192.0.2.7", "a,".repeat(10_000)).leak());
        let (client, all) = applied_behind(&["10.0.0.0/8"], "10.0.0.9:1", &[said]);
        assert_eq!(client, "192.0.2.7");
        for (name, value) in all {
            assert!(value.len() < 2048, "{name} has {} bytes", value.len());
        }
    }
}
