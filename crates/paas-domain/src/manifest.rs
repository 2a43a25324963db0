use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Deserializer, de::Error as _};
use thiserror::Error;

use crate::{
    DeclaredRoute, HttpSection, Mount, MountPath, Page, ProcessType, Redirect, Secret, Share, ShareError,
    Strategy, UserName, VolumeName, WebProtocol, duration_text, host_sections, password,
};

/// More containers of one type than one server should run.
const LARGEST_SCALE: u16 = 100;
const LONGEST_HEALTH_PATH: usize = 1024;

/// Why a `paas.toml` cannot be used. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("paas.toml{}: {message}", line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct ManifestError {
    line: Option<usize>,
    message: String,
}

impl ManifestError {
    /// The line it is about, if it is about one.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    fn of(text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map(|before| before.matches('\n').count() + 1);
        Self { line, message: error.message().trim().replace('\n', "; ") }
    }
}

/// The optional `paas.toml` of a repository: what the app says about itself. Every part is optional; a setting made on the server wins over it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    /// How the image is built.
    pub build: BuildSection,
    /// How a new container proves itself.
    pub health: HealthSection,
    /// How a new release takes the place of the old one.
    #[serde(deserialize_with = "deploy")]
    pub deploy: DeploySection,
    /// How visitors come.
    pub https: HttpsSection,
    /// How requests are treated.
    pub http: HttpSection,
    /// What is done at hostnames, where the app has them.
    #[serde(deserialize_with = "host_sections::redirects")]
    pub redirects: Vec<Redirect>,
    /// Paths of hostnames, where the app has these.
    #[serde(deserialize_with = "host_sections::routes")]
    pub routes: Vec<DeclaredRoute>,
    /// Who may visit by basic auth, with the hashes of their passwords; everybody when there is none.
    #[serde(deserialize_with = "password::users")]
    pub auth: BTreeMap<UserName, Secret>,
    /// Paths of the files that visitors see instead of our own pages.
    pub pages: BTreeMap<Page, String>,
    /// How the proxy speaks to the web process.
    pub web: WebSection,
    /// Volumes by name and where they are mounted.
    pub volumes: BTreeMap<VolumeName, MountPath>,
    /// How many containers of each process type a first deploy starts.
    #[serde(deserialize_with = "scale")]
    pub scale: BTreeMap<ProcessType, u16>,
}

/// `[build]`. Paths are relative to the repository's root.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BuildSection {
    /// The Dockerfile's path.
    pub dockerfile: Option<String>,
    /// The directory that `COPY` sees.
    pub context: Option<String>,
    /// Build arguments (`ARG`). They stay visible in the image's history: no secrets here.
    #[serde(deserialize_with = "build_args")]
    pub args: BTreeMap<String, String>,
}

/// `[health]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HealthSection {
    /// The path asked for; begins with `/`.
    #[serde(deserialize_with = "health_path")]
    pub path: Option<String>,
    /// How long a new container may take until it answers; more than zero.
    #[serde(deserialize_with = "health_timeout")]
    pub timeout: Option<Duration>,
}

/// `[deploy]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeploySection {
    /// `rolling`, `hold` or `recreate`.
    pub strategy: Option<Strategy>,
    /// The share of the visitors that each pushed release gets as a candidate; everybody gets it when there is none.
    #[serde(deserialize_with = "canary")]
    pub canary: Option<Share>,
    /// How long old requests may go on after a switch.
    #[serde(deserialize_with = "duration_text::optional")]
    pub drain_timeout: Option<Duration>,
    /// Between SIGTERM and SIGKILL.
    #[serde(deserialize_with = "duration_text::optional")]
    pub stop_grace: Option<Duration>,
}

/// `[https]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpsSection {
    /// Whether plain HTTP is redirected once there is a certificate that browsers trust.
    pub redirect: Option<bool>,
    /// For how many days browsers are told to come by HTTPS alone (RFC 6797); 0 is not at all.
    pub hsts_days: Option<u16>,
}

/// `[web]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebSection {
    /// What the web process speaks on its port.
    pub protocol: WebProtocol,
}

impl Manifest {
    /// Reads the text of a `paas.toml`. An unknown name is an error that lists the known ones.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let text = text.trim_start_matches('\u{feff}');
        let manifest: Self = toml::from_str(text).map_err(|error| ManifestError::of(text, &error))?;
        manifest.check_mounts()?;
        Ok(manifest)
    }

    /// The volumes as mounts, by volume name.
    pub fn mounts(&self) -> Vec<Mount> {
        let mount =
            |(volume, path): (&VolumeName, &MountPath)| Mount { volume: volume.clone(), path: path.clone() };
        self.volumes.iter().map(mount).collect()
    }

    fn check_mounts(&self) -> Result<(), ManifestError> {
        let mut seen = BTreeMap::new();
        for (volume, path) in &self.volumes {
            if let Some(other) = seen.insert(path, volume) {
                let message =
                    format!("[volumes] `{other}` and `{volume}` are both at {path}; give each its own path");
                return Err(ManifestError { line: None, message });
            }
        }
        Ok(())
    }
}

fn scale<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<ProcessType, u16>, D::Error> {
    let scale = BTreeMap::<ProcessType, u16>::deserialize(deserializer)?;
    for (name, count) in &scale {
        if name.as_str() == "release" {
            return Err(D::Error::custom("`release` runs once in each deploy and has no scale"));
        }
        if *count > LARGEST_SCALE {
            return Err(D::Error::custom(format!(
                "`{name} = {count}` is more than {LARGEST_SCALE} containers"
            )));
        }
    }
    Ok(scale)
}

fn build_args<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let args = BTreeMap::<String, String>::deserialize(deserializer)?;
    let good = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    match args.keys().find(|name| !good(name)) {
        Some(name) => Err(D::Error::custom(format!(
            "{name:?} is not the name of a build argument: use letters, digits and underscores, not beginning with a digit"
        ))),
        None => Ok(args),
    }
}

fn health_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let path = String::deserialize(deserializer)?;
    let plain = path.len() <= LONGEST_HEALTH_PATH && path.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    if path.starts_with('/') && plain {
        return Ok(Some(path));
    }
    Err(D::Error::custom(format!(
        "{path:?} is not a path to ask: it must begin with /, without blanks, like \"/up\""
    )))
}

fn health_timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    match duration_text::optional(deserializer)? {
        Some(Duration::ZERO) => Err(D::Error::custom("a health check needs more than no time, like \"60s\"")),
        timeout => Ok(timeout),
    }
}

fn canary<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Share>, D::Error> {
    let percent = i64::deserialize(deserializer)?;
    let share = u8::try_from(percent).ok().and_then(|percent| Share::new(percent).ok());
    share.map(Some).ok_or_else(|| D::Error::custom(format!("{ShareError}, like 10, not {percent}")))
}

fn deploy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DeploySection, D::Error> {
    let section = DeploySection::deserialize(deserializer)?;
    match section.strategy {
        Some(strategy) if strategy.stops_first() && section.canary.is_some() => {
            Err(D::Error::custom(format!(
                "the strategy {strategy} lets one version run at a time, and a candidate is a second one; take out `strategy` or `canary`"
            )))
        }
        _ => Ok(section),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FULL: &str = r#"
        [build]
        dockerfile = "docker/web.Dockerfile"
        context = "web"
        args = { NODE_VERSION = "22" }
        [health]
        path = "/up?deep=1"
        timeout = "90s"
        [https]
        redirect = false
        hsts_days = 180
        [http]
        max_body = "100m"
        request_timeout = "60s"
        response_timeout = 300
        buffer_requests = true
        compression = true
        sticky = false
        server_timing = true
        hold_timeout = "20s"
        hold_requests = 50
        access_log = "json"
        maintenance = true
        allow = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"]
        trusted_proxies = ["198.51.100.0/24"]
        [pages]
        404 = "public/404.html"
        maintenance = "public/maintenance.html"
        [web]
        protocol = "h2c"
        [deploy]
        strategy = "hold"
        drain_timeout = 45
        stop_grace = "500ms"
        [volumes]
        data = "/data"
        [scale]
        web = 2
        worker = 0
    "#;

    #[test]
    fn everything_is_read() {
        let manifest = Manifest::parse(FULL).unwrap();
        assert_eq!(manifest.build.dockerfile.as_deref(), Some("docker/web.Dockerfile"));
        assert_eq!(manifest.build.context.as_deref(), Some("web"));
        assert_eq!(manifest.build.args["NODE_VERSION"], "22");
        assert_eq!(manifest.health.path.as_deref(), Some("/up?deep=1"));
        assert_eq!(manifest.health.timeout, Some(Duration::from_secs(90)));
        assert_eq!(manifest.deploy.strategy, Some(crate::Strategy::Hold));
        assert_eq!(manifest.deploy.drain_timeout, Some(Duration::from_secs(45)));
        assert_eq!(manifest.deploy.stop_grace, Some(Duration::from_millis(500)));
        assert_eq!(manifest.http.max_body, Some(100 << 20));
        assert_eq!(manifest.http.response_timeout, Some(Duration::from_mins(5)));
        assert_eq!((manifest.http.compression, manifest.http.sticky), (Some(true), Some(false)));
        assert_eq!(manifest.http.access_log, Some(crate::AccessLog::Json));
        assert_eq!(manifest.http.maintenance, Some(true));
        assert_eq!(manifest.http.allow.as_ref().unwrap()[2].to_string(), "192.0.2.7/32");
        assert_eq!(manifest.pages[&Page::Maintenance], "public/maintenance.html");
        assert_eq!(manifest.mounts()[0].path.as_str(), "/data");
        assert_eq!(
            manifest.scale.iter().map(|(n, c)| (n.as_str(), *c)).collect::<Vec<_>>(),
            [("web", 2), ("worker", 0)]
        );
        assert_eq!(Manifest::parse("").unwrap(), Manifest::default());
        assert_eq!(Manifest::parse("\u{feff}").unwrap(), Manifest::default());
    }

    #[test]
    fn pushes_are_candidates_when_the_file_says_so() {
        let canary = |text: &str| Manifest::parse(text).map(|manifest| manifest.deploy.canary);
        assert_eq!(canary("[deploy]\ncanary = 10\nstrategy = \"rolling\""), Ok(Share::new(10).ok()));
        assert_eq!(canary("[deploy]\ncanary = 0"), Ok(Share::new(0).ok()));
        assert_eq!(canary("[deploy]\nstrategy = \"hold\""), Ok(None));
    }

    #[test]
    fn mistakes_are_named_with_their_line_and_what_was_expected() {
        for (text, line, expected) in [
            ("[build]\ndockerfil = \"x\"", Some(2), "expected one of `dockerfile`, `context`, `args`"),
            ("\n[biuld]", Some(2), "`build`"),
            ("[health]\npath = \"up\"", Some(2), "must begin with /"),
            ("[health]\npath = \"/a b\"", Some(2), "must begin with /"),
            ("[health]\n\ntimeout = \"soon\"", Some(3), "\"90s\""),
            ("[health]\ntimeout = 0", Some(2), "more than no time"),
            ("[health]\ntimeout = -1", Some(2), "not a duration"),
            ("[health]\ntimeout = 1.5", Some(2), "a duration like"),
            ("[deploy]\nstrategy = \"blue\"", Some(2), "expected one of `rolling`, `hold`, `recreate`"),
            ("[deploy]\ncanary = 101", Some(2), "from 0 to 100, like 10, not 101"),
            ("[deploy]\ncanary = -1", Some(2), "from 0 to 100"),
            ("[deploy]\ncanary = \"10\"", Some(2), "i64"),
            ("[deploy]\ncanary = 5\nstrategy = \"hold\"", Some(1), "one version run at a time"),
            ("[deploy]\ncanary = 0\nstrategy = \"recreate\"", Some(1), "a candidate is a second one"),
            ("[deploy]\nstop_grace = true", Some(2), "a duration like"),
            ("[http]\nmax_body = \"lots\"", Some(2), "\"lots\" is not a size"),
            ("[http]\nmax_body = 0", Some(2), "from 1k to 1t"),
            ("[http]\nmax_bodies = 1", Some(2), "`max_body`"),
            ("[http]\nresponse_timeout = 0", Some(2), "more than no time"),
            ("[http]\nhold_requests = 0", Some(2), "from 1 to"),
            ("[http]\naccess_log = \"apache\"", Some(2), "`combined`"),
            ("[http]\nmaintenance = \"on\"", Some(2), "expected a boolean"),
            ("[http]\nallow = [\"10.0.0.1/8\"]", Some(2), "10.0.0.0/8"),
            ("[http]\ntrusted_proxies = [\"0.0.0.0/0\"]", Some(2), "every address"),
            ("[pages]\n200 = \"ok.html\"", Some(2), "400 to 599"),
            ("[pages]\nerror = \"x.html\"", Some(2), "maintenance"),
            ("[volumes]\ndata = \"data\"", Some(2), "absolute path"),
            ("[volumes]\n\"../x\" = \"/data\"", Some(2), "a volume name"),
            ("[volumes]\na = \"/data\"\nb = \"/data\"", None, "`a` and `b` are both at /data"),
            ("[scale]\nWeb = 1", Some(2), "a process type"),
            ("[scale]\nweb = -1", Some(2), "u16"),
            ("[scale]\nrelease = 1", Some(1), "has no scale"),
            ("[scale]\nweb = 101", Some(1), "more than 100"),
            ("[build]\nargs = { \"1A\" = \"x\" }", Some(2), "build argument"),
            ("[build]\nargs = { A = 1 }", Some(2), "expected a string"),
            ("[build", Some(1), ""),
        ] {
            let error = Manifest::parse(text).unwrap_err();
            let shown = error.to_string();
            assert!(shown.starts_with("paas.toml") && shown.contains(expected), "{text:?} gave {shown}");
            assert_eq!(error.line(), line, "{text:?} gave {shown}");
            assert!(!shown.contains('\n'), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#"[\[\]a-z="/0-9\n .]{0,60}"#) {
            let _ = Manifest::parse(&text);
        }
    }
}
