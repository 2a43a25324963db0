use std::path::PathBuf;

use paas_domain::{AppName, Hostname};

/// What the deploys of one server need to know about it.
#[derive(Debug, Clone)]
pub struct DeploySettings {
    /// Every app answers at `<app>.<domain>`.
    pub domain: String,
    /// The port people see in a URL; left out when it is 80.
    pub public_port: u16,
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
        Hostname::new(&format!("{app}.{}", self.domain)).ok()
    }

    /// The URL of a hostname.
    pub fn url(&self, host: &Hostname) -> String {
        if self.public_port == 80 {
            format!("http://{host}")
        } else {
            format!("http://{host}:{}", self.public_port)
        }
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
            data: "/var/lib/paas".into(),
            min_free: 0,
            keep_releases: 5,
        };
        let host = settings.default_host(&AppName::new("blog").unwrap()).unwrap();
        assert_eq!(settings.url(&host), "http://blog.example.org");
        settings.public_port = 8080;
        assert_eq!(settings.url(&host), "http://blog.example.org:8080");
    }
}
