use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, Ipv6Addr},
};

/// The longest name DNS knows (RFC 1035, 2.3.4).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// A host as requests are routed by it: lower case, without port and without the root's dot. IPv6 literals are in their
/// canonical text, without brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host<'a>(Cow<'a, str>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a hostname")]
pub(crate) struct InvalidHost;

impl<'a> Host<'a> {
    /// Reads a `Host` field or an authority: `name[:port]`, `[ipv6][:port]` (RFC 9110, 7.2; RFC 3986, 3.2.2).
    pub(crate) fn parse(authority: &'a str) -> Result<Self, InvalidHost> {
        if let Some(rest) = authority.strip_prefix('[') {
            let (literal, port) = rest.split_once(']').ok_or(InvalidHost)?;
            check_port(port.strip_prefix(':').or(port.is_empty().then_some("")).ok_or(InvalidHost)?)?;
            let address: Ipv6Addr = literal.parse().map_err(|_| InvalidHost)?;
            return Ok(Self(Cow::Owned(address.to_string())));
        }
        let (name, port) = authority.split_once(':').unwrap_or((authority, ""));
        check_port(port)?;
        Self::name(name.strip_suffix('.').unwrap_or(name))
    }

    fn name(name: &'a str) -> Result<Self, InvalidHost> {
        check_name(name)?;
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Ok(Self(Cow::Owned(name.to_ascii_lowercase())));
        }
        Ok(Self(Cow::Borrowed(name)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an IP address.
    pub(crate) fn is_address(&self) -> bool {
        self.0.parse::<IpAddr>().is_ok()
    }

    /// What follows the first label: the key under which a wildcard is found.
    pub(crate) fn parent(&self) -> Option<&str> {
        self.0.split_once('.').map(|(_, parent)| parent)
    }
}

/// The host of a [`ServiceSpec`](crate::ServiceSpec): one host, or all hosts one label below a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostPattern {
    Exact(String),
    /// Holds what follows `*.`.
    Wildcard(String),
}

impl HostPattern {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidHost> {
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(Self::Exact(address.to_string()));
        }
        let (text, wildcard) = text.strip_prefix("*.").map_or((text, false), |rest| (rest, true));
        if text.contains(':') && !text.starts_with('[')
            || text.ends_with(':')
            || (wildcard && text.starts_with('['))
        {
            return Err(InvalidHost);
        }
        let host = Host::parse(text)?.0.into_owned();
        Ok(if wildcard { Self::Wildcard(host) } else { Self::Exact(host) })
    }

    /// Whether it stands for the host.
    pub(crate) fn takes(&self, host: &Host<'_>) -> bool {
        match self {
            Self::Exact(name) => name == host.as_str(),
            Self::Wildcard(parent) => host.parent() == Some(parent),
        }
    }
}

/// As it stands in a specification.
impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => f.write_str(host),
            Self::Wildcard(parent) => write!(f, "*.{parent}"),
        }
    }
}

fn check_port(port: &str) -> Result<(), InvalidHost> {
    let digits = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    if digits && (port.is_empty() || port.parse::<u16>().is_ok()) { Ok(()) } else { Err(InvalidHost) }
}

fn check_name(name: &str) -> Result<(), InvalidHost> {
    let label_ok = |label: &str| {
        !label.is_empty()
            && label.len() <= MAX_LABEL
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if name.len() <= MAX_NAME && name.split('.').all(label_ok) { Ok(()) } else { Err(InvalidHost) }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Option<String> {
        Host::parse(text).ok().map(|host| host.as_str().to_owned())
    }

    #[test]
    fn case_port_and_one_trailing_dot_do_not_matter() {
        for text in [
            "blog.example.com",
            "BLOG.Example.com",
            "blog.example.com:80",
            "blog.example.com.",
            "Blog.example.com.:8080",
        ] {
            assert_eq!(parsed(text).as_deref(), Some("blog.example.com"), "{text}");
        }
        assert_eq!(parsed("blog.example.com:").as_deref(), Some("blog.example.com"));
    }

    #[test]
    fn addresses_are_hosts() {
        assert_eq!(parsed("127.0.0.1:80").as_deref(), Some("127.0.0.1"));
        assert_eq!(parsed("[::1]:80").as_deref(), Some("::1"));
        assert_eq!(parsed("[0:0::1]").as_deref(), Some("::1"));
    }

    #[test]
    fn nonsense_is_refused() {
        let long = "a".repeat(64);
        for text in [
            "",
            ".",
            "a..b",
            "a.b..",
            "a b",
            "a/b",
            "a:b",
            "a:1:2",
            "a:65536",
            "a:+1",
            "[::1",
            "[::1]x",
            "[::g]",
            "::1",
            "é.de",
            "user@host",
            "a\0b",
            "*.a.b",
            &long,
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }

    #[test]
    fn patterns_are_hosts_or_wildcards() {
        assert_eq!(HostPattern::parse("A.b"), Ok(HostPattern::Exact("a.b".into())));
        assert_eq!(HostPattern::parse("*.A.b"), Ok(HostPattern::Wildcard("a.b".into())));
        assert_eq!(HostPattern::parse("[::1]"), Ok(HostPattern::Exact("::1".into())));
        assert_eq!(HostPattern::parse("::1"), Ok(HostPattern::Exact("::1".into())));
        for text in ["*", "*.", "a.*.b", "**.a", "a:80", "a:", "", "*.[::1]"] {
            assert!(HostPattern::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_canonical(text in "\\PC{0,80}") {
            if let Some(host) = parsed(&text) {
                prop_assert!(!host.bytes().any(|byte| byte.is_ascii_uppercase()));
                // An IPv6 address needs its brackets back to be read again.
                let again = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                prop_assert_eq!(parsed(&again), Some(host));
            }
        }

        #[test]
        fn every_spelling_of_a_name_is_one_host(
            name in "[a-z0-9]([a-z0-9-]{0,20})(\\.[a-z0-9_]{1,20}){0,4}", port in proptest::option::of(any::<u16>()), dot: bool, upper: bool,
        ) {
            let mut text = if upper { name.to_ascii_uppercase() } else { name.clone() };
            if dot { text.push('.'); }
            if let Some(port) = port { write!(text, ":{port}").unwrap(); }
            prop_assert_eq!(parsed(&text), Some(name));
        }
    }
}
