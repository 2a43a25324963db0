//! How a release comes about: what the code declares, then what commands set, which wins.

use std::{collections::BTreeMap, time::Duration};

use paas_domain::{
    ConfigKey, Declared, HealthCheck, Mount, ProcessType, ReleaseSpec, Secret, Share, Strategy,
    parse_duration,
};
use paas_store::Setting;

/// `PORT` when neither config nor image say another.
pub const DEFAULT_PORT: u16 = 3000;
/// How long the requests of an old container have to end when nobody says.
pub const DEFAULT_DRAIN: Duration = Duration::from_secs(30);
/// How long a container has after SIGTERM when nobody says.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(30);
/// A longer drain or grace would keep the app's next deploy waiting as long.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// What commands have set for an app.
#[derive(Debug, Clone, Default)]
pub(crate) struct Commanded {
    pub(crate) config: BTreeMap<ConfigKey, Secret>,
    pub(crate) mounts: Vec<Mount>,
    pub(crate) settings: BTreeMap<Setting, String>,
}

/// What a build gave, or what an earlier release took from one.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    pub(crate) image: String,
    pub(crate) commit: Option<paas_domain::CommitId>,
    pub(crate) processes: BTreeMap<ProcessType, Option<Vec<String>>>,
    pub(crate) release_command: Option<Vec<String>>,
    pub(crate) declared: Declared,
}

impl From<ReleaseSpec> for Built {
    fn from(spec: ReleaseSpec) -> Self {
        Self {
            image: spec.image,
            commit: spec.commit,
            processes: spec.processes,
            release_command: spec.release_command,
            declared: spec.declared,
        }
    }
}

/// Everything together.
pub(crate) fn resolve(built: Built, commanded: Commanded) -> ReleaseSpec {
    let Built { image, commit, processes, release_command, declared } = built;
    let duration =
        |setting| commanded.settings.get(&setting).and_then(|text: &String| parse_duration(text).ok());
    let health = HealthCheck {
        path: commanded.settings.get(&Setting::HealthPath).cloned().or_else(|| declared.health_path.clone()),
        timeout: duration(Setting::HealthTimeout)
            .or(declared.health_timeout)
            .unwrap_or(HealthCheck::default().timeout),
    };
    ReleaseSpec {
        port: port(&commanded.config).or(declared.port).unwrap_or(DEFAULT_PORT),
        health,
        drain_timeout: duration(Setting::DrainTimeout)
            .or(declared.drain_timeout)
            .unwrap_or(DEFAULT_DRAIN)
            .min(LONGEST_WAIT),
        stop_grace: duration(Setting::StopGrace)
            .or(declared.stop_grace)
            .unwrap_or(DEFAULT_GRACE)
            .min(LONGEST_WAIT),
        mounts: mounts(commanded.mounts, &declared.mounts),
        config: commanded.config,
        image,
        commit,
        processes,
        release_command,
        declared,
    }
}

/// How the next deploy takes the old release's place: a command wins over the repository.
pub fn strategy(settings: &BTreeMap<Setting, String>, declared: &Declared) -> Strategy {
    let commanded = settings.get(&Setting::Strategy).and_then(|word| Strategy::parse(word));
    commanded.or(declared.strategy).unwrap_or_default()
}

/// The share of the visitors that the next release gets as a candidate; `None` when it is to serve everybody. A command wins over the repository, also
/// when it says `off`.
pub fn canary_share(settings: &BTreeMap<Setting, String>, declared: &Declared) -> Option<Share> {
    match settings.get(&Setting::CanaryShare) {
        Some(text) => text.parse().ok(),
        None => declared.canary,
    }
}

/// A `PORT` the user set counts, whatever the image exposes.
fn port(config: &BTreeMap<ConfigKey, Secret>) -> Option<u16> {
    let key = ConfigKey::new("PORT").ok()?;
    config.get(&key)?.expose().parse().ok().filter(|port| *port != 0)
}

/// A command's mount wins over one the code declares at the same path.
fn mounts(commanded: Vec<Mount>, declared: &[Mount]) -> Vec<Mount> {
    let mut mounts = commanded;
    for mount in declared {
        if !mounts.iter().any(|taken| taken.path == mount.path) {
            mounts.push(mount.clone());
        }
    }
    mounts.sort_by(|a, b| a.path.cmp(&b.path));
    mounts
}

#[cfg(test)]
mod tests {
    use paas_domain::{MountPath, VolumeName};

    use super::*;

    fn built() -> Built {
        Built {
            image: "sha256:1".into(),
            commit: None,
            processes: BTreeMap::new(),
            release_command: None,
            declared: Declared::default(),
        }
    }

    fn mount(volume: &str, path: &str) -> Mount {
        Mount { volume: VolumeName::new(volume).unwrap(), path: MountPath::new(path).unwrap() }
    }

    #[test]
    fn the_port_is_configs_then_the_images_then_3000() {
        let mut image = built();
        assert_eq!(resolve(image.clone(), Commanded::default()).port, 3000);
        image.declared.port = Some(8080);
        assert_eq!(resolve(image.clone(), Commanded::default()).port, 8080);
        let config = BTreeMap::from([(ConfigKey::new("PORT").unwrap(), Secret::new("5000"))]);
        assert_eq!(resolve(image, Commanded { config, ..Commanded::default() }).port, 5000);
    }

    #[test]
    fn a_command_wins_over_the_file() {
        let mut image = built();
        image.declared.health_path = Some("/file".into());
        image.declared.health_timeout = Some(Duration::from_secs(5));
        image.declared.mounts = vec![mount("blog-data", "/data"), mount("blog-tmp", "/scratch")];
        let settings = BTreeMap::from([(Setting::HealthPath, "/command".to_owned())]);
        let spec = resolve(
            image,
            Commanded { settings, mounts: vec![mount("mine", "/data")], ..Commanded::default() },
        );
        assert_eq!(
            spec.health,
            HealthCheck { path: Some("/command".into()), timeout: Duration::from_secs(5) }
        );
        assert_eq!(spec.mounts, [mount("mine", "/data"), mount("blog-tmp", "/scratch")]);
    }

    #[test]
    fn a_command_wins_over_the_file_in_how_a_release_takes_its_place() {
        let file = Declared { strategy: Some(Strategy::Hold), ..Declared::default() };
        let command = BTreeMap::from([(Setting::Strategy, "rolling".to_owned())]);
        assert_eq!(strategy(&BTreeMap::new(), &Declared::default()), Strategy::Rolling);
        assert_eq!(strategy(&BTreeMap::new(), &file), Strategy::Hold);
        assert_eq!(strategy(&command, &file), Strategy::Rolling);
    }

    #[test]
    fn a_command_wins_over_the_file_in_who_gets_a_release() {
        let file = Declared { canary: Share::new(10).ok(), ..Declared::default() };
        let command = |text: &str| BTreeMap::from([(Setting::CanaryShare, text.to_owned())]);
        assert_eq!(canary_share(&BTreeMap::new(), &Declared::default()), None);
        assert_eq!(canary_share(&BTreeMap::new(), &file), Share::new(10).ok());
        assert_eq!(canary_share(&command("25"), &file), Share::new(25).ok());
        assert_eq!(canary_share(&command("off"), &file), None);
    }

    #[test]
    fn an_earlier_release_resolves_to_itself() {
        let mut image = built();
        image.declared.port = Some(8080);
        image.declared.mounts = vec![mount("blog-data", "/data")];
        let spec = resolve(image, Commanded::default());
        assert_eq!(resolve(spec.clone().into(), Commanded::default()), spec);
    }
}
