use axum::{Extension, Json, extract::State};
use http::StatusCode;
use paas_domain::PathRoute;
use paas_store::App;

use super::hosts;
use crate::{
    server::{extract::Body, failure::Failure, identity::Identity, state},
    wire::{AddRoute, RemoveRoute},
};

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<Vec<PathRoute>>, Failure> {
    Ok(Json(shared.store(move |store| store.path_routes(app.id)).await?))
}

pub(crate) async fn add(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    Extension(app): Extension<App>,
    Body(request): Body<AddRoute>,
) -> Result<(StatusCode, Json<()>), Failure> {
    let route = PathRoute::parse(&request.route, request.strip)?;
    hosts::check_part(&shared, &identity, &app, &route.host).await?;
    let wanted = route.clone();
    let changed = shared
        .store(move |store| {
            let added = store.add_path_route(app.id, &wanted, |other| identity.may_use(other));
            added.map_err(|error| hosts::hide_owner(&identity, &wanted.host, error))
        })
        .await?;
    tracing::info!(app.name = %app.name, %route, strip = route.strip, changed, "added a route");
    let given_up = shared.deployer().apply_routes(app.id).await?;
    hosts::check_in_force(&given_up, &route.to_string(), &format!("routes:remove {} {route}", app.name))?;
    Ok((if changed { StatusCode::CREATED } else { StatusCode::OK }, Json(())))
}

pub(crate) async fn remove(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Body(request): Body<RemoveRoute>,
) -> Result<Json<()>, Failure> {
    let route = PathRoute::parse(&request.route, false)?;
    let gone = route.clone();
    shared.store(move |store| store.remove_path_route(app.id, &gone.host, &gone.path)).await?;
    tracing::info!(app.name = %app.name, %route, "removed a route");
    shared.deployer().apply_routes(app.id).await?;
    Ok(Json(()))
}
