use std::sync::Arc;

use axum::{
    Extension,
    extract::{RawPathParams, State},
    response::Response,
};
use paas_domain::DeployId;

use crate::server::{
    extract::text,
    failure::Failure,
    identity::Identity,
    ndjson::ndjson,
    rule::visible_by_id,
    state::{self, blocking},
};

/// From the beginning to the end. Going away cancels nothing.
pub(crate) async fn follow(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    params: RawPathParams,
) -> Result<Response, Failure> {
    let absent = || Failure::not_found("there is no such deploy");
    let id = DeployId(text(&params, "deploy").parse().map_err(|_| absent())?);
    let deploy = shared.store(move |store| store.find_deploy(id)).await?.ok_or_else(absent)?;
    visible_by_id(&shared, &identity, deploy.app, absent).await?;
    let deployer = Arc::clone(shared.deployer());
    let handle = blocking(move || deployer.follow(id)).await?;
    Ok(ndjson(handle.events(), &shared.shutdown))
}
