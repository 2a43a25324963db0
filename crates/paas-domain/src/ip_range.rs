use std::{borrow::Cow, fmt, net::IpAddr, str::FromStr};

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

use crate::NameError;

const RULE: &str = "use an address like 192.0.2.7, or a range like 10.0.0.0/8 or 2001:db8::/32 (CIDR)";

/// One address, or a range of addresses in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3). No bit below the prefix is set: a range that is
/// wider than the person who typed it meant is refused. IPv4 written as IPv6 (RFC 4291 §2.5.5.2) is IPv4: visitors are compared as that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IpRange(IpNet);

impl IpRange {
    /// The most ranges that one list may have: each request is compared with them.
    pub const MOST: u32 = 1_000;

    /// Reads an address or a range.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let refuse = |rule: Cow<'static, str>| NameError::new("a range of addresses", text, rule);
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(IpNet::from(address.to_canonical())));
        }
        let range = unmapped(text.parse().map_err(|_| refuse(RULE.into()))?);
        if range.trunc() != range {
            return Err(refuse(
                format!(
                    "{} is the whole range, and {} the one address; say which is meant",
                    range.trunc(),
                    range.addr()
                )
                .into(),
            ));
        }
        Ok(Self(range))
    }

    /// The range itself.
    pub fn net(&self) -> IpNet {
        self.0
    }

    /// Whether it has every address of its kind.
    pub fn is_everybody(&self) -> bool {
        self.0.prefix_len() == 0
    }

    /// Refuses what cannot be meant as a proxy: whoever is believed without a bound may say that they are anybody.
    pub fn check_trusted(self) -> Result<Self, NameError> {
        if self.is_everybody() {
            let rule = "this is every address, and then any visitor could claim to be another; use your proxies' own ranges";
            return Err(NameError::new("a range of trusted proxies", &self.to_string(), rule));
        }
        Ok(self)
    }
}

/// A range within `::ffff:0:0/96` as the range of IPv4 that it stands for.
fn unmapped(range: IpNet) -> IpNet {
    let IpNet::V6(v6) = range else { return range };
    let v4 = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    v4.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(range, IpNet::V4)
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for IpRange {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl TryFrom<String> for IpRange {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(&text)
    }
}

impl From<IpRange> for String {
    fn from(range: IpRange) -> Self {
        range.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_range_of_one() {
        for (text, range) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(IpRange::new(text).unwrap().to_string(), range);
        }
    }

    #[test]
    fn what_is_no_range_or_wider_than_meant_is_refused() {
        for bad in
            ["", "10.0.0.0/33", "10.0.0/8", "office", "10.0.0.0/8 ", "10.0.0.0/-1", "::/129", "1.2.3.4:80"]
        {
            assert!(IpRange::new(bad).unwrap_err().to_string().contains("10.0.0.0/8"), "{bad}");
        }
        let error = IpRange::new("10.1.2.3/8").unwrap_err().to_string();
        assert!(error.contains("10.0.0.0/8") && error.contains("10.1.2.3"), "{error}");
        assert!(IpRange::new("::ffff:10.1.2.3/104").unwrap_err().to_string().contains("10.0.0.0/8"));
        for everybody in ["::/0", "0.0.0.0/0", "::ffff:0:0/96"] {
            assert!(IpRange::new(everybody).unwrap().check_trusted().is_err(), "{everybody}");
        }
        assert!(IpRange::new("10.0.0.0/8").unwrap().check_trusted().is_ok());
    }
}
