use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, header::FORWARDED};

/// One hop of `Forwarded` (RFC 7239, 4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) node: Option<String>,
    pub(super) proto: Option<String>,
    pub(super) host: Option<String>,
}

/// The hops in the order in which they were gone. `None` when a field is none, or there is none: half of what was meant would be
/// something else.
pub(super) fn elements(headers: &HeaderMap) -> Option<Vec<Element>> {
    let mut all = Vec::new();
    for field in headers.get_all(FORWARDED) {
        for text in split(field.to_str().ok()?, ',') {
            all.push(element(text)?);
        }
    }
    (!all.is_empty()).then_some(all)
}

fn element(text: &str) -> Option<Element> {
    let mut element = Element::default();
    for pair in split(text, ';') {
        let (name, value) = pair.split_once('=')?;
        // Also of what is not asked for: an open quote takes in the hops that others added behind it.
        let (name, value) = (HeaderName::from_bytes(name.as_bytes()).ok()?, unquoted(value)?);
        let place = match name.as_str() {
            "for" => &mut element.node,
            "proto" => &mut element.proto,
            "host" => &mut element.host,
            _ => continue,
        };
        if place.replace(value).is_some() {
            return None;
        }
    }
    Some(element)
}

/// The parts between separators that do not stand in quotes, without the space around.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character: char| {
        let separates = character == separator && !quoted;
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && character == '\\' && !escaped;
        separates
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}

/// A token, or what a quoted string says (RFC 9110, 5.6.4).
fn unquoted(value: &str) -> Option<String> {
    let Some(begun) = value.strip_prefix('"') else {
        return (!value.is_empty() && !value.contains('"')).then(|| value.to_owned());
    };
    let mut text = String::new();
    let mut characters = begun.strip_suffix('"')?.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.push(characters.next()?),
            '"' => return None,
            other => text.push(other),
        }
    }
    Some(text)
}

/// The address of a hop, with or without its port: `192.0.2.7`, `192.0.2.7:80`, `2001:db8::1`, `[2001:db8::1]:80`.
pub(super) fn address(node: &str) -> Option<IpAddr> {
    let bracketed = || node.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || node.parse::<SocketAddr>().ok().map(|address| address.ip());
    node.parse().ok().or_else(with_port).or_else(bracketed).map(|address: IpAddr| address.to_canonical())
}

/// An address as `for=` has it.
pub(super) fn node(address: Option<IpAddr>) -> String {
    match address {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => format!("\"[{address}]\""),
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_quoted_is_read_back(texts in prop::collection::vec("[ -~]{1,20}", 1..5)) {
            let quoted = |text: &String| format!("for=\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            let field = texts.iter().map(quoted).collect::<Vec<_>>().join(", ");
            let headers = HeaderMap::from_iter([(FORWARDED, HeaderValue::from_str(&field).unwrap())]);
            let read = elements(&headers).unwrap().into_iter().map(|element| element.node.unwrap());
            prop_assert_eq!(read.collect::<Vec<_>>(), texts);
        }

        #[test]
        fn nothing_a_client_writes_is_too_strange(field in "[ -~]{0,60}") {
            let headers = HeaderMap::from_iter([(FORWARDED, HeaderValue::from_str(&field).unwrap())]);
            for element in elements(&headers).unwrap_or_default() {
                address(element.node.as_deref().unwrap_or_default());
            }
        }
    }

    fn read(field: &'static str) -> Option<Vec<Element>> {
        elements(&HeaderMap::from_iter([(FORWARDED, HeaderValue::from_static(field))]))
    }

    #[test]
    fn hops_are_read_with_their_quotes() {
        let hops = read(
            r#"for="[2001:db8::1]:47";Proto=https;host="a.test:8443", FOR=192.0.2.43; by=x,for="_a\"b,;""#,
        )
        .unwrap();
        assert_eq!(hops.len(), 3);
        assert_eq!(hops[0].node.as_deref(), Some("[2001:db8::1]:47"));
        assert_eq!(hops[0].proto.as_deref(), Some("https"));
        assert_eq!(hops[0].host.as_deref(), Some("a.test:8443"));
        assert_eq!(hops[1], Element { node: Some("192.0.2.43".to_owned()), ..Element::default() });
        assert_eq!(hops[2].node.as_deref(), Some("_a\"b,;"));
    }

    #[test]
    fn what_is_not_understood_is_not_believed() {
        for field in [
            "",
            "for",
            "for=\"1.2.3.4",
            "for=1.2.3.4;for=5.6.7.8",
            "for=",
            "for=a\"b\"",
            "for=1.1.1.1, x",
            "\", for=1.1.1.1",
            "x=\", for=1.1.1.1",
        ] {
            assert_eq!(read(field), None, "{field}");
        }
    }

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        for (text, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7:80", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
        ] {
            assert_eq!(address(text), Some(expected.parse().unwrap()), "{text}");
        }
        for text in ["unknown", "_hidden", "", "192.0.2", "192.0.2.7:", "a.test"] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
