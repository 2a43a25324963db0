/// How many characters of an outside text one of our sentences takes in.
const SHOWN: usize = 240;

/// Outside text as part of one of our sentences: one line without control characters, cut short, without a full stop at its end.
pub(crate) fn plain(text: &str) -> String {
    let visible = |c: char| if c.is_control() || is_format(c) { ' ' } else { c };
    let spaced: String = text.chars().take(4 * SHOWN).map(visible).collect();
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = line.chars().take(SHOWN).collect();
    if shown.len() < line.len() {
        shown.push('…');
    }
    shown.trim_end_matches('.').to_owned()
}

/// Characters that are not seen but turn the text round them.
fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_text_becomes_part_of_one_line() {
        assert_eq!(plain("  no\x1b[2J\r\nway \u{202e}out. "), "no [2J way out");
        assert_eq!(plain(&"x".repeat(9999)).chars().count(), SHOWN + 1);
    }
}
