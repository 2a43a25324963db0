use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    CommitId, ConfigKey, DeclaredHttp, DeclaredRoute, MountPath, Page, ProcessType, Redirect, Secret, Share,
    Strategy, UserName, VolumeName,
};

/// `v1`, `v2`, … of one app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseVersion(pub u32);

impl fmt::Display for ReleaseVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// Everything that decides how an app runs: what a deploy starts, and what a restart after a crash starts again. Immutable once stored; it holds
/// secrets, so it is stored encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseSpec {
    /// Image id, `sha256:…`.
    pub image: String,
    /// The commit it was built from, if it was built from one.
    pub commit: Option<CommitId>,
    /// Config vars at the time.
    pub config: BTreeMap<ConfigKey, Secret>,
    /// Command of each process type; `None` is the image's own command.
    pub processes: BTreeMap<ProcessType, Option<Vec<String>>>,
    /// The `release:` line of the Procfile.
    pub release_command: Option<Vec<String>>,
    /// Volumes and where they are mounted.
    pub mounts: Vec<Mount>,
    /// What `PORT` says.
    pub port: u16,
    /// How a new web container proves itself.
    pub health: HealthCheck,
    /// How long old requests may go on after a switch.
    pub drain_timeout: Duration,
    /// Between SIGTERM and SIGKILL.
    pub stop_grace: Duration,
    /// What the code itself asked for, kept so that a config change can be resolved again without the source.
    #[serde(default)]
    pub declared: Declared,
}

/// What a repository and its image ask for, before commands have their say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Declared {
    /// First TCP port the image exposes.
    pub port: Option<u16>,
    /// Health path of paas.toml.
    pub health_path: Option<String>,
    /// Health timeout of paas.toml.
    pub health_timeout: Option<Duration>,
    /// Drain timeout of paas.toml.
    pub drain_timeout: Option<Duration>,
    /// Stop grace of paas.toml.
    pub stop_grace: Option<Duration>,
    /// Deploy strategy of paas.toml.
    pub strategy: Option<Strategy>,
    /// The share of the visitors that a pushed release gets as a candidate, of paas.toml.
    pub canary: Option<Share>,
    /// Redirect to HTTPS, of paas.toml.
    pub https_redirect: Option<bool>,
    /// HSTS of paas.toml, in days.
    pub hsts_days: Option<u16>,
    /// How requests are treated, of paas.toml.
    pub http: DeclaredHttp,
    /// Redirects of paas.toml, whoever has the hostnames.
    pub redirects: Vec<Redirect>,
    /// Paths of paas.toml, whoever has the hostnames.
    pub routes: Vec<DeclaredRoute>,
    /// Who may visit by basic auth, with the hashes of their passwords, of paas.toml.
    pub users: BTreeMap<UserName, Secret>,
    /// The HTML of the pages that paas.toml names.
    pub pages: BTreeMap<Page, String>,
    /// What the web process speaks.
    pub web_protocol: WebProtocol,
    /// Volumes of paas.toml and of the image's `VOLUME` lines, under their names on this server.
    pub mounts: Vec<Mount>,
    /// Scale of paas.toml.
    pub scale: BTreeMap<ProcessType, u16>,
}

/// What a web process speaks on its port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebProtocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2 without TLS and with prior knowledge (RFC 9113 §3.3), for gRPC.
    H2c,
}

/// A volume at a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mount {
    /// The volume.
    pub volume: VolumeName,
    /// The path inside the container.
    pub path: MountPath,
}

/// How a new web container proves itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// The path asked for; `None` is `/up`, and when that is 404, `/`.
    pub path: Option<String>,
    /// How long the app may take until it answers.
    pub timeout: Duration,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self { path: None, timeout: Duration::from_mins(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Manifest;

    #[test]
    fn what_earlier_and_later_versions_stored_is_read() {
        assert_eq!(serde_json::from_str::<Declared>("{}").unwrap(), Declared::default());
        let of_later = r#"{"port": 80, "routes": [{"path": "/api", "of": "later"}], "of": "later"}"#;
        let read: Declared = serde_json::from_str(of_later).unwrap();
        assert_eq!(
            (read.port, read.routes[0].path.as_str(), read.routes[0].strip),
            (Some(80), "/api", false)
        );
    }

    #[test]
    fn what_a_release_keeps_of_hostnames_and_users_reads_back() {
        let text = "[[redirects]]\nhost = 'a.org'\nto = 'b.org'\nstatus = 302\n[[routes]]\npath = '/api'\nstrip = true\n[deploy]\ncanary = 10";
        let manifest = Manifest::parse(text).unwrap();
        let declared = Declared {
            canary: manifest.deploy.canary,
            redirects: manifest.redirects,
            routes: manifest.routes,
            users: BTreeMap::from([(UserName::new("ann").unwrap(), Secret::new("pbkdf2-sha256$1$a$b"))]),
            ..Declared::default()
        };
        let json = serde_json::to_string(&declared).unwrap();
        assert_eq!(serde_json::from_str::<Declared>(&json).unwrap(), declared);
        assert!(!format!("{declared:?}").contains("pbkdf2"));
    }
}
