use std::sync::Arc;

use axum::{Extension, Json, extract::State, response::Response};
use paas_deploy::{canary_share, strategy};
use paas_store::{App, Setting, Store, StoreError};

use crate::{
    server::{extract::Body, failure::Failure, identity::Identity, ndjson::ndjson, state},
    wire::{AbortedCandidate, CanaryChange, CanaryState, CandidateInfo},
};

/// Sets the share of the next releases, and of the candidate that runs.
pub(crate) async fn change(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Body(CanaryChange { share }): Body<CanaryChange>,
) -> Result<Json<CanaryState>, Failure> {
    let (of, id) = (app.clone(), app.id);
    shared
        .store(move |store| {
            // `off` is stored as well: paas.toml may say another share.
            let value = share.map_or_else(|| "off".to_owned(), |share| share.percent().to_string());
            let changes = [(Setting::CanaryShare, Some(value))];
            check_changes(store, &of, &changes)?;
            Ok::<_, Failure>(store.change_settings(of.id, &changes)?)
        })
        .await?;
    let candidate = match share {
        Some(share) => shared.deployer().set_share(id, share).await?,
        None => None,
    };
    Ok(Json(CanaryState { share, candidate }))
}

/// Makes the candidate the active release.
pub(crate) async fn promote(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Response, Failure> {
    let (deployer, id) = (Arc::clone(shared.deployer()), app.id);
    let handle = state::blocking(move || deployer.promote(id)).await?.ok_or_else(|| no_candidate(&app))?;
    tracing::info!(app.name = %app.name, "promoting the candidate");
    Ok(ndjson(handle.events(), &shared.shutdown))
}

/// Takes the candidate back.
pub(crate) async fn abort(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    Extension(app): Extension<App>,
) -> Result<Json<AbortedCandidate>, Failure> {
    let (deployer, by, id) = (Arc::clone(shared.deployer()), identity.name(), app.id);
    // It goes on when the caller goes away.
    let aborting = tokio::spawn(async move { deployer.abort_candidate(id, &by).await });
    match aborting.await {
        Ok(release) => Ok(Json(AbortedCandidate { release: release?.ok_or_else(|| no_candidate(&app))? })),
        Err(error) => Err(Failure::internal("the candidate was not aborted", &error)),
    }
}

/// Refuses settings that would let one version run at a time and a candidate beside it.
pub(super) fn check_changes(
    store: &Store,
    app: &App,
    changes: &[(Setting, Option<String>)],
) -> Result<(), Failure> {
    let is_about = |setting| changes.iter().any(|(changed, _)| *changed == setting);
    if !is_about(Setting::Strategy) && !is_about(Setting::CanaryShare) {
        return Ok(());
    }
    let mut settings = store.settings(app.id)?;
    for (setting, value) in changes {
        match value {
            Some(value) => settings.insert(*setting, value.clone()),
            None => settings.remove(setting),
        };
    }
    let declared = store.declared(app)?;
    let strategy = strategy(&settings, &declared);
    let has_candidate = is_about(Setting::Strategy) && store.candidate(app.id)?.is_some();
    if !strategy.stops_first() || !(has_candidate || canary_share(&settings, &declared).is_some()) {
        return Ok(());
    }
    let name = &app.name;
    Err(Failure::conflict(format!(
        "the strategy {strategy} lets one version run at a time, and a candidate is a second one"
    ))
    .hint(if is_about(Setting::Strategy) {
        format!("`paas releases:canary {name} off`, and `releases:promote` or `releases:abort` what runs as a candidate")
    } else {
        format!("`paas deploys:set {name} --strategy rolling` allows two versions")
    }))
}

fn no_candidate(app: &App) -> Failure {
    Failure::conflict(format!("{} has no candidate", app.name))
        .hint(format!("`paas releases:canary {} 10` makes the next push one", app.name))
}

/// The candidate of an app, for people.
pub(super) fn info(store: &Store, app: &App) -> Result<Option<CandidateInfo>, StoreError> {
    let Some(candidate) = store.candidate(app.id)? else { return Ok(None) };
    let (Some(release), Some(share)) = (candidate.release, candidate.share) else { return Ok(None) };
    let release = store.get_release(release)?;
    Ok(Some(CandidateInfo { release: release.version, commit: release.spec.commit, share }))
}
