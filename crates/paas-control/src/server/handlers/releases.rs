use std::cmp::Reverse;

use axum::{Extension, Json, extract::State};
use paas_store::{App, ReleaseStatus, ReleaseSummary};

use crate::{
    server::{failure::Failure, state, view::time},
    wire::{ReleaseInfo, ReleaseState},
};

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<Vec<ReleaseInfo>>, Failure> {
    let mut releases = shared.store(move |store| store.list_releases(app.id)).await?;
    releases.sort_by_key(|release| Reverse(release.version));
    Ok(Json(releases.into_iter().map(info).collect()))
}

fn info(release: ReleaseSummary) -> ReleaseInfo {
    ReleaseInfo {
        version: release.version,
        description: release.description,
        commit: release.commit,
        image: release.image,
        created_by: release.created_by,
        created_at: time(release.created_at),
        status: match release.status {
            ReleaseStatus::Active => ReleaseState::Active,
            ReleaseStatus::Previous => ReleaseState::Previous,
            ReleaseStatus::Failed => ReleaseState::Failed,
            ReleaseStatus::Pending => ReleaseState::Pending,
        },
    }
}
