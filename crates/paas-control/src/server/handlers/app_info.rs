use std::{collections::BTreeMap, sync::Arc};

use paas_deploy::{Deployer, HostRules};
use paas_domain::{ConfigKey, Declared, Hostname, Mount, ProcessType};
use paas_store::{App, ContainerRow, FrontDoor, Release, Setting, StoreError};

use super::{canary, path_routes, redirects, setting_info, users};
use crate::{
    server::{
        failure::Failure,
        state::{Shared, blocking},
        view::{Running, time},
    },
    wire::{AppInfo, CandidateInfo, MountInfo, Source},
};

/// What the store knows about one app.
pub(super) struct Stored {
    pub(super) release: Option<Release>,
    pub(super) settings: BTreeMap<Setting, String>,
    pub(super) port_is_set: bool,
    pub(super) door: FrontDoor,
    rules: HostRules,
    mounts: Vec<Mount>,
    domains: Vec<Hostname>,
    scale: BTreeMap<ProcessType, u16>,
    containers: Vec<ContainerRow>,
    deploying: bool,
    candidate: Option<CandidateInfo>,
}

/// Everything about one app but its config values.
pub(super) async fn read(shared: &Shared, app: App) -> Result<AppInfo, Failure> {
    let of = app.clone();
    let deployer = Arc::clone(shared.deployer());
    let stored = blocking(move || Stored::read(&deployer, &of));
    let (stored, running) = tokio::join!(stored, Running::look(shared));
    let stored = stored?;
    let spec = stored.release.as_ref().map(|release| &release.spec);
    let none = Declared::default();
    let declared = spec.map_or(&none, |spec| &spec.declared);
    Ok(AppInfo {
        state: running.state(&app, stored.deploying, &stored.containers.iter().collect::<Vec<_>>()),
        urls: shared.deployer().urls(&app),
        git_remote: format!("{}{}", shared.control.remote, app.name),
        release: stored.release.as_ref().map(|release| release.version),
        commit: spec.and_then(|spec| spec.commit.clone()),
        image: spec.map(|spec| spec.image.clone()),
        candidate: stored.candidate.clone(),
        settings: setting_info::in_force(&stored),
        mounts: mounts(&stored.mounts, stored.release.as_ref()),
        scale: scale(stored.scale, stored.release.as_ref()),
        redirects: redirects::in_force(&stored.rules),
        routes: path_routes::in_force(&stored.rules),
        users: users::in_force(&stored.door, declared),
        domains: stored.domains,
        created_at: time(app.created_at),
        id: app.id,
        name: app.name,
    })
}

impl Stored {
    fn read(deployer: &Deployer, app: &App) -> Result<Self, StoreError> {
        let store = deployer.store();
        let port = ConfigKey::new("PORT").ok();
        let release = app.release.map(|release| store.get_release(release)).transpose()?;
        let none = Declared::default();
        let declared = release.as_ref().map_or(&none, |release| &release.spec.declared);
        let door = store.front_door(app.id)?;
        Ok(Self {
            rules: deployer.host_rules_with(app, &door, declared)?,
            release,
            settings: store.settings(app.id)?,
            port_is_set: port
                .is_some_and(|port| store.config(app.id).is_ok_and(|config| config.contains_key(&port))),
            door,
            mounts: store.mounts(app.id)?,
            domains: store.domains(app.id)?,
            scale: store.scale(app.id)?,
            containers: store.containers(app.id)?,
            candidate: canary::info(store, app)?,
            deploying: store.running_deploys()?.iter().any(|deploy| deploy.app == app.id),
        })
    }
}

/// Mounts by command, then those the code declares at other paths.
pub(super) fn mounts(commanded: &[Mount], release: Option<&Release>) -> Vec<MountInfo> {
    let info =
        |mount: &Mount, source| MountInfo { volume: mount.volume.clone(), path: mount.path.clone(), source };
    let declared = release.map(|release| release.spec.declared.mounts.as_slice()).unwrap_or_default();
    let free = declared.iter().filter(|mount| !commanded.iter().any(|taken| taken.path == mount.path));
    let commanded = commanded.iter().map(|mount| info(mount, Source::Command));
    commanded.chain(free.map(|mount| info(mount, Source::Manifest))).collect()
}

/// How many of each process type should run: one web and no other, unless somebody says otherwise.
pub(super) fn scale(
    commanded: BTreeMap<ProcessType, u16>,
    release: Option<&Release>,
) -> BTreeMap<ProcessType, u16> {
    let Some(spec) = release.map(|release| &release.spec) else { return commanded };
    let count = |name: &ProcessType| {
        commanded.get(name).or_else(|| spec.declared.scale.get(name)).copied().unwrap_or(1)
    };
    spec.processes.keys().map(|name| (name.clone(), count(name))).collect()
}
