use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::Secret;

/// Shorter values are left alone: masking every `1` or `true` would hide the log and tell nothing.
const SHORTEST: usize = 6;

/// Longer values are only looked for as they are: nobody prints a certificate URL-encoded, and every form costs memory.
const LONGEST_ENCODED: usize = 1 << 10;

/// Values of config vars that are words of the trade, not secrets.
const WORDS: [&str; 8] =
    ["production", "development", "staging", "disable", "require", "enabled", "disabled", "localhost"];

/// Replaces known secret values in text that people will see. A value is also found base64- and URL-encoded, and each line of a multi-line
/// value counts as a value, because output is masked line by line.
#[derive(Clone, Debug, Default)]
pub struct Masker(Needles);

#[derive(Clone, Debug, Default)]
enum Needles {
    #[default]
    None,
    Some(Arc<AhoCorasick>),
    /// Too many values to search for: nothing can be shown.
    Everything,
}

impl Masker {
    /// Knows these values. What is shorter than six bytes or a plain word such as `production` is not masked.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut needles: Vec<String> = Vec::new();
        for value in values {
            let whole = value.expose();
            for part in whole.lines().map(str::trim).chain([whole]).filter(|part| is_secret(part)) {
                needles.push(part.to_owned());
                if part.len() <= LONGEST_ENCODED {
                    let encoded = STANDARD.encode(part);
                    needles.push(encoded.trim_end_matches('=').to_owned());
                    needles.push(percent_encode(part));
                }
            }
        }
        needles.sort_unstable();
        needles.dedup();
        if needles.is_empty() {
            return Self::default();
        }
        // By default a few long values would become a table of hundreds of megabytes.
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::LeftmostLongest).kind(Some(AhoCorasickKind::ContiguousNFA));
        match builder.build(&needles) {
            Ok(automaton) => Self(Needles::Some(Arc::new(automaton))),
            Err(_) => Self(Needles::Everything),
        }
    }

    /// The text with every known value replaced.
    pub fn mask(&self, text: &str) -> String {
        let needles = match &self.0 {
            Needles::None => return text.to_owned(),
            Needles::Everything => return "[hidden]".to_owned(),
            Needles::Some(needles) => needles,
        };
        let mut masked = String::with_capacity(text.len());
        needles.replace_all_with(text, &mut masked, |_, _, out| {
            out.push_str("[hidden]");
            true
        });
        masked
    }
}

fn is_secret(value: &str) -> bool {
    value.len() >= SHORTEST && !WORDS.contains(&value)
}

/// RFC 3986 §2.1: everything but unreserved characters.
fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masker(values: &[&str]) -> Masker {
        let values: Vec<Secret> = values.iter().map(|v| Secret::new(*v)).collect();
        Masker::new(&values)
    }

    #[test]
    fn known_values_are_hidden_in_every_spelling() {
        let masker = masker(&["s3cr&t/value", "line one x\nline two y"]);
        assert_eq!(masker.mask("a s3cr&t/value b"), "a [hidden] b");
        assert_eq!(masker.mask("u=s3cr%26t%2Fvalue"), "u=[hidden]");
        assert_eq!(masker.mask(&STANDARD.encode("s3cr&t/value")), "[hidden]");
        assert_eq!(masker.mask("line two y"), "[hidden]");
    }

    #[test]
    fn words_and_short_values_stay_readable() {
        let masker = masker(&["production", "1", "true"]);
        assert_eq!(masker.mask("production mode 1 true"), "production mode 1 true");
    }

    #[test]
    fn long_values_are_hidden_and_cost_little() {
        let value: String =
            (0..16_384).map(|n: u32| char::from(b'a' + u8::try_from(n * 7 % 26).unwrap())).collect();
        let masker = masker(&[&value]);
        assert_eq!(masker.mask(&format!("key={value}.")), "key=[hidden].");
        let Needles::Some(automaton) = &masker.0 else { panic!("no automaton") };
        assert!(automaton.memory_usage() < 2 << 20, "{} bytes", automaton.memory_usage());
    }

    #[test]
    fn the_longest_value_wins() {
        assert_eq!(masker(&["abcdef", "abcdefgh"]).mask("abcdefgh"), "[hidden]");
    }
}
