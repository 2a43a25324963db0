use std::fmt;

use paas_domain::AppName;
use thiserror::Error;

use crate::repository_path::{RepositoryPathError, app_of};
use paas_program::Escaped;

/// Where a git remote of ours leads: an app on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteUrl {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    app: AppName,
}

/// Why a URL is not a remote of ours.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RemoteUrlError {
    /// Neither `user@host:app` nor `ssh://user@host:port/app`.
    #[error("\"{shown}\" is not an ssh address; write paas@HOST:APP or ssh://paas@HOST:PORT/APP")]
    NotSsh {
        /// The URL, escaped and cut short.
        shown: String,
    },
    /// The host is not a host name or an IP address.
    #[error("\"{shown}\" is not a host name or an IP address")]
    Host {
        /// The host, escaped and cut short.
        shown: String,
    },
    /// The user is not a user's name.
    #[error("\"{shown}\" is not a user's name")]
    User {
        /// The user, escaped and cut short.
        shown: String,
    },
    /// The port is not a port.
    #[error("\"{shown}\" is not a port, 1 to 65535")]
    Port {
        /// The port, escaped and cut short.
        shown: String,
    },
    /// The path is not an app's name.
    #[error("{0}")]
    App(RepositoryPathError),
}

impl RemoteUrl {
    /// Reads what `git remote get-url` prints: the short form (`paas@host:blog`) or the URL (`ssh://paas@host:2222/blog`).
    pub fn parse(url: &str) -> Result<Self, RemoteUrlError> {
        let not_ssh = || RemoteUrlError::NotSsh { shown: Escaped::of(url).to_string() };
        let url = url.trim();
        let (place, path) = match url.split_once("://") {
            Some(("ssh" | "git+ssh" | "ssh+git", rest)) => {
                let slash = rest.find('/').ok_or_else(not_ssh)?;
                rest.split_at(slash)
            }
            Some(_) => return Err(not_ssh()),
            None => split_short(url).ok_or_else(not_ssh)?,
        };
        // The port of the short form is only ever inside brackets: `[host:2222]:blog`.
        let (user, place) = match place.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, place),
        };
        let (host, port) = split_port(place)?;
        Ok(Self {
            user: user.map(checked_user).transpose()?,
            host: checked_host(host)?,
            port,
            app: app_of(path).map_err(RemoteUrlError::App)?,
        })
    }

    /// A remote from its parts, checked as if it had been parsed. `host` is a host name or an IP address, without brackets.
    pub fn new(
        user: Option<&str>,
        host: &str,
        port: Option<u16>,
        app: AppName,
    ) -> Result<Self, RemoteUrlError> {
        Ok(Self { user: user.map(checked_user).transpose()?, host: checked_host(host)?, port, app })
    }

    /// The user to log in as; absent means that ssh decides.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The host's name or address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; absent means that ssh decides.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The app.
    pub fn app(&self) -> &AppName {
        &self.app
    }

    /// `user@host` as ssh wants it.
    pub(crate) fn destination(&self) -> String {
        match &self.user {
            Some(user) => format!("{user}@{}", self.host),
            None => self.host.clone(),
        }
    }
}

/// `user@host:path`, where the host may stand in brackets because of its colons.
fn split_short(url: &str) -> Option<(&str, &str)> {
    let bracket = url.find('[').and_then(|open| url[open..].find(']').map(|close| open + close));
    let colon = url[bracket.unwrap_or(0)..].find(':')? + bracket.unwrap_or(0);
    // With a slash before the colon it is a path on this machine, as for git.
    if url[..colon].contains('/') {
        return None;
    }
    let (place, path) = (&url[..colon], &url[colon + 1..]);
    // git takes `[user@host:port]:path` too.
    let whole =
        place.strip_prefix('[').and_then(|place| place.strip_suffix(']')).filter(|place| place.contains('@'));
    Some((whole.unwrap_or(place), path))
}

fn split_port(place: &str) -> Result<(&str, Option<u16>), RemoteUrlError> {
    if let Some(rest) = place.strip_prefix('[') {
        let (inside, after) = rest.split_once(']').ok_or_else(|| host_error(place))?;
        if after.is_empty() {
            return if inside.matches(':').count() == 1 { split_port(inside) } else { Ok((inside, None)) };
        }
        let port = after.strip_prefix(':').ok_or_else(|| host_error(place))?;
        return Ok((inside, parse_port(port)?));
    }
    match place.split_once(':') {
        None => Ok((place, None)),
        Some((_, rest)) if rest.contains(':') => Ok((place, None)),
        Some((host, port)) => Ok((host, parse_port(port)?)),
    }
}

fn parse_port(port: &str) -> Result<Option<u16>, RemoteUrlError> {
    if port.is_empty() {
        return Ok(None);
    }
    match port.parse::<u16>() {
        Ok(number) if number > 0 && port.bytes().all(|b| b.is_ascii_digit()) => Ok(Some(number)),
        _ => Err(RemoteUrlError::Port { shown: Escaped::of(port).to_string() }),
    }
}

fn checked_user(user: &str) -> Result<String, RemoteUrlError> {
    if is_word(user, "._-") {
        Ok(user.to_owned())
    } else {
        Err(RemoteUrlError::User { shown: Escaped::of(user).to_string() })
    }
}

/// A host name, or an address with its zone (`fe80::1%eth0`). What begins with `-` would be an option of ssh.
fn checked_host(host: &str) -> Result<String, RemoteUrlError> {
    let address = host.split('%').next().is_some_and(|address| address.parse::<std::net::IpAddr>().is_ok());
    let fits = if address { is_word(host, ".:%_-") || host.starts_with(':') } else { is_word(host, "._-") };
    let safe = host.chars().all(|c| c.is_ascii_alphanumeric() || ".:%_-".contains(c));
    if fits && safe { Ok(host.to_owned()) } else { Err(host_error(host)) }
}

fn is_word(text: &str, marks: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
}

fn host_error(host: &str) -> RemoteUrlError {
    RemoteUrlError::Host { shown: Escaped::of(host).to_string() }
}

impl fmt::Display for RemoteUrl {
    /// A URL that git understands and that parses back to the same remote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port {
            Some(port) => write!(f, "ssh://{user}{host}:{port}/{}", self.app),
            None => write!(f, "{user}{host}:{}", self.app),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(user: Option<&str>, host: &str, port: Option<u16>) -> RemoteUrl {
        RemoteUrl::new(user, host, port, AppName::new("blog").unwrap()).unwrap()
    }

    #[test]
    fn every_spelling_of_a_remote() {
        let paas = Some("paas");
        for (url, expected) in [
            ("paas@example.org:blog", remote(paas, "example.org", None)),
            ("paas@example.org:/blog.git", remote(paas, "example.org", None)),
            ("example:blog", remote(None, "example", None)),
            ("ssh://paas@example.org/blog", remote(paas, "example.org", None)),
            ("ssh://paas@example.org:2222/blog", remote(paas, "example.org", Some(2222))),
            ("ssh://paas@example.org:/~/blog", remote(paas, "example.org", None)),
            ("git+ssh://paas@192.0.2.1/blog", remote(paas, "192.0.2.1", None)),
            ("paas@[::1]:blog", remote(paas, "::1", None)),
            ("[paas@example.org:2222]:blog", remote(paas, "example.org", Some(2222))),
            ("paas@[example.org:2222]:blog", remote(paas, "example.org", Some(2222))),
            ("ssh://paas@[2001:db8::1]:2222/blog", remote(paas, "2001:db8::1", Some(2222))),
            ("ssh://[fe80::1%eth0]/blog", remote(None, "fe80::1%eth0", None)),
        ] {
            assert_eq!(RemoteUrl::parse(url).unwrap(), expected, "{url}");
            assert_eq!(RemoteUrl::parse(&expected.to_string()).unwrap(), expected, "{expected}");
        }
    }

    #[test]
    fn what_is_not_ours_or_would_be_an_option() {
        for url in [
            "",
            "blog",
            "/srv/blog",
            "./a:b",
            "https://example.org/blog",
            "file:///srv/blog",
            "ext::sh -c reboot",
            "git@github.com:someone/blog.git",
            "-oProxyCommand=reboot:blog",
            "paas@-oProxyCommand=reboot:blog",
            "ssh://-oProxyCommand=reboot/blog",
            "-x@host:blog",
            "paas@host:-x",
            "paas@ho st:blog",
            "paas@:blog",
            "ssh://paas@host",
            "ssh://paas@host:0/blog",
            "ssh://paas@host:99999/blog",
            "ssh://paas@host:+22/blog",
            "paas@[::1:blog",
            "a@b@host:blog\n",
            "pa:as@host:blog",
            "paas@host\u{202e}:blog",
        ] {
            let error = RemoteUrl::parse(url).expect_err(url).to_string();
            assert!(!error.contains(char::is_control), "{error}");
        }
    }
}
