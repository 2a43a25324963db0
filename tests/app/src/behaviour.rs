//! The switches of the app, read once at start.

use std::collections::BTreeMap;
use std::time::Duration;

/// `key=value` lines of the file `/behaviour` (or of `$BEHAVIOUR_FILE`); `$APP_<KEY>` in the environment wins.
///
/// | key | meaning |
/// |---|---|
/// | `version` | what `/` answers |
/// | `up` | the status of `/up`, or `redirect` |
/// | `start_lines` | lines printed at start, separated by `\|` |
/// | `print_secret` | name of an environment variable whose value is printed at start |
/// | `exit_at_once` | end with this code before listening |
/// | `never_listen` | `1`: run, but never listen |
/// | `listen_on` | the address to listen on instead of 0.0.0.0 |
/// | `start_delay_ms` | wait before listening |
/// | `listen_when` | wait before listening until this file is there |
/// | `lock` | take an exclusive lock on this file of the volume for life; end with code 9 when somebody has it |
/// | `worker_exit` | the worker ends with this code |
/// | `worker_delay_ms` | …after this long |
/// | `release_exit` | the code of the release command |
/// | `release_ms` | how long the release command takes |
#[derive(Debug, Clone, Default)]
pub(crate) struct Behaviour {
    switches: BTreeMap<String, String>,
}

impl Behaviour {
    /// Reads the file; one that is missing means no switch is set.
    pub(crate) fn load() -> Self {
        let path = std::env::var("BEHAVIOUR_FILE").unwrap_or_else(|_| "/behaviour".to_owned());
        Self::parse(&std::fs::read_to_string(path).unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let switches = pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect();
        Self { switches }
    }

    /// The text of a switch, if it is set.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let from_env = std::env::var(format!("APP_{}", key.to_uppercase())).ok();
        from_env.or_else(|| self.switches.get(key).cloned())
    }

    /// Whether a switch is set to `1`.
    pub(crate) fn is_on(&self, key: &str) -> bool {
        self.text(key).as_deref() == Some("1")
    }

    /// An exit code, if the switch is set to one.
    pub(crate) fn code(&self, key: &str) -> Option<u8> {
        self.text(key)?.parse().ok()
    }

    /// A time in milliseconds; nothing set is no time.
    pub(crate) fn millis(&self, key: &str) -> Duration {
        let millis = self.text(key).and_then(|text| text.parse().ok()).unwrap_or(0);
        Duration::from_millis(millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_switches_and_ignores_other_lines() {
        let behaviour =
            Behaviour::parse("version = 2\n# a comment\nnever_listen=1\nexit_at_once=3\nstart_delay_ms=40\n");
        assert_eq!(behaviour.text("version").as_deref(), Some("2"));
        assert!(behaviour.is_on("never_listen"));
        assert!(!behaviour.is_on("version"));
        assert_eq!(behaviour.code("exit_at_once"), Some(3));
        assert_eq!(behaviour.millis("start_delay_ms"), Duration::from_millis(40));
        assert_eq!(behaviour.millis("absent"), Duration::ZERO);
    }
}
