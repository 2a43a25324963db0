use std::collections::BTreeMap;

use axum::{Extension, Json, extract::State};
use http::StatusCode;
use paas_store::App;

use crate::{
    server::{extract::Body, failure::Failure, state},
    wire::{PageInfo, SetPage, Source, UnsetPage},
};

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<Vec<PageInfo>>, Failure> {
    let (commanded, declared) = shared
        .store(move |store| Ok::<_, Failure>((store.front_door(app.id)?.pages, store.declared(&app)?.pages)))
        .await?;
    let all = declared.iter().map(|page| (page, Source::Manifest));
    let all = all.chain(commanded.iter().map(|page| (page, Source::Command)));
    // The later of two of one name is in force.
    let in_force: BTreeMap<_, _> = all.map(|((page, html), source)| (*page, (html.len(), source))).collect();
    let info = |(page, (bytes, source))| PageInfo { page, bytes, source };
    Ok(Json(in_force.into_iter().map(info).collect()))
}

pub(crate) async fn set(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Body(request): Body<SetPage>,
) -> Result<(StatusCode, Json<()>), Failure> {
    let page = request.page;
    let changed = shared.store(move |store| store.set_page(app.id, page, &request.html)).await?;
    tracing::info!(app.name = %app.name, %page, changed, "set a page");
    shared.deployer().apply_routes(app.id).await?;
    Ok((if changed { StatusCode::CREATED } else { StatusCode::OK }, Json(())))
}

pub(crate) async fn unset(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Body(UnsetPage { page }): Body<UnsetPage>,
) -> Result<Json<()>, Failure> {
    shared.store(move |store| store.unset_page(app.id, page)).await?;
    tracing::info!(app.name = %app.name, %page, "took a page back");
    shared.deployer().apply_routes(app.id).await?;
    Ok(Json(()))
}
