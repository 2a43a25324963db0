use axum::{
    Extension, Json,
    extract::{RawPathParams, State},
};
use http::StatusCode;
use paas_certs::NameStatus;
use paas_domain::Hostname;
use paas_store::{App, StoreError};

use super::certificates;
use crate::{
    server::{
        extract::{Body, param},
        failure::Failure,
        identity::Identity,
        state::{self, Shared, blocking},
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
    keep_default_hosts(&shared, &app, &request.hostname)?;
    if request.hostname.is_wildcard() && shared.certificates().has_dns_hook() && !identity.is_admin() {
        // The hook changes the administrator's zones: that it can says nothing about whose names these are.
        return Err(Failure::refused(
            "only an admin adds a wildcard here, because this server changes DNS records for it",
        )
        .hint("ask an admin of the server")
        .with_status(StatusCode::FORBIDDEN));
    }
    let hostname = request.hostname.clone();
    let added = shared
        .store(move |store| match store.add_domain(app.id, &request.hostname) {
            // Which app has it is told only to those who may see that app.
            Err(StoreError::DomainTaken { hostname, app }) if !identity.may_use(&app) => {
                Err(Failure::conflict(format!("{hostname} leads to another app already")))
            }
            other => other.map_err(Failure::from),
        })
        .await?;
    tracing::info!(app.name = %app.name, %hostname, added, "added a domain");
    shared.deployer().apply_routes(app.id).await?;
    Ok((if added { StatusCode::CREATED } else { StatusCode::OK }, Json(())))
}

pub(crate) async fn remove(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    params: RawPathParams,
) -> Result<Json<()>, Failure> {
    let hostname: Hostname = param(&params, "hostname")?;
    let gone = hostname.clone();
    shared.store(move |store| store.remove_domain(app.id, &gone)).await?;
    tracing::info!(app.name = %app.name, %hostname, "removed a domain");
    shared.deployer().apply_routes(app.id).await?;
    Ok(Json(()))
}

/// `<name>.<domain of the server>` belongs to the app of that name, today's or a future one.
fn keep_default_hosts(shared: &Shared, app: &App, hostname: &Hostname) -> Result<(), Failure> {
    let settings = shared.deployer().settings();
    if settings.default_host(&app.name).as_ref() == Some(hostname) {
        return Err(Failure::conflict(format!(
            "{hostname} leads to {} already: every app has this name",
            app.name
        )));
    }
    if hostname.as_str() == settings.domain {
        return Err(Failure::conflict(format!("{hostname} is the server's own name"))
            .hint("use a hostname of your own"));
    }
    if Hostname::new(&settings.domain).is_ok_and(|own| own.is_covered_by([hostname.as_str()])) {
        return Err(Failure::conflict(format!("{hostname} would lead {} to an app too", settings.domain))
            .hint("use a hostname of your own"));
    }
    let below =
        hostname.as_str().strip_suffix(settings.domain.as_str()).and_then(|rest| rest.strip_suffix('.'));
    if below.is_some_and(|label| !label.contains('.')) {
        return Err(Failure::conflict(format!("{hostname} is kept for the app of that name"))
            .hint("rename the app with `apps:rename`, or use another hostname"));
    }
    let owner = below.and_then(|labels| labels.rsplit('.').next());
    if owner.is_some_and(|owner| owner != app.name.as_str()) {
        return Err(Failure::conflict(format!("{hostname} lies below another app's own name"))
            .hint("use a hostname of your own"));
    }
    Ok(())
}
