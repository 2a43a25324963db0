use axum::{
    Extension, Json,
    extract::{RawPathParams, State},
};
use http::StatusCode;
use paas_certs::NameStatus;
use paas_domain::Hostname;
use paas_store::App;

use super::{certificates, hosts};
use crate::{
    server::{
        extract::{Body, param},
        failure::Failure,
        identity::Identity,
        state::{self, blocking},
    },
    wire::{AddDomain, DomainInfo},
};

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<Vec<DomainInfo>>, Failure> {
    let own = shared.deployer().settings().default_host(&app.name);
    let keeper = shared.certificates().clone();
    let names = blocking(move || keeper.status_of(app.id)).await?;
    let domain = |name: NameStatus| DomainInfo {
        own: own.as_ref() == Some(&name.host),
        certificate: certificates::info(&name),
        hostname: name.host,
    };
    Ok(Json(names.into_iter().map(domain).collect()))
}

pub(crate) async fn add(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    Extension(app): Extension<App>,
    Body(request): Body<AddDomain>,
) -> Result<(StatusCode, Json<()>), Failure> {
    hosts::keep_default_hosts(&shared, &app, &request.hostname)?;
    hosts::check_wildcard(&shared, &identity, &request.hostname)?;
    let hostname = request.hostname.clone();
    let added = shared
        .store(move |store| {
            let added = store.add_domain(app.id, &request.hostname, |other| identity.may_use(other));
            added.map_err(|error| hosts::hide_owner(&identity, &request.hostname, error))
        })
        .await?;
    tracing::info!(app.name = %app.name, %hostname, added, "added a domain");
    let given_up = shared.deployer().apply_routes(app.id).await?;
    hosts::check_in_force(&given_up, hostname.as_str(), &format!("domains:remove {} {hostname}", app.name))?;
    Ok((if added { StatusCode::CREATED } else { StatusCode::OK }, Json(())))
}

pub(crate) async fn remove(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    Extension(app): Extension<App>,
    params: RawPathParams,
) -> Result<Json<()>, Failure> {
    let hostname: Hostname = param(&params, "hostname")?;
    let gone = hostname.clone();
    shared.store(move |store| store.remove_domain(app.id, &gone, |other| identity.may_use(other))).await?;
    tracing::info!(app.name = %app.name, %hostname, "removed a domain");
    shared.deployer().apply_routes(app.id).await?;
    Ok(Json(()))
}
