//! `[[redirects]]` and `[[routes]]` of a manifest: what is done at hostnames. Whether the app has them is not known here.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{Hostname, Misleading, Redirect, RedirectStatus, RoutePath};

/// More of a kind than one app needs. Each is compared with all others.
const MOST: usize = 100;

/// A path of the app's hostnames, as a repository asks for it. A type of its own: what is stored is read leniently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredRoute {
    /// The hostname, never a wildcard; `None` is every one of the app.
    #[serde(default)]
    pub host: Option<Hostname>,
    /// The path: it takes itself and what is below it, in whole segments.
    pub path: RoutePath,
    /// Whether the app gets the path without this part of it.
    #[serde(default)]
    pub strip: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RedirectSection {
    host: Hostname,
    to: Hostname,
    #[serde(default)]
    status: RedirectStatus,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteSection {
    host: Option<Hostname>,
    path: RoutePath,
    #[serde(default)]
    strip: bool,
}

pub(crate) fn redirects<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Redirect>, D::Error> {
    let sections = bounded::<RedirectSection, D>(deserializer, "[[redirects]]")?;
    let redirect = |RedirectSection { host, to, status }| Redirect { host, to, status };
    let redirects: Vec<Redirect> = sections.into_iter().map(redirect).collect();
    let mut seen = HashSet::new();
    for redirect in &redirects {
        let Redirect { host, to, .. } = redirect;
        if to.is_wildcard() {
            return Err(D::Error::custom(format!(
                "[[redirects]] {to} is no hostname that visitors could be sent to; use one hostname, like www.example.org"
            )));
        }
        if !seen.insert(host) {
            return Err(D::Error::custom(format!(
                "[[redirects]] {host} is redirected twice, and can lead to one place only; name it once"
            )));
        }
        // Who has a name below a wildcard is not known here.
        match redirect.misleads(&redirects, |_| true) {
            Some(Misleading::Back) => {
                return Err(D::Error::custom(format!(
                    "[[redirects]] the redirect from {host} to {to} leads back to {host}; send visitors to a hostname that stays where it is"
                )));
            }
            Some(Misleading::TooFar) => {
                return Err(D::Error::custom(format!(
                    "[[redirects]] the redirect from {host} to {to} is the first of more than 10 in a row, which browsers may not follow; send visitors straight to where they end"
                )));
            }
            None => {}
        }
    }
    Ok(redirects)
}

pub(crate) fn routes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<DeclaredRoute>, D::Error> {
    let mut routes: Vec<DeclaredRoute> = Vec::new();
    for RouteSection { host, path, strip } in bounded::<RouteSection, D>(deserializer, "[[routes]]")? {
        if let Some(host) = host.as_ref().filter(|host| host.is_wildcard()) {
            return Err(D::Error::custom(format!(
                "[[routes]] {host} is no single hostname; without `host` a path is one of all the app's hostnames"
            )));
        }
        if routes.iter().any(|route| route.host == host && route.path == path) {
            let host = host.map(String::from).unwrap_or_default();
            return Err(D::Error::custom(format!("[[routes]] {host}{path} is named twice; name it once")));
        }
        routes.push(DeclaredRoute { host, path, strip });
    }
    Ok(routes)
}

fn bounded<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    name: &str,
) -> Result<Vec<T>, D::Error> {
    let sections = Vec::<T>::deserialize(deserializer)?;
    if sections.len() > MOST {
        return Err(D::Error::custom(format!("{name} has at most {MOST} entries, not {}", sections.len())));
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use crate::Manifest;

    #[test]
    fn what_is_done_at_hostnames_is_read() {
        let text = r#"
            [[redirects]]
            host = "WWW.example.com"
            to = "example.com"
            [[redirects]]
            host = "old.example.com"
            to = "www.example.com"
            status = 302
            [[routes]]
            path = "/api"
            strip = true
            [[routes]]
            host = "example.com"
            path = "/api"
        "#;
        let manifest = Manifest::parse(text).unwrap();
        let redirects: Vec<_> = manifest
            .redirects
            .iter()
            .map(|one| (one.host.as_str(), one.to.as_str(), one.status.code()))
            .collect();
        assert_eq!(
            redirects,
            [("www.example.com", "example.com", 308), ("old.example.com", "www.example.com", 302)]
        );
        let routes: Vec<_> = manifest
            .routes
            .iter()
            .map(|one| (one.host.as_ref().map(super::Hostname::as_str), one.path.as_str(), one.strip))
            .collect();
        assert_eq!(routes, [(None, "/api", true), (Some("example.com"), "/api", false)]);
    }

    #[test]
    fn mistakes_are_sentences_with_a_line() {
        let redirect = |host: &str, to: &str| format!("[[redirects]]\nhost = \"{host}\"\nto = \"{to}\"\n");
        let two = |first: (&str, &str), second: (&str, &str)| {
            redirect(first.0, first.1) + &redirect(second.0, second.1)
        };
        for (text, line, expected) in [
            (redirect("a_b.org", "b.org"), Some(2), "is not a hostname"),
            (redirect("a.org", "http://b.org"), Some(3), "is not a hostname"),
            (redirect("a.org", "*.b.org"), Some(1), "could be sent to"),
            (redirect("a.org", "a.org"), Some(1), "leads back to a.org"),
            (two(("a.org", "b.org"), ("b.org", "a.org")), Some(1), "leads back to a.org"),
            (two(("a.org", "b.org"), ("a.org", "c.org")), Some(1), "a.org is redirected twice"),
            (
                (0..=10).map(|n| redirect(&format!("h{n}.org"), &format!("h{}.org", n + 1))).collect(),
                Some(1),
                "from h0.org to h1.org is the first of more than 10 in a row",
            ),
            (redirect("a.org", "b.org") + "status = 303", Some(4), "use 308 or 301 for good"),
            (redirect("a.org", "b.org") + "code = 301", Some(4), "`status`"),
            ("[[redirects]]\nhost = \"a.org\"".to_owned(), Some(1), "missing field `to`"),
            ("[redirects]\nhost = \"a.org\"".to_owned(), Some(1), "a sequence"),
            (
                (0..=100).map(|n| redirect(&format!("h{n}.org"), "b.org")).collect(),
                Some(1),
                "[[redirects]] has at most 100 entries, not 101",
            ),
            (
                (0..=100).map(|n| format!("[[routes]]\npath = \"/{n}\"\n")).collect::<Vec<_>>().concat(),
                Some(1),
                "[[routes]] has at most 100 entries, not 101",
            ),
            ("[[routes]]\npath = \"api\"".to_owned(), Some(2), "use a path like /blog"),
            ("[[routes]]\npath = \"/\"".to_owned(), Some(2), "domains:add"),
            ("[[routes]]\nstrip = true".to_owned(), Some(1), "missing field `path`"),
            ("[[routes]]\nhost = \"*.a.org\"\npath = \"/x\"".to_owned(), Some(1), "all the app's hostnames"),
            (
                "[[routes]]\npath = \"/x\"\n[[routes]]\npath = \"/x\"\nstrip = true".to_owned(),
                Some(1),
                "/x is named twice",
            ),
        ] {
            let error = Manifest::parse(&text).unwrap_err();
            let shown = error.to_string();
            assert!(shown.contains(expected), "{text:?} gave {shown}");
            assert_eq!(error.line(), line, "{text:?} gave {shown}");
        }
    }
}
