use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use http::StatusCode;
use paas_deploy::{HostRules, Origin};
use paas_domain::PathRoute;
use paas_store::App;

use super::hosts;
use crate::{
    server::{
        extract::Body,
        failure::Failure,
        identity::Identity,
        state::{self, blocking},
    },
    wire::{AddRoute, RemoveRoute, RouteInfo},
};

const OF_FILE: &str = "paas.toml leads it here: take it out of [[routes]] there and push";

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<Vec<RouteInfo>>, Failure> {
    let deployer = Arc::clone(shared.deployer());
    Ok(Json(in_force(&blocking(move || deployer.host_rules(&app)).await?)))
}

/// The paths that lead to an app, and who says so.
pub(super) fn in_force(rules: &HostRules) -> Vec<RouteInfo> {
    let info = |(route, origin): &(PathRoute, Origin)| RouteInfo {
        host: route.host.clone(),
        path: route.path.clone(),
        strip: route.strip,
        source: (*origin).into(),
    };
    rules.routes.iter().map(info).collect()
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
    shared.deployer().apply_routes_beside(app.id, &route.host).await?;
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
    let (of, gone, deployer) = (app.clone(), route.clone(), Arc::clone(shared.deployer()));
    shared
        .store(move |store| {
            store.remove_path_route(of.id, &gone.host, &gone.path).or_else(|error| {
                let is_it =
                    |(route, _): &(PathRoute, Origin)| (&route.host, &route.path) == (&gone.host, &gone.path);
                // No command's, or it would have been removed.
                let is_of_file = deployer.host_rules(&of)?.routes.iter().any(is_it);
                let failure = Failure::from(error);
                Err(if is_of_file { failure.hint(OF_FILE) } else { failure })
            })
        })
        .await?;
    tracing::info!(app.name = %app.name, %route, "removed a route");
    shared.deployer().apply_routes(app.id).await?;
    shared.deployer().apply_routes_beside(app.id, &route.host).await?;
    Ok(Json(()))
}
