//! Networks that answer in a server's place.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::{HeaderMap, header::SERVER};

const CLOUDFLARE: &str = "Cloudflare";

/// Headers that one such network alone sends.
const HEADERS: [(&str, &str); 9] = [
    ("cf-ray", CLOUDFLARE),
    ("x-amz-cf-id", "CloudFront"),
    ("x-vercel-id", "Vercel"),
    ("x-nf-request-id", "Netlify"),
    ("x-akamai-transformed", "Akamai"),
    ("x-akamai-request-id", "Akamai"),
    ("x-fastly-request-id", "Fastly"),
    ("x-azure-ref", "Azure Front Door"),
    ("fly-request-id", "Fly.io"),
];

/// How such networks call themselves.
const SERVERS: [(&str, &str); 8] = [
    ("cloudflare", CLOUDFLARE),
    ("cloudfront", "CloudFront"),
    ("akamaighost", "Akamai"),
    ("vercel", "Vercel"),
    ("netlify", "Netlify"),
    ("bunnycdn", "bunny.net"),
    ("github.com", "GitHub Pages"),
    ("varnish", "Fastly"),
];

/// Addresses Cloudflare publishes at <https://www.cloudflare.com/ips/>: network and prefix length.
const CLOUDFLARE_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(173, 245, 48, 0), 20),
    (Ipv4Addr::new(103, 21, 244, 0), 22),
    (Ipv4Addr::new(103, 22, 200, 0), 22),
    (Ipv4Addr::new(103, 31, 4, 0), 22),
    (Ipv4Addr::new(141, 101, 64, 0), 18),
    (Ipv4Addr::new(108, 162, 192, 0), 18),
    (Ipv4Addr::new(190, 93, 240, 0), 20),
    (Ipv4Addr::new(188, 114, 96, 0), 20),
    (Ipv4Addr::new(197, 234, 240, 0), 22),
    (Ipv4Addr::new(198, 41, 128, 0), 17),
    (Ipv4Addr::new(162, 158, 0, 0), 15),
    (Ipv4Addr::new(104, 16, 0, 0), 13),
    (Ipv4Addr::new(104, 24, 0, 0), 14),
    (Ipv4Addr::new(172, 64, 0, 0), 13),
    (Ipv4Addr::new(131, 0, 72, 0), 22),
];

const CLOUDFLARE_V6: [(Ipv6Addr, u32); 7] = [
    (Ipv6Addr::new(0x2400, 0xcb00, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2606, 0x4700, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2803, 0xf800, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2405, 0xb500, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2405, 0x8100, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2a06, 0x98c0, 0, 0, 0, 0, 0, 0), 29),
    (Ipv6Addr::new(0x2c0f, 0xf248, 0, 0, 0, 0, 0, 0), 32),
];

/// The network that sent an answer, if it says so.
pub(crate) fn of_headers(headers: &HeaderMap) -> Option<&'static str> {
    let by_header = HEADERS.iter().find(|(header, _)| headers.contains_key(*header)).map(|(_, name)| *name);
    by_header.or_else(|| {
        let server = headers.get(SERVER)?.to_str().ok()?.to_ascii_lowercase();
        SERVERS.iter().find(|(prefix, _)| server.starts_with(prefix)).map(|(_, name)| *name)
    })
}

/// The network an address belongs to.
pub(crate) fn of_address(address: IpAddr) -> Option<&'static str> {
    let inside = match address {
        IpAddr::V4(ip) => {
            CLOUDFLARE_V4.iter().any(|(net, length)| (ip.to_bits() ^ net.to_bits()) >> (32 - length) == 0)
        }
        IpAddr::V6(ip) => {
            CLOUDFLARE_V6.iter().any(|(net, length)| (ip.to_bits() ^ net.to_bits()) >> (128 - length) == 0)
        }
    };
    inside.then_some(CLOUDFLARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_known_by_header_and_address() {
        let headers = |name: &'static str, value: &str| {
            HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
        };
        assert_eq!(of_headers(&headers("cf-ray", "8f1")), Some("Cloudflare"));
        assert_eq!(of_headers(&headers("server", "cloudflare")), Some("Cloudflare"));
        assert_eq!(of_headers(&headers("server", "CloudFront")), Some("CloudFront"));
        assert_eq!(of_headers(&headers("server", "nginx/1.22")), None);
        assert_eq!(of_address("104.21.3.4".parse().unwrap()), Some("Cloudflare"));
        assert_eq!(of_address("104.32.0.1".parse().unwrap()), None);
        assert_eq!(of_address("2606:4700:20::1".parse().unwrap()), Some("Cloudflare"));
        assert_eq!(of_address("2a01:4f8::1".parse().unwrap()), None);
    }
}
