//! `.env` files: what `config` prints and `config:import` reads. What is printed reads back byte for byte.

use std::collections::BTreeMap;

use paas_domain::{ConfigKey, NameError, Secret};
use thiserror::Error;

/// Why a list of config vars cannot be read. It never shows a value.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum DotenvError {
    #[error("line {line}: there is no `=`; a line is KEY=value")]
    NoEquals { line: usize },
    #[error("line {line}: {source}")]
    Key { line: usize, source: NameError },
    #[error("line {line}: the quote {quote} is never closed")]
    Unclosed { line: usize, quote: char },
    #[error("line {line}: something follows the closing quote")]
    AfterQuote { line: usize },
}

/// Reads `KEY=value` lines: `#` comments, `export ` before a key, values bare (to the end of the line, or to ` #`), in single quotes (as they
/// are) or in double quotes (`\n`, `\r`, `\t`, `\"`, `\\`, `\$` mean what they say). Quoted values may span lines. The last of two wins.
pub(crate) fn parse(text: &str) -> Result<BTreeMap<ConfigKey, Secret>, DotenvError> {
    let mut vars = BTreeMap::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    while !rest.is_empty() {
        let (head, tail) = rest.split_once('\n').unwrap_or((rest, ""));
        let content = head.trim();
        if content.is_empty() || content.starts_with('#') {
            rest = tail;
            line += 1;
            continue;
        }
        let (key, _) = head.split_once('=').ok_or(DotenvError::NoEquals { line })?;
        let value = &rest[key.len() + 1..];
        let key = key.trim();
        let key = ConfigKey::new(key.strip_prefix("export ").map_or(key, str::trim))
            .map_err(|source| DotenvError::Key { line, source })?;
        let (value, after) = read_value(value, line)?;
        let taken = rest.len() - after.len();
        line += rest[..taken].matches('\n').count();
        rest = after;
        vars.insert(key, Secret::new(value));
    }
    Ok(vars)
}

/// A value and what follows its line.
fn read_value(text: &str, line: usize) -> Result<(String, &str), DotenvError> {
    let start = text.trim_start_matches([' ', '\t']);
    let Some(quote @ ('\'' | '"')) = start.chars().next() else {
        let (head, tail) = start.split_once('\n').unwrap_or((start, ""));
        let bare = head.split_once(" #").map_or(head, |(bare, _)| bare);
        return Ok((bare.trim_end().to_owned(), tail));
    };
    let mut value = String::new();
    let mut chars = start.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => {
                let (head, tail) = start[at + 1..].split_once('\n').unwrap_or((&start[at + 1..], ""));
                let trailing = head.trim();
                if !trailing.is_empty() && !trailing.starts_with('#') {
                    return Err(DotenvError::AfterQuote { line });
                }
                return Ok((value, tail));
            }
            '\\' if quote == '"' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, 't')) => value.push('\t'),
                Some((_, escaped @ ('"' | '\\' | '$'))) => value.push(escaped),
                Some((_, other)) => value.extend(['\\', other]),
                None => break,
            },
            c => value.push(c),
        }
    }
    Err(DotenvError::Unclosed { line, quote })
}

/// The value as [`parse`] reads it back.
pub(crate) fn quote(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@,+%=".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('"');
    for c in value.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '"' | '\\' | '$' => quoted.extend(['\\', c]),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> String {
        parse(text).unwrap().into_values().next().unwrap().expose().to_owned()
    }

    #[test]
    fn files_as_people_write_them_are_read() {
        let text = "# a comment\n\nexport A=1\nB = two words # remark\nC='as $is \\n'\nD=\"a\\nb\\\"\\$x\"\nE=\nF=\"two\nlines\"\nG=x=y#z\r\n";
        let vars = parse(text).unwrap();
        let values: Vec<_> = vars.iter().map(|(key, value)| format!("{key}={}", value.expose())).collect();
        assert_eq!(
            values,
            ["A=1", "B=two words", "C=as $is \\n", "D=a\nb\"$x", "E=", "F=two\nlines", "G=x=y#z"]
        );
    }

    #[test]
    fn mistakes_are_named_by_line_without_the_value() {
        assert_eq!(parse("A=1\nsecret-value").unwrap_err(), DotenvError::NoEquals { line: 2 });
        assert_eq!(parse("A='1\n2'\nB=\"x").unwrap_err(), DotenvError::Unclosed { line: 3, quote: '"' });
        assert_eq!(parse("A='1' x").unwrap_err(), DotenvError::AfterQuote { line: 1 });
        assert!(matches!(parse("1A=x").unwrap_err(), DotenvError::Key { line: 1, .. }));
    }

    #[test]
    fn what_is_printed_reads_back() {
        for value in
            ["", "plain", "a b", "new\nline\r\n", "q\"'`$HOME\\", "#x", " lead", "tab\t", "ünï", "a=b", "\\n"]
        {
            assert_eq!(one(&format!("K={}", quote(value))), value, "{value:?}");
        }
    }
}
