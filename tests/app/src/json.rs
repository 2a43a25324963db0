//! Just enough JSON (RFC 8259) to be read by the tests.

use crate::request::Request;

/// The environment as an object.
pub(crate) fn environment() -> String {
    let pairs = std::env::vars_os()
        .map(|(key, value)| (key.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
    object(pairs)
}

/// The headers as they arrived, as an array of pairs.
pub(crate) fn headers(request: &Request) -> String {
    let pairs: Vec<_> =
        request.headers.iter().map(|(name, value)| format!("[{},{}]", string(name), string(value))).collect();
    format!("[{}]", pairs.join(","))
}

/// Who answers: the container, the release, the process.
pub(crate) fn identity(version: &str) -> String {
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    let hostname = std::fs::read_to_string("/etc/hostname").unwrap_or_else(|_| of("HOSTNAME"));
    object(
        [
            ("hostname", hostname.trim().to_owned()),
            ("app", of("PAAS_APP")),
            ("release", of("PAAS_RELEASE")),
            ("process", of("PAAS_PROCESS")),
            ("version", version.trim().to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    )
}

fn object(pairs: impl IntoIterator<Item = (String, String)>) -> String {
    let members: Vec<_> =
        pairs.into_iter().map(|(key, value)| format!("{}:{}", string(&key), string(&value))).collect();
    format!("{{{}}}", members.join(","))
}

fn string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            control if control < ' ' => quoted.extend(format!("\\u{:04x}", u32::from(control)).chars()),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_must_be_escaped() {
        assert_eq!(string("a\"b\\c\nd$é"), r#""a\"b\\c\u000ad$é""#);
    }
}
