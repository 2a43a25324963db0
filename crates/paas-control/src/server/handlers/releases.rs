use std::cmp::Reverse;

use axum::{Extension, Json, extract::State};
use paas_domain::Share;
use paas_store::{App, ReleaseStatus, ReleaseSummary, Store, StoreError};

use crate::{
    server::{failure::Failure, state, view::time},
    wire::{ReleaseInfo, ReleaseState},
};

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<Vec<ReleaseInfo>>, Failure> {
    let read =
        move |store: &Store| Ok::<_, StoreError>((store.list_releases(app.id)?, store.candidate(app.id)?));
    let (mut releases, candidate) = shared.store(read).await?;
    let share = candidate.and_then(|candidate| candidate.share);
    releases.sort_by_key(|release| Reverse(release.version));
    Ok(Json(releases.into_iter().map(|release| info(release, share)).collect()))
}

fn info(release: ReleaseSummary, share: Option<Share>) -> ReleaseInfo {
    ReleaseInfo {
        share: share.filter(|_| release.status == ReleaseStatus::Candidate),
        version: release.version,
        description: release.description,
        commit: release.commit,
        image: release.image,
        created_by: release.created_by,
        created_at: time(release.created_at),
        status: match release.status {
            ReleaseStatus::Active => ReleaseState::Active,
            ReleaseStatus::Candidate => ReleaseState::Candidate,
            ReleaseStatus::Aborted => ReleaseState::Aborted,
            ReleaseStatus::Previous => ReleaseState::Previous,
            ReleaseStatus::Failed => ReleaseState::Failed,
            ReleaseStatus::Pending => ReleaseState::Pending,
        },
    }
}
