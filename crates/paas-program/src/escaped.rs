use std::fmt;

/// How many characters of outside text an error shows.
const SHOWN: usize = 60;

/// Outside text made fit for one line of a terminal: control and invisible characters escaped, cut short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escaped(String);

impl Escaped {
    /// The text as it may be shown.
    pub fn of(text: &str) -> Self {
        let mut shown: String = text.chars().take(SHOWN).flat_map(escape).collect();
        if text.chars().nth(SHOWN).is_some() {
            shown.push('…');
        }
        Self(shown)
    }
}

/// Letters of any script stay readable; what could steer a terminal or turn the text round does not reach it.
fn escape(c: char) -> impl Iterator<Item = char> {
    let plain = c.is_alphanumeric() || c == ' ' || c.is_ascii_graphic();
    let escaped = (!plain).then(|| c.escape_default());
    plain.then_some(c).into_iter().chain(escaped.into_iter().flatten())
}

impl fmt::Display for Escaped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_gets_through() {
        assert_eq!(Escaped::of("a\x1b[2J\n\0\u{202e}b").to_string(), "a\\u{1b}[2J\\n\\u{0}\\u{202e}b");
        assert_eq!(Escaped::of("größe 東京").to_string(), "größe 東京");
    }

    #[test]
    fn long_text_is_cut() {
        let shown = Escaped::of(&"x".repeat(1 << 20)).to_string();
        assert_eq!(shown, format!("{}…", "x".repeat(SHOWN)));
    }
}
