use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How many of a hundred visitors get a candidate: 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Share(u8);

/// Not a whole number from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a share is a whole number of percent from 0 to 100")]
pub struct ShareError;

impl Share {
    /// The share of that many percent.
    pub fn new(percent: u8) -> Result<Self, ShareError> {
        if percent <= 100 { Ok(Self(percent)) } else { Err(ShareError) }
    }

    /// In percent.
    pub fn percent(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Share {
    type Error = ShareError;

    fn try_from(percent: u8) -> Result<Self, ShareError> {
        Self::new(percent)
    }
}

impl From<Share> for u8 {
    fn from(share: Share) -> Self {
        share.0
    }
}

impl FromStr for Share {
    type Err = ShareError;

    /// `10` or `10%`.
    fn from_str(text: &str) -> Result<Self, ShareError> {
        let digits = text.strip_suffix('%').unwrap_or(text);
        // `u8::from_str` takes a sign, which nobody means here.
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ShareError);
        }
        digits.parse().map_err(|_| ShareError).and_then(Self::new)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_whole_percentage() {
        for (text, percent) in [("0", 0), ("10", 10), ("10%", 10), ("100", 100)] {
            assert_eq!(text.parse::<Share>().map(Share::percent), Ok(percent), "{text}");
        }
        for bad in ["", "101", "-1", "+1", "1.5", "ten", "%", "256", "10 %"] {
            assert_eq!(bad.parse::<Share>(), Err(ShareError), "{bad}");
        }
        assert!(serde_json::from_str::<Share>("101").is_err());
    }
}
