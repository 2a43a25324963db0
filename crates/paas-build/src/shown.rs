/// A path out of a tree, fit for a message: what is not UTF-8 is replaced and control characters are escaped, since a hostile name must not
/// be able to write to the reader's terminal.
pub(crate) fn shown(path: &[u8]) -> String {
    let mut text = String::new();
    for c in String::from_utf8_lossy(path).chars() {
        if c.is_control() { text.extend(c.escape_default()) } else { text.push(c) }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(shown(b"a\x1b[31m\n/\xffb \xc3\xbc"), "a\\u{1b}[31m\\n/\u{fffd}b ü");
    }
}
