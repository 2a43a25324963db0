use std::sync::Arc;

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use paas_domain::DeployKind;
use paas_store::{App, Wanted};

use super::{
    failure::Failure,
    identity::Identity,
    ndjson::ndjson,
    state::{Shared, blocking},
};
use crate::wire::{Saved, TakesEffect};

/// A change that is stored and now has to reach the running app.
pub(super) struct Change {
    pub(super) kind: DeployKind,
    /// What the release will say it is for.
    pub(super) description: String,
    /// Whether anything is different.
    pub(super) changed: bool,
    /// Whether to deploy now.
    pub(super) deploy: bool,
}

/// Deploys the change and streams it, or says when it takes effect.
pub(super) async fn apply(
    shared: &Shared,
    identity: &Identity,
    app: &App,
    change: Change,
) -> Result<Response, Failure> {
    if !change.changed {
        return Ok(saved(false, TakesEffect::Now));
    }
    if change.deploy
        && let Some(stream) = deploy(shared, identity, app, change.kind, change.description).await?
    {
        return Ok(stream);
    }
    Ok(saved(true, later(app)))
}

/// Begins a deploy of the current image and streams it; none when there is nothing to do.
pub(super) async fn deploy(
    shared: &Shared,
    identity: &Identity,
    app: &App,
    kind: DeployKind,
    description: String,
) -> Result<Option<Response>, Failure> {
    let (deployer, id, name) = (Arc::clone(shared.deployer()), app.id, identity.name());
    let handle = blocking(move || deployer.redeploy(id, kind, description, name)).await?;
    Ok(handle.map(|handle| ndjson(handle.events(), &shared.shutdown)))
}

pub(super) fn saved(changed: bool, takes_effect: TakesEffect) -> Response {
    Json(Saved { changed, takes_effect }).into_response()
}

fn later(app: &App) -> TakesEffect {
    match (app.release, app.wanted) {
        (None, _) => TakesEffect::NextPush,
        (Some(_), Wanted::Stopped) => TakesEffect::NextStart,
        (Some(_), Wanted::Running | Wanted::Destroyed { .. }) => TakesEffect::NextRestart,
    }
}
