use std::net::Ipv4Addr;

use thiserror::Error;

/// Host numbers of a /24 that containers may have: .0 is the network, .1 the gateway, .255 the broadcast.
pub(crate) const HOSTS: std::ops::RangeInclusive<u8> = 2..=254;

/// The range app networks are cut from, a /24 each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressPool {
    base: u32,
    subnets: u32,
}

/// Why a text is not an address pool.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{0}\" is not an address pool: write a network of /24 or larger, for example 10.208.0.0/12")]
pub struct AddressPoolError(String);

/// One /24.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subnet(u32);

impl AddressPool {
    /// Reads `a.b.c.d/n` with n from 8 to 24; no bit below the prefix may be set.
    pub fn parse(text: &str) -> Result<Self, AddressPoolError> {
        let wrong = || AddressPoolError(text.chars().take(40).flat_map(char::escape_debug).collect());
        let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let base = u32::from(address.parse::<Ipv4Addr>().map_err(|_| wrong())?);
        let prefix: u32 = prefix.parse().map_err(|_| wrong())?;
        if !(8..=24).contains(&prefix) || base & (u32::MAX >> prefix) != 0 {
            return Err(wrong());
        }
        Ok(Self { base, subnets: 1 << (24 - prefix) })
    }

    /// How many networks it has.
    pub(crate) fn subnets(self) -> u32 {
        self.subnets
    }

    /// The network of that number; `None` past the end.
    pub(crate) fn subnet(self, index: u32) -> Option<Subnet> {
        (index < self.subnets).then(|| Subnet(self.base + (index << 8)))
    }
}

impl Subnet {
    /// `10.208.3.0/24`.
    pub fn cidr(&self) -> String {
        format!("{}/24", Ipv4Addr::from(self.0))
    }

    /// The first address.
    pub fn gateway(&self) -> Ipv4Addr {
        self.host(1)
    }

    /// The address of that host number.
    pub fn host(&self, n: u8) -> Ipv4Addr {
        Ipv4Addr::from(self.0 + u32::from(n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_cut_into_24s() {
        let pool = AddressPool::parse("10.208.0.0/12").unwrap();
        assert_eq!(pool.subnets(), 4096);
        let subnet = pool.subnet(259).unwrap();
        assert_eq!(subnet.cidr(), "10.209.3.0/24");
        assert_eq!(subnet.host(7).to_string(), "10.209.3.7");
        assert_eq!(subnet.gateway().to_string(), "10.209.3.1");
        assert!(pool.subnet(4096).is_none());
        assert_eq!(AddressPool::parse("10.1.2.0/24").unwrap().subnets(), 1);
        for bad in ["", "10.0.0.0", "10.0.0.0/25", "10.0.0.1/16", "10.0.0.0/7", "x/12", "10.0.0.0/-1"] {
            assert!(AddressPool::parse(bad).is_err(), "{bad}");
        }
    }
}
