use std::{ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{IpRange, duration_text, size_text};

/// What a request body may be limited to, in bytes. 0 would mean two things to people: nothing, and no limit.
const BODIES: RangeInclusive<u64> = (1 << 10)..=(1 << 40);
/// How many requests may be told to wait at one time; each occupies memory.
const HELD: RangeInclusive<u32> = 1..=100_000;

/// `[http]`: how requests are treated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSection {
    /// The largest request body, in bytes.
    #[serde(deserialize_with = "max_body")]
    pub max_body: Option<u64>,
    /// How long a body may bring nothing while it is waited for.
    #[serde(deserialize_with = "duration_text::optional_wait")]
    pub request_timeout: Option<Duration>,
    /// From the end of a request to the header of its answer.
    #[serde(deserialize_with = "duration_text::optional_wait")]
    pub response_timeout: Option<Duration>,
    /// Whether a body is read whole before the app is asked.
    pub buffer_requests: Option<bool>,
    /// Whether answers are compressed.
    pub compression: Option<bool>,
    /// Whether a visitor stays with one container.
    pub sticky: Option<bool>,
    /// Whether answers carry `Server-Timing`.
    pub server_timing: Option<bool>,
    /// How long a request waits while the app is between two versions.
    #[serde(deserialize_with = "hold_timeout")]
    pub hold_timeout: Option<Duration>,
    /// How many requests wait then.
    #[serde(deserialize_with = "hold_requests")]
    pub hold_requests: Option<u32>,
    /// How requests are written down.
    pub access_log: Option<AccessLog>,
    /// Whether visitors see the maintenance page.
    pub maintenance: Option<bool>,
    /// Where visitors may come from.
    #[serde(deserialize_with = "allow")]
    pub allow: Option<Vec<IpRange>>,
    /// Proxies before us that are believed.
    #[serde(deserialize_with = "trusted_proxies")]
    pub trusted_proxies: Option<Vec<IpRange>>,
}

/// Nobody waits longer in front of an app that is between two versions.
const LONGEST_HOLD: Duration = Duration::from_mins(10);

/// What [`HttpSection`] said when the release was made. A type of its own: what is stored is read leniently, so that an older paas can read what
/// a newer one has stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the same fields as HttpSection")]
pub struct DeclaredHttp {
    pub max_body: Option<u64>,
    pub request_timeout: Option<Duration>,
    pub response_timeout: Option<Duration>,
    pub buffer_requests: Option<bool>,
    pub compression: Option<bool>,
    pub sticky: Option<bool>,
    pub server_timing: Option<bool>,
    pub hold_timeout: Option<Duration>,
    pub hold_requests: Option<u32>,
    pub access_log: Option<AccessLog>,
    pub maintenance: Option<bool>,
    pub allow: Option<Vec<IpRange>>,
    pub trusted_proxies: Option<Vec<IpRange>>,
}

impl From<HttpSection> for DeclaredHttp {
    fn from(section: HttpSection) -> Self {
        let HttpSection {
            max_body,
            request_timeout,
            response_timeout,
            buffer_requests,
            compression,
            sticky,
            server_timing,
            hold_timeout,
            hold_requests,
            access_log,
            maintenance,
            allow,
            trusted_proxies,
        } = section;
        Self {
            max_body,
            request_timeout,
            response_timeout,
            buffer_requests,
            compression,
            sticky,
            server_timing,
            hold_timeout,
            hold_requests,
            access_log,
            maintenance,
            allow,
            trusted_proxies,
        }
    }
}

/// How requests are written down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessLog {
    /// Not at all.
    #[default]
    Off,
    /// One JSON object a line.
    Json,
    /// The combined format of Apache's servers.
    Combined,
}

impl AccessLog {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Json => "json",
            Self::Combined => "combined",
        }
    }

    /// The format of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Off, Self::Json, Self::Combined].into_iter().find(|format| format.as_str() == word)
    }
}

impl HttpSection {
    /// Whether a body limit is one.
    pub fn is_max_body(bytes: u64) -> bool {
        BODIES.contains(&bytes)
    }

    /// Whether requests may wait that long.
    pub fn is_hold_timeout(timeout: Duration) -> bool {
        timeout > Duration::ZERO && timeout <= LONGEST_HOLD
    }

    /// Whether so many requests may wait.
    pub fn is_hold_requests(count: u32) -> bool {
        HELD.contains(&count)
    }
}

fn max_body<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match size_text::optional(deserializer)? {
        Some(bytes) if !HttpSection::is_max_body(bytes) => {
            Err(D::Error::custom(format!("a body limit is a size from 1k to 1t, like \"100m\", not {bytes}")))
        }
        bytes => Ok(bytes),
    }
}

fn hold_timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    match duration_text::optional(deserializer)? {
        Some(timeout) if !HttpSection::is_hold_timeout(timeout) => {
            Err(D::Error::custom("requests wait more than no time and at most 10m, like \"30s\""))
        }
        timeout => Ok(timeout),
    }
}

fn hold_requests<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let count = u32::deserialize(deserializer)?;
    if HttpSection::is_hold_requests(count) {
        return Ok(Some(count));
    }
    Err(D::Error::custom(format!("from 1 to 100000 requests can wait, not {count}")))
}

fn allow<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<IpRange>>, D::Error> {
    let ranges = Vec::<IpRange>::deserialize(deserializer)?;
    if ranges.len() > IpRange::MOST as usize {
        return Err(D::Error::custom(format!(
            "a list has at most {} ranges, not {}; join some",
            IpRange::MOST,
            ranges.len()
        )));
    }
    Ok(Some(ranges))
}

fn trusted_proxies<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<IpRange>>, D::Error> {
    let ranges = allow(deserializer)?.unwrap_or_default();
    let checked = ranges.into_iter().map(IpRange::check_trusted).collect::<Result<_, _>>();
    checked.map(Some).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_has_the_same_bounds_in_the_file_and_by_command() {
        for (text, good) in [("0s", false), ("1ms", true), ("10m", true), ("10m1s", false), ("24h", false)] {
            let read = toml::from_str::<HttpSection>(&format!("hold_timeout = '{text}'"));
            assert_eq!(read.is_ok(), good, "{text}: {read:?}");
            assert_eq!(HttpSection::is_hold_timeout(crate::parse_duration(text).unwrap()), good, "{text}");
        }
    }

    #[test]
    fn what_a_release_keeps_of_it_reads_back() {
        let text =
            "max_body = '5m'\nhold_timeout = '1500ms'\naccess_log = 'combined'\nallow = ['10.0.0.0/8']";
        let section: HttpSection = toml::from_str(text).unwrap();
        let declared = DeclaredHttp::from(section);
        let json = serde_json::to_string(&declared).unwrap();
        assert_eq!(serde_json::from_str::<DeclaredHttp>(&json).unwrap(), declared);
        assert_eq!(
            (declared.max_body, declared.hold_timeout),
            (Some(5 << 20), Some(Duration::from_millis(1500)))
        );
        assert_eq!(
            serde_json::from_str::<DeclaredHttp>(r#"{"of": "later"}"#).unwrap(),
            DeclaredHttp::default()
        );
    }
}
