use axum::{Json, extract::State};
use paas_store::Store;

use super::apps;
use crate::{
    server::{failure::Failure, state},
    wire::Purged,
};

/// Everything goes. What cannot go now does not keep the rest; the first such failure is told in the end.
pub(crate) async fn purge(State(shared): State<state::State>) -> Result<Json<Purged>, Failure> {
    let mut failure = None;
    let apps = shared.store(Store::list_apps).await?;
    for app in &apps {
        if let Err(error) = apps::remove(&shared, app, true).await {
            failure.get_or_insert(error);
        }
    }
    let volumes = shared.store(Store::list_volumes).await?;
    for volume in &volumes {
        if let Err(error) = shared.deployer().destroy_volume(&volume.name).await {
            failure.get_or_insert(error.into());
        }
    }
    match failure {
        None => Ok(Json(Purged { apps: apps.len(), volumes: volumes.len() })),
        Some(failure) => Err(failure.hint("run the purge again when that is repaired")),
    }
}
