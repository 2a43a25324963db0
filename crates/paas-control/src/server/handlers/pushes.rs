use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Extension, Json,
    extract::{RawPathParams, State},
    response::Response,
};
use futures_util::StreamExt as _;
use paas_deploy::{BranchNow, Deployer, PushRequest, chain};
use paas_domain::{AppId, AppName, DeployEvent};
use paas_git::{DeployBranch, EnsureRepositoryError, Repositories, SetHeadError};
use paas_store::App;
use tokio_util::sync::CancellationToken;

use super::apps;
use crate::{
    server::{
        extract::{Body, param, text},
        failure::Failure,
        identity::Identity,
        ndjson::ndjson,
        rule::{visible, visible_by_id},
        state::{self, Shared, blocking},
    },
    wire::{Cancel, CancelAnswer, ErrorKind, PreparePush, PreparedPush, StartPush},
};

pub(crate) async fn prepare(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    params: RawPathParams,
    Body(request): Body<PreparePush>,
) -> Result<Json<PreparedPush>, Failure> {
    let name: AppName = param(&params, "app")?;
    let (app, created) = match visible(&shared, &identity, name.clone()).await {
        Ok(app) => (app, false),
        Err(failure)
            if failure.error.kind == ErrorKind::NotFound && identity.is_admin() && request.create =>
        {
            (apps::make(&shared, name).await?, true)
        }
        Err(failure) => return Err(failure),
    };
    let (repositories, id) = (shared.control.repositories.clone(), app.id);
    let repository = blocking(move || repositories.ensure(id)).await?;
    Ok(Json(PreparedPush { app_id: app.id, app: app.name, repository, created }))
}

pub(crate) async fn start(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    Body(request): Body<StartPush>,
) -> Result<Response, Failure> {
    let absent = || Failure::not_found("there is no such app any more");
    let app = visible_by_id(&shared, &identity, request.app, absent).await?;
    let branch = DeployBranch::of(&format!("refs/heads/{}", request.branch))
        .ok_or_else(|| Failure::refused("only the branches main and master deploy"))?;
    check_push_id(&request.push)?;
    let repository = shared.control.repositories.path(app.id);
    if let Some(quarantine) = request.quarantine.clone() {
        let objects = repository.join("objects");
        blocking(move || check_quarantine(&quarantine, &objects)).await?;
    }
    let push = PushRequest {
        push: request.push,
        app: app.id,
        branch: request.branch,
        old: request.old,
        new: request.new,
        branch_now: branch_now(shared.control.repositories.clone(), app.id, branch),
        repository,
        quarantine: request.quarantine,
        requested_by: identity.name(),
    };
    begin(&shared, &app, branch, push).await
}

async fn begin(
    shared: &Shared,
    app: &App,
    branch: DeployBranch,
    push: PushRequest,
) -> Result<Response, Failure> {
    if !shared.pushes.add(&push.push, app.id, branch) {
        return Err(Failure::conflict("a push of that id has begun already"));
    }
    let deployer = Arc::clone(shared.deployer());
    let mut guard = CancelOnDrop {
        deployer: Arc::clone(&deployer),
        push: Some(push.push.clone()),
        shutdown: shared.shutdown.clone(),
    };
    let handle = blocking(move || deployer.push(push)).await?;
    let events = handle.events().inspect(move |event| {
        if matches!(event, DeployEvent::Ended { .. }) {
            guard.disarm();
        }
    });
    Ok(ndjson(events, &shared.shutdown))
}

fn branch_now(repositories: Repositories, app: AppId, branch: DeployBranch) -> BranchNow {
    BranchNow::new(move || repositories.branch(app, branch.name()).map_err(|error| chain(&error)))
}

/// Whoever pushed has gone away when the stream is dropped before its end: then the deploy has nobody to answer to.
struct CancelOnDrop {
    deployer: Arc<Deployer>,
    push: Option<String>,
    shutdown: CancellationToken,
}

impl CancelOnDrop {
    fn disarm(&mut self) {
        self.push = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        // When control itself ends the streams, the deploys end in their own way.
        if let Some(push) = self.push.take().filter(|_| !self.shutdown.is_cancelled()) {
            let answer = self.deployer.push_abandoned(&push);
            tracing::info!(push, ?answer, "the pushing client went away");
        }
    }
}

pub(crate) async fn cancel(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    params: RawPathParams,
) -> Result<Json<Cancel>, Failure> {
    let push = text(&params, "push");
    let answer = match find(&shared, &identity, push).await? {
        None => CancelAnswer::Unknown,
        Some(_) => match shared.deployer().cancel_push(push) {
            paas_deploy::CancelAnswer::Cancelled => CancelAnswer::Cancelled,
            paas_deploy::CancelAnswer::TooLate => CancelAnswer::TooLate,
            paas_deploy::CancelAnswer::Unknown => CancelAnswer::Unknown,
        },
    };
    Ok(Json(Cancel { answer }))
}

/// The branch has moved. A push of an earlier life of control is not known any more, and nothing waits for it.
pub(crate) async fn received(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    params: RawPathParams,
) -> Result<Json<()>, Failure> {
    let push = text(&params, "push");
    if let Some((app, branch)) = find(&shared, &identity, push).await? {
        shared.deployer().push_received(push);
        let repositories = shared.control.repositories.clone();
        blocking(move || repositories.set_head(app.id, branch)).await?;
    }
    Ok(Json(()))
}

/// The app and branch of a push, if the caller may use the app.
async fn find(
    shared: &Shared,
    identity: &Identity,
    push: &str,
) -> Result<Option<(App, DeployBranch)>, Failure> {
    let Some((app, branch)) = shared.pushes.find(push) else { return Ok(None) };
    match visible_by_id(shared, identity, app, || Failure::not_found("there is no such push")).await {
        Ok(app) => Ok(Some((app, branch))),
        Err(failure) if failure.error.kind == ErrorKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn check_push_id(push: &str) -> Result<(), Failure> {
    let plain = push.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if (8..=64).contains(&push.len()) && plain {
        return Ok(());
    }
    Err(Failure::refused("the id of a push is 8 to 64 letters, digits and hyphens"))
}

/// Control reads the pushed objects as root: only git's own quarantine in this app's repository is read, whatever the caller says.
fn check_quarantine(quarantine: &Path, objects: &Path) -> Result<(), Failure> {
    let real = |path: &Path| -> Option<PathBuf> { path.canonicalize().ok() };
    match (real(quarantine), real(objects)) {
        (Some(quarantine), Some(objects)) if quarantine.parent() == Some(&objects) && quarantine.is_dir() => {
            Ok(())
        }
        _ => Err(Failure::refused(
            "the pushed objects are not in a quarantine directory of the app's repository",
        )),
    }
}

impl From<EnsureRepositoryError> for Failure {
    fn from(error: EnsureRepositoryError) -> Self {
        Self::internal("the app's git repository could not be made", &error)
    }
}

impl From<SetHeadError> for Failure {
    fn from(error: SetHeadError) -> Self {
        Self::internal("the push arrived, but HEAD of its repository could not be set", &error)
    }
}

impl From<paas_git::RemoveRepositoryError> for Failure {
    fn from(error: paas_git::RemoveRepositoryError) -> Self {
        Self::internal("the app's git repository could not be removed", &error)
    }
}
