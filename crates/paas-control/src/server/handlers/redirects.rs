use axum::{
    Extension, Json,
    extract::{RawPathParams, State},
};
use http::StatusCode;
use paas_domain::{Hostname, Redirect};
use paas_store::App;

use super::hosts;
use crate::{
    server::{
        extract::{Body, param},
        failure::Failure,
        identity::Identity,
        state,
    },
    wire::AddRedirect,
};

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<Vec<Redirect>>, Failure> {
    Ok(Json(shared.store(move |store| store.redirects(app.id)).await?))
}

pub(crate) async fn add(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    Extension(app): Extension<App>,
    Body(request): Body<AddRedirect>,
) -> Result<(StatusCode, Json<()>), Failure> {
    let AddRedirect { host, to, status } = request;
    if to.is_wildcard() {
        return Err(Failure::refused(format!("{to} is no hostname that visitors could be sent to"))
            .hint("use one hostname, like www.example.org"));
    }
    hosts::keep_hosts_of_others(&shared, &app, &host)?;
    hosts::check_wildcard(&shared, &identity, &host)?;
    let redirect = Redirect { host, to, status };
    let wanted = redirect.clone();
    let changed = shared
        .store(move |store| {
            let added = store.add_redirect(app.id, &wanted, |other| identity.may_use(other));
            added.map_err(|error| hosts::hide_owner(&identity, &wanted.host, error))
        })
        .await?;
    tracing::info!(app.name = %app.name, host = %redirect.host, to = %redirect.to, changed, "added a redirect");
    let given_up = shared.deployer().apply_routes(app.id).await?;
    hosts::check_in_force(
        &given_up,
        redirect.host.as_str(),
        &format!("redirects:remove {} {}", app.name, redirect.host),
    )?;
    Ok((if changed { StatusCode::CREATED } else { StatusCode::OK }, Json(())))
}

pub(crate) async fn remove(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    params: RawPathParams,
) -> Result<Json<()>, Failure> {
    let hostname: Hostname = param(&params, "hostname")?;
    let gone = hostname.clone();
    shared.store(move |store| store.remove_redirect(app.id, &gone)).await?;
    tracing::info!(app.name = %app.name, %hostname, "removed a redirect");
    shared.deployer().apply_routes(app.id).await?;
    Ok(Json(()))
}
