use std::{error::Error, future::Future};

use axum::{Extension, Json, extract::State};
use paas_deploy::chain;
use paas_store::Store;
use tokio::time::timeout;

use crate::{
    server::{
        failure::Failure,
        identity::Identity,
        rule::is_going,
        state::{self, PART_TIMEOUT},
    },
    wire::{PartState, Status},
};

pub(crate) async fn show(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
) -> Result<Json<Status>, Failure> {
    let apps = shared.store(Store::list_apps).await?;
    let (engine, proxy) =
        tokio::join!(part(shared.deployer().engine().info()), part(shared.deployer().proxy().answers()));
    Ok(Json(Status {
        version: shared.control.version.clone(),
        instance: shared.deployer().store().instance_label().to_owned(),
        engine,
        proxy,
        apps: apps.iter().filter(|app| identity.may_use(&app.name) && !is_going(app)).count(),
        uptime_seconds: shared.control.started.elapsed().as_secs(),
    }))
}

async fn part<T, E: Error>(answer: impl Future<Output = Result<T, E>>) -> PartState {
    match timeout(PART_TIMEOUT, answer).await {
        Ok(Ok(_)) => PartState::Ok,
        Ok(Err(error)) => PartState::Error(chain(&error)),
        Err(_) => PartState::Error(format!("no answer within {} s", PART_TIMEOUT.as_secs())),
    }
}
