//! Addresses written into a name, for the public services that resolve such a name to the address in it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::names::is_below;

const SERVICES: [&str; 2] = ["sslip.io", "nip.io"];

/// The address a name of such a service leads to; none for any other name.
///
/// Both services read `a.b.c.d` and `a-b-c-d` anywhere in the name, before their own. `sslip.io` also reads an IPv6 address with `-` for
/// `:`, `nip.io` also eight hexadecimal digits.
pub(crate) fn find(name: &str) -> Option<IpAddr> {
    let service = SERVICES.into_iter().find(|service| is_below(name, service))?;
    let rest = name.strip_suffix(service)?.strip_suffix('.')?;
    dotted(rest)
        .or_else(|| rest.split('.').rev().find_map(dashed))
        .or_else(|| rest.split('.').rev().find_map(hexadecimal))
        .map(IpAddr::V4)
        .or_else(|| rest.split('.').rev().find_map(dashed_v6).map(IpAddr::V6))
}

fn dotted(text: &str) -> Option<Ipv4Addr> {
    let labels: Vec<&str> = text.split('.').collect();
    labels.windows(4).rev().find_map(|four| four.join(".").parse().ok())
}

fn dashed(label: &str) -> Option<Ipv4Addr> {
    let parts: Vec<&str> = label.split('-').collect();
    parts.windows(4).rev().find_map(|four| four.join(".").parse().ok())
}

fn hexadecimal(label: &str) -> Option<Ipv4Addr> {
    let digits = label.rsplit('-').next().filter(|digits| digits.len() == 8)?;
    u32::from_str_radix(digits, 16).ok().map(Ipv4Addr::from_bits)
}

fn dashed_v6(label: &str) -> Option<Ipv6Addr> {
    label.replace('-', ":").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_is_read() {
        for (name, address) in [
            ("10.0.0.1.sslip.io", "10.0.0.1"),
            ("app.10.0.0.1.nip.io", "10.0.0.1"),
            ("10-0-0-1.sslip.io", "10.0.0.1"),
            ("my-app-10-0-0-1.nip.io", "10.0.0.1"),
            ("www.192-168-1-5.sslip.io", "192.168.1.5"),
            ("app-c0a80105.nip.io", "192.168.1.5"),
            ("2001-db8--1.sslip.io", "2001:db8::1"),
        ] {
            assert_eq!(find(name), Some(address.parse().unwrap()), "{name}");
        }
    }

    #[test]
    fn other_names_embed_nothing() {
        for name in
            ["10.0.0.1.example.org", "sslip.io", "app.sslip.io", "evil-sslip.io", "10-0-0-1.notsslip.io"]
        {
            assert_eq!(find(name), None, "{name}");
        }
    }
}
