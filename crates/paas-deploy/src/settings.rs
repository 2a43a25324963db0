use std::path::PathBuf;

use paas_domain::{AppName, Hostname};

/// What the deploys of one server need to know about it.
#[derive(Debug, Clone)]
pub struct DeploySettings {
    /// Every app answers at `<app>.<domain>`.
    pub domain: String,
    /// The port people see in a URL without TLS; left out when it is 80.
    pub public_port: u16,
    /// The port people see in a URL with TLS; left out when it is 443. `None` when nobody listens for TLS.
    pub https_port: Option<u16>,
    /// Where paas keeps its data; checked for free space.
    pub data: PathBuf,
    /// A build is refused while less than this is free, in bytes.
    pub min_free: u64,
    /// How many releases of an app keep their image.
    pub keep_releases: usize,
}

impl DeploySettings {
    /// The hostname every app has without asking; `None` when name and domain together are not one.
    pub fn default_host(&self, app: &AppName) -> Option<Hostname> {
        Hostname::of_app(app, &self.domain)
    }

    /// Whether the hostname is kept for another app: the name that one has, or would have, without asking.
    pub fn is_default_host_of_another(&self, host: &Hostname, app: &AppName) -> bool {
        let label = host.as_str().strip_suffix(self.domain.as_str()).and_then(|rest| rest.strip_suffix('.'));
        label.is_some_and(|label| !label.contains('.') && label != app.as_str())
    }

    /// The URL of a hostname; with `secure` the one of HTTPS, where that is listened for.
    pub fn url(&self, host: &Hostname, secure: bool) -> String {
        let (scheme, port, usual) = match self.https_port.filter(|_| secure) {
            Some(port) => ("https", port, 443),
            None => ("http", self.public_port, 80),
        };
        if port == usual { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_show_the_port_only_when_it_is_not_the_usual_one() {
        let mut settings = DeploySettings {
            domain: "example.org".into(),
            public_port: 80,
            https_port: Some(443),
            data: "/var/lib/paas".into(),
            min_free: 0,
            keep_releases: 5,
        };
        let host = settings.default_host(&AppName::new("blog").unwrap()).unwrap();
        assert_eq!(settings.url(&host, false), "http://blog.example.org");
        assert_eq!(settings.url(&host, true), "https://blog.example.org");
        settings.public_port = 8080;
        settings.https_port = Some(8443);
        assert_eq!(settings.url(&host, false), "http://blog.example.org:8080");
        assert_eq!(settings.url(&host, true), "https://blog.example.org:8443");
        settings.https_port = None;
        assert_eq!(settings.url(&host, true), "http://blog.example.org:8080");
    }
}
