use std::{collections::BTreeMap, sync::Arc};

use axum::{Extension, Json, extract::State, response::Response};
use futures_util::future::join_all;
use paas_docker::{ContainerInfo, ContainerState};
use paas_domain::{DeployId, DeployKind, ProcessType, ReleaseId, ReleaseVersion};
use paas_store::{App, ContainerRow, Release, Store, StoreError, Wanted};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::timeout;

use super::app_info;
use crate::{
    server::{
        change::{Change, apply, deploy, saved},
        extract::Body,
        failure::Failure,
        identity::Identity,
        state::{self, PART_TIMEOUT, Shared},
        view::{Running, process_name},
    },
    wire::{ProcessInfo, ProcessList, ProcessState, ScaleChange, TakesEffect},
};

const MOST: u16 = 100;

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<ProcessList>, Failure> {
    let of = app.clone();
    let stored = shared.store(move |store| Stored::read(store, &of));
    let (stored, running) = tokio::join!(stored, Running::look(&shared));
    let Stored { release, scale, mut rows, versions, deploying, candidate } = stored?;
    rows.sort_by(|a, b| (&a.process_type, a.number, a.id).cmp(&(&b.process_type, b.number, b.id)));
    let state = running.state(&app, deploying, &rows.iter().collect::<Vec<_>>());
    let processes = join_all(rows.iter().map(|row| async {
        let found = detailed(&shared, running.find(&row.name)).await;
        process(row, &versions, Some(row.deploy) == candidate, found.as_ref())
    }))
    .await;
    Ok(Json(ProcessList { state, scale: app_info::scale(scale, release.as_ref()), processes }))
}

struct Stored {
    release: Option<Release>,
    scale: BTreeMap<ProcessType, u16>,
    rows: Vec<ContainerRow>,
    versions: BTreeMap<ReleaseId, ReleaseVersion>,
    deploying: bool,
    candidate: Option<DeployId>,
}

impl Stored {
    fn read(store: &Store, app: &App) -> Result<Self, StoreError> {
        let rows = store.containers(app.id)?;
        let mut versions = BTreeMap::new();
        for row in &rows {
            versions.insert(row.release, store.get_release(row.release)?.version);
        }
        Ok(Self {
            release: app.release.map(|release| store.get_release(release)).transpose()?,
            scale: store.scale(app.id)?,
            deploying: store.running_deploys()?.iter().any(|deploy| deploy.app == app.id),
            candidate: store.candidate(app.id)?.map(|candidate| candidate.id),
            rows,
            versions,
        })
    }
}

/// The engine's list does not say when a container was started, nor whether it ended for memory; asked for one, it does.
async fn detailed(shared: &Shared, listed: Option<&ContainerInfo>) -> Option<ContainerInfo> {
    let listed = listed?;
    let asked = timeout(PART_TIMEOUT, shared.deployer().engine().find_container(&listed.name)).await;
    let found = asked.ok().and_then(Result::ok).flatten();
    Some(found.unwrap_or_else(|| listed.clone()))
}

fn process(
    row: &ContainerRow,
    versions: &BTreeMap<ReleaseId, ReleaseVersion>,
    candidate: bool,
    found: Option<&ContainerInfo>,
) -> ProcessInfo {
    let exit = found.and_then(|info| info.exit);
    ProcessInfo {
        name: process_name(row),
        process_type: row.process_type.clone(),
        candidate,
        release: versions.get(&row.release).copied().unwrap_or(ReleaseVersion(0)),
        state: found.map_or(ProcessState::Missing, |info| state_of(info.state)),
        since: found.and_then(|info| OffsetDateTime::parse(info.started_at.as_deref()?, &Rfc3339).ok()),
        exit_code: exit.map(|exit| exit.code),
        out_of_memory: exit.is_some_and(|exit| exit.out_of_memory),
    }
}

fn state_of(state: ContainerState) -> ProcessState {
    match state {
        ContainerState::Created => ProcessState::Starting,
        ContainerState::Running => ProcessState::Running,
        ContainerState::Restarting => ProcessState::Restarting,
        ContainerState::Paused | ContainerState::Exited | ContainerState::Dead => ProcessState::Exited,
    }
}

pub(crate) async fn restart(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    Extension(app): Extension<App>,
) -> Result<Response, Failure> {
    deployed(&app)?;
    if app.wanted == Wanted::Stopped {
        return Err(Failure::conflict(format!("{} is stopped", app.name)).hint("start it with `ps:start`"));
    }
    let started = deploy(&shared, &identity, &app, DeployKind::Restart, "Restart".to_owned()).await?;
    Ok(started.unwrap_or_else(|| saved(false, TakesEffect::Now)))
}

pub(crate) async fn start(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    Extension(app): Extension<App>,
) -> Result<Response, Failure> {
    deployed(&app)?;
    if app.wanted == Wanted::Running && app.active_deploy.is_some() {
        return Ok(saved(false, TakesEffect::Now));
    }
    let started = deploy(&shared, &identity, &app, DeployKind::Start, "Start".to_owned()).await?;
    Ok(started.unwrap_or_else(|| saved(false, TakesEffect::Now)))
}

pub(crate) async fn stop(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<()>, Failure> {
    deployed(&app)?;
    tracing::info!(app.name = %app.name, "stopping the app");
    let deployer = Arc::clone(shared.deployer());
    // It goes on when the caller goes away.
    match tokio::spawn(async move { deployer.stop_app(app.id).await }).await {
        Ok(stopped) => Ok(Json(stopped?)),
        Err(error) => Err(Failure::internal("the app was not stopped", &error)),
    }
}

pub(crate) async fn scale(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    Extension(app): Extension<App>,
    Body(ScaleChange(counts)): Body<ScaleChange>,
) -> Result<Response, Failure> {
    let of = app.clone();
    let description = describe(&counts);
    let changed = shared
        .store(move |store| {
            let release = of.release.map(|release| store.get_release(release)).transpose()?;
            check(&counts, release.as_ref())?;
            let before = app_info::scale(store.scale(of.id)?, release.as_ref());
            store.set_scale(of.id, &counts)?;
            Ok::<_, Failure>(counts.iter().any(|(name, count)| before.get(name) != Some(count)))
        })
        .await?;
    let change = Change { kind: DeployKind::Scale, description, changed, deploy: true };
    apply(&shared, &identity, &app, change).await
}

fn deployed(app: &App) -> Result<(), Failure> {
    match app.release {
        Some(_) => Ok(()),
        None => Err(Failure::conflict(format!("{} was never deployed", app.name))
            .hint("push something first: `git push deploy main`")),
    }
}

fn check(counts: &BTreeMap<ProcessType, u16>, release: Option<&Release>) -> Result<(), Failure> {
    if counts.is_empty() {
        return Err(Failure::refused("no process type was named").hint("write it like `ps:scale web=2`"));
    }
    if let Some((name, count)) = counts.iter().find(|(_, count)| **count > MOST) {
        return Err(Failure::refused(format!("{name}={count} is more than {MOST} containers")));
    }
    if counts.keys().any(|name| name.as_str() == "release") {
        return Err(Failure::refused("`release` runs once in each deploy and has no scale"));
    }
    let Some(known) = release.map(|release| &release.spec.processes) else { return Ok(()) };
    if let Some(unknown) = counts.keys().find(|name| !known.contains_key(*name)) {
        let known: Vec<_> = known.keys().map(ProcessType::as_str).collect();
        return Err(Failure::not_found(format!("the app has no process type {unknown}"))
            .hint(format!("it has {}; the Procfile says which there are", known.join(", "))));
    }
    Ok(())
}

fn describe(counts: &BTreeMap<ProcessType, u16>) -> String {
    let counts: Vec<_> = counts.iter().map(|(name, count)| format!("{name}={count}")).collect();
    format!("Scale {}", counts.join(" "))
}
