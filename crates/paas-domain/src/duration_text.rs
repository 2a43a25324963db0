use std::{fmt, time::Duration};

use serde::{Deserializer, de};
use thiserror::Error;

/// No duration of ours needs to be longer; a longer one is a slip of the keyboard.
const LONGEST: Duration = Duration::from_hours(24);

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "\"{given}\" is not a duration: use a number with a unit, like \"90s\", \"2m\", \"500ms\" or \"1h\", at most 24h"
)]
pub struct DurationError {
    given: String,
}

/// Reads `90s`, `2m`, `500ms`, `1h`, sums of them like `1m30s`, and a bare whole number, which is seconds. At most 24 hours.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    sum(text.trim())
        .filter(|total| *total <= LONGEST)
        .ok_or_else(|| DurationError { given: text.chars().take(40).flat_map(char::escape_debug).collect() })
}

fn sum(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, next) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        total = total.checked_add(unit_of(unit)?.checked_mul(number.parse().ok()?)?)?;
        rest = next;
    }
    (!text.is_empty()).then_some(total)
}

fn unit_of(name: &str) -> Option<Duration> {
    match name {
        "ms" => Some(Duration::from_millis(1)),
        "s" => Some(Duration::from_secs(1)),
        "m" => Some(Duration::from_mins(1)),
        "h" => Some(Duration::from_hours(1)),
        _ => None,
    }
}

/// For `#[serde(deserialize_with)]` on an optional field: a text, or whole seconds.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    deserializer.deserialize_any(DurationVisitor).map(Some)
}

/// The same for a time that something is waited for: zero would refuse everything.
pub(crate) fn optional_wait<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    match optional(deserializer)? {
        Some(Duration::ZERO) => Err(de::Error::custom("a timeout is more than no time, like \"60s\"")),
        wait => Ok(wait),
    }
}

struct DurationVisitor;

impl de::Visitor<'_> for DurationVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration like \"90s\" or a whole number of seconds")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        parse_duration(text).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Duration, E> {
        parse_duration(&seconds.to_string()).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Duration, E> {
        parse_duration(&seconds.to_string()).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, millis) in [
            ("90s", 90_000),
            ("2m", 120_000),
            ("500ms", 500),
            ("1h", 3_600_000),
            ("1m30s", 90_000),
            ("30", 30_000),
            ("0s", 0),
            (" 5s ", 5_000),
            ("24h", 86_400_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_examples() {
        for bad in [
            "",
            " ",
            "s",
            "10 s",
            "-1s",
            "-1",
            "1.5s",
            "10x",
            "s10",
            "25h",
            "99999999999999999999s",
            "4294967295h",
            "1s2",
        ] {
            let error = parse_duration(bad).unwrap_err().to_string();
            assert!(error.contains("90s"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,30}") {
            if let Ok(duration) = parse_duration(&text) {
                prop_assert!(duration <= LONGEST);
            }
        }
    }
}
