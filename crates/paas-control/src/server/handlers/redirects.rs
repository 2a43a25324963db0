use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{RawPathParams, State},
};
use http::StatusCode;
use paas_deploy::{HostRules, Origin};
use paas_domain::{Hostname, Redirect};
use paas_store::App;

use super::hosts;
use crate::{
    server::{
        extract::{Body, param},
        failure::Failure,
        identity::Identity,
        state::{self, blocking},
    },
    wire::{AddRedirect, RedirectInfo},
};

const OF_FILE: &str = "paas.toml redirects it: take it out of [[redirects]] there and push";

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<Vec<RedirectInfo>>, Failure> {
    let deployer = Arc::clone(shared.deployer());
    Ok(Json(in_force(&blocking(move || deployer.host_rules(&app)).await?)))
}

/// The hostnames an app redirects, and who says so.
pub(super) fn in_force(rules: &HostRules) -> Vec<RedirectInfo> {
    let info = |(redirect, origin): &(Redirect, Origin)| RedirectInfo {
        host: redirect.host.clone(),
        to: redirect.to.clone(),
        status: redirect.status,
        source: (*origin).into(),
    };
    rules.redirects.iter().map(info).collect()
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
    // Before its own: a redirect that a file has in force from there would lead back, and this one be refused for it.
    shared.deployer().apply_routes_beside(app.id, &redirect.to).await?;
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
    let (of, gone) = (app.clone(), hostname.clone());
    let was = shared
        .store(move |store| {
            let was = store.redirects(of.id)?.into_iter().find(|redirect| redirect.host == gone);
            store.remove_redirect(of.id, &gone).or_else(|error| {
                let is_of_file = store.declared(&of)?.redirects.iter().any(|redirect| redirect.host == gone);
                let failure = Failure::from(error);
                Err(if is_of_file { failure.hint(OF_FILE) } else { failure })
            })?;
            Ok::<_, Failure>(was)
        })
        .await?;
    tracing::info!(app.name = %app.name, %hostname, "removed a redirect");
    shared.deployer().apply_routes(app.id).await?;
    if let Some(was) = was {
        shared.deployer().apply_routes_beside(app.id, &was.to).await?;
    }
    Ok(Json(()))
}
