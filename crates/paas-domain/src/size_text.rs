use serde::{Deserializer, de};
use thiserror::Error;

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "\"{given}\" is not a size: use a whole number of bytes, or one with a unit, like \"512k\", \"100m\" or \"2g\""
)]
pub struct SizeError {
    given: String,
}

/// Reads a size in bytes: `512k`, `100m`, `2g`, `1t` (powers of 1024, in any case, also with a `b` or `ib` at the end), or bare bytes.
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    bytes(text.trim())
        .ok_or_else(|| SizeError { given: text.chars().take(40).flat_map(char::escape_debug).collect() })
}

fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit: u64 = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// A size as a person types it, in the largest unit that says it exactly.
pub fn size_text(bytes: u64) -> String {
    let units: [(u32, &str); 4] = [(40, "t"), (30, "g"), (20, "m"), (10, "k")];
    let whole = units.into_iter().find(|(shift, _)| bytes > 0 && bytes.is_multiple_of(1 << shift));
    whole.map_or_else(|| bytes.to_string(), |(shift, unit)| format!("{}{unit}", bytes >> shift))
}

/// For `#[serde(deserialize_with)]`: a text, or a number of bytes.
pub fn deserialize_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(SizeVisitor)
}

/// The same on an optional field.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    deserialize_size(deserializer).map(Some)
}

struct SizeVisitor;

impl de::Visitor<'_> for SizeVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a size like \"100m\" or a whole number of bytes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        parse_size(text).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<u64, E> {
        Ok(bytes)
    }

    fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<u64, E> {
        u64::try_from(bytes).map_err(|_| E::custom(SizeError { given: bytes.to_string() }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_read_and_shown_as_people_write_them() {
        for (text, size, shown) in [
            ("100m", 100 << 20, "100m"),
            ("2G", 2 << 30, "2g"),
            ("1024k", 1 << 20, "1m"),
            ("512MiB", 512 << 20, "512m"),
            ("512 MB", 512 << 20, "512m"),
            (" 42 ", 42, "42"),
            ("0", 0, "0"),
            ("1t", 1 << 40, "1t"),
        ] {
            assert_eq!(parse_size(text), Ok(size), "{text}");
            assert_eq!(size_text(size), shown);
        }
        for bad in ["", "m", "-1", "1.5g", "2x", "1 0", "99999999999999999999", "99999999999t", "lots"] {
            assert!(parse_size(bad).unwrap_err().to_string().contains("100m"), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(size: u64) {
            prop_assert_eq!(parse_size(&size_text(size)), Ok(size));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,30}") {
            let _ = parse_size(&text);
        }
    }
}
