use serde::{Deserialize, Deserializer, de};

/// A number of bytes, written as a number or as `512MiB`, `2GiB`, `10GB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(u64);

impl Size {
    pub(crate) const fn gib(count: u64) -> Self {
        Self(count << 30)
    }

    pub(crate) const fn bytes(self) -> u64 {
        self.0
    }

    /// Reads the text; `k`, `m`, `g`, `t` alone mean the binary units, as Docker reads them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kib" => 1 << 10,
            "m" | "mib" => 1 << 20,
            "g" | "gib" => 1 << 30,
            "t" | "tib" => 1 << 40,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            "tb" => 1_000_000_000_000,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(factor).map(Self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Bytes(u64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Bytes(bytes) => Ok(Self(bytes)),
            Written::Text(text) => Self::parse(&text)
                .ok_or_else(|| de::Error::custom(format!("\"{text}\" is not a size; write it like 2GiB"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(Size::parse("2GiB"), Some(Size(2 << 30)));
        assert_eq!(Size::parse("512m"), Some(Size(512 << 20)));
        assert_eq!(Size::parse("10 GB"), Some(Size(10_000_000_000)));
        assert_eq!(Size::parse("42"), Some(Size(42)));
        for bad in ["", "GiB", "-1", "2XB", "99999999999999999999", "9999999999T"] {
            assert_eq!(Size::parse(bad), None, "{bad}");
        }
    }
}
