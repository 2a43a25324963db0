use std::net::IpAddr;

use ipnet::IpNet;

/// Ranges of addresses; at least one.
#[derive(Debug)]
pub(crate) struct Networks(Box<[IpNet]>);

impl Networks {
    /// `None` for no ranges.
    pub(crate) fn new(ranges: &[IpNet]) -> Option<Self> {
        (!ranges.is_empty()).then(|| Self(ranges.into()))
    }

    /// `address` in its canonical form: an IPv4 address is not in a range of IPv6.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(&address))
    }
}
