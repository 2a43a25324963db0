use std::collections::{HashMap, HashSet};

use paas_docker::{ContainerInfo, ContainerState};
use paas_domain::AppId;
use paas_store::{App, ContainerRow, Deploy, Wanted};
use time::OffsetDateTime;

use super::state::{PART_TIMEOUT, Shared};
use crate::wire::AppState;

/// What the engine has of ours, by container name; none when it does not answer.
pub(super) struct Running(Option<HashMap<String, ContainerInfo>>);

impl Running {
    /// Asks the engine, but not for long: a list without it is better than none.
    pub(super) async fn look(shared: &Shared) -> Self {
        let asked = tokio::time::timeout(PART_TIMEOUT, shared.deployer().engine().list_containers()).await;
        let by_name =
            |list: Vec<ContainerInfo>| list.into_iter().map(|info| (info.name.clone(), info)).collect();
        Self(asked.ok().and_then(Result::ok).map(by_name))
    }

    /// The container of that name.
    pub(super) fn find(&self, name: &str) -> Option<&ContainerInfo> {
        self.0.as_ref()?.get(name)
    }

    /// Where an app stands; `rows` are its containers.
    pub(super) fn state(&self, app: &App, deploying: bool, rows: &[&ContainerRow]) -> AppState {
        if deploying {
            return AppState::Deploying;
        }
        match (app.release, app.wanted) {
            (None, _) => AppState::NeverDeployed,
            (Some(_), Wanted::Stopped | Wanted::Destroyed { .. }) => AppState::Stopped,
            (Some(_), Wanted::Running) if self.0.is_none() => AppState::Unknown,
            (Some(_), Wanted::Running) if self.serves(app, rows) => AppState::Running,
            (Some(_), Wanted::Running) => AppState::Crashed,
        }
    }

    /// Whether a web container of the active deploy runs, or none should.
    fn serves(&self, app: &App, rows: &[&ContainerRow]) -> bool {
        let is_web =
            |row: &&&ContainerRow| row.process_type.as_ref().is_some_and(paas_domain::ProcessType::is_web);
        let mut web =
            rows.iter().filter(|row| Some(row.deploy) == app.active_deploy).filter(is_web).peekable();
        web.peek().is_none()
            || web.any(|row| self.find(&row.name).is_some_and(|info| info.state == ContainerState::Running))
    }
}

/// The apps with a deploy under way.
pub(super) fn deploying(running: &[Deploy]) -> HashSet<AppId> {
    running.iter().map(|deploy| deploy.app).collect()
}

/// A time of the store (seconds since 1970) for people; one that cannot be is the beginning of 1970.
pub(super) fn time(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// `web.1`, as the app itself sees it in `PAAS_PROCESS`.
pub(super) fn process_name(row: &ContainerRow) -> String {
    match &row.process_type {
        Some(process_type) => format!("{process_type}.{}", row.number),
        None => format!("release.{}", row.number),
    }
}
