use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Hostname, NameError, RoutePath};

const RULE: &str = "use a hostname with a path, like example.com/blog, without a scheme or a port";

/// A path below a hostname that leads to an app, whichever app the rest of the hostname leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PathRoute {
    /// The hostname; a wildcard's only where a repository says it of all hostnames of its app.
    pub host: Hostname,
    /// The path: it takes itself and what is below it, in whole segments. The longest wins.
    pub path: RoutePath,
    /// Whether the app gets the path without this part of it.
    #[serde(default)]
    pub strip: bool,
}

impl PathRoute {
    /// Reads `example.com/blog`. One `/` at the end does not matter.
    pub fn parse(text: &str, strip: bool) -> Result<Self, NameError> {
        let wrong = || NameError::new("a route", text, RULE);
        let (host, _) = text.split_once('/').ok_or_else(wrong)?;
        let path = text.get(host.len()..).ok_or_else(wrong)?;
        let host = Hostname::new(host)?;
        if host.is_wildcard() {
            return Err(wrong());
        }
        Ok(Self { host, path: RoutePath::new(path.strip_suffix('/').unwrap_or(path))?, strip })
    }

    /// Whether the other is this path or below it.
    pub fn covers(&self, other: &Self) -> bool {
        let below = other.path.as_str().strip_prefix(self.path.as_str());
        self.host == other.host && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for PathRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.host, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_covers_itself_and_whole_segments_below_it() {
        let route = |text: &str| PathRoute::parse(text, false).unwrap();
        for (other, covered) in
            [("a.org/x", true), ("a.org/x/y", true), ("a.org/xy", false), ("b.org/x", false)]
        {
            assert_eq!(route("a.org/x").covers(&route(other)), covered, "{other}");
        }
        assert!(!route("a.org/x/y").covers(&route("a.org/x")));
    }

    #[test]
    fn a_route_is_a_hostname_and_a_path() {
        for (text, route) in [
            ("example.com/blog", "example.com/blog"),
            ("Example.COM/Blog/", "example.com/Blog"),
            ("example.com/a/b%20c", "example.com/a/b%20c"),
        ] {
            assert_eq!(PathRoute::parse(text, true).unwrap().to_string(), route);
        }
        for bad in [
            "example.com",
            "example.com/",
            "/blog",
            "http://example.com/blog",
            "example.com:80/blog",
            "*.example.com/blog",
            "example.com/a//b",
            "example.com/../b",
            "example.com/a?b",
            "example.com/a b",
            "example.com/a\\b",
            "example.com/blog//",
        ] {
            assert!(PathRoute::parse(bad, false).is_err(), "{bad}");
        }
    }
}
