//! The address arithmetic of an app's network.

use std::{net::Ipv4Addr, str::FromStr};

/// An IPv4 network, `10.208.3.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subnet {
    base: Ipv4Addr,
    prefix: u8,
}

impl Subnet {
    /// The first address: the bridge's own.
    pub(crate) fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.base) + 1)
    }

    /// The addresses containers may have, in order.
    pub(crate) fn hosts(self) -> impl Iterator<Item = Ipv4Addr> {
        let base = u32::from(self.base);
        (base + 2..self.last()).map(Ipv4Addr::from)
    }

    /// Whether two networks share an address.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        u32::from(self.base) <= other.last() && u32::from(other.base) <= self.last()
    }

    /// Whether an address is one a container may have: inside, and neither the network's, the gateway's nor the broadcast address.
    pub(crate) fn has_host(self, address: Ipv4Addr) -> bool {
        let (base, address) = (u32::from(self.base), u32::from(address));
        address > base + 1 && address < self.last()
    }

    /// The broadcast address.
    fn last(self) -> u32 {
        u32::from(self.base) | (u32::MAX >> self.prefix)
    }
}

impl FromStr for Subnet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || format!("{text:?} is not an IPv4 network like 10.208.3.0/24");
        let (base, prefix) = text.split_once('/').ok_or_else(bad)?;
        let base: Ipv4Addr = base.parse().map_err(|_| bad())?;
        let prefix: u8 = prefix.parse().ok().filter(|prefix| (8..=29).contains(prefix)).ok_or_else(bad)?;
        if u32::from(base) & (u32::MAX >> prefix) != 0 {
            return Err(bad());
        }
        Ok(Self { base, prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_networks_gateway_is_its_first_address() {
        let subnet: Subnet = "10.208.3.0/24".parse().unwrap();
        assert_eq!(subnet.gateway(), Ipv4Addr::new(10, 208, 3, 1));
        assert!(subnet.has_host(Ipv4Addr::new(10, 208, 3, 2)));
        assert!(subnet.has_host(Ipv4Addr::new(10, 208, 3, 254)));
        for outside in [[10, 208, 3, 0], [10, 208, 3, 1], [10, 208, 3, 255], [10, 208, 4, 2]] {
            assert!(!subnet.has_host(Ipv4Addr::from(outside)), "{outside:?}");
        }
    }

    #[test]
    fn overlaps_are_seen_both_ways() {
        let [wide, narrow, other]: [Subnet; 3] =
            ["10.208.0.0/16", "10.208.3.0/24", "10.209.0.0/24"].map(|text| text.parse().unwrap());
        assert!(wide.overlaps(narrow) && narrow.overlaps(wide));
        assert!(!wide.overlaps(other) && !other.overlaps(narrow));
        assert_eq!(narrow.hosts().next(), Some(Ipv4Addr::new(10, 208, 3, 2)));
        assert_eq!(narrow.hosts().last(), Some(Ipv4Addr::new(10, 208, 3, 254)));
    }

    #[test]
    fn what_is_not_a_network_is_refused() {
        for bad in ["", "10.0.0.0", "10.0.0.1/24", "10.0.0.0/33", "10.0.0.0/31", "x/24", "10.0.0.0/24/1"] {
            assert!(bad.parse::<Subnet>().is_err(), "{bad}");
        }
    }
}
