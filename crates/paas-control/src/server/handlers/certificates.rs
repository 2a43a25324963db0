use std::collections::HashMap;

use axum::{Extension, Json, extract::State};
use http::StatusCode;
use paas_certs::{NameState, NameStatus};
use paas_domain::{AppId, AppName};
use paas_store::App;
use time::OffsetDateTime;

use crate::{
    server::{
        extract::Body,
        failure::Failure,
        identity::Identity,
        state::{self, blocking},
    },
    wire::{
        AddCertificate, AffectedNames, CertificateInfo, CertificateState, NamedCertificate,
        RemoveCertificate, RenewCertificate, RootCertificate,
    },
};

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
) -> Result<Json<Vec<NamedCertificate>>, Failure> {
    let keeper = shared.certificates().clone();
    let (names, apps) =
        shared.store(move |store| Ok::<_, Failure>((keeper.status()?, store.list_apps()?))).await?;
    let apps: HashMap<AppId, AppName> = apps.into_iter().map(|app| (app.id, app.name)).collect();
    let with_app = |name: NameStatus| {
        let app = name.app.and_then(|app| apps.get(&app).cloned());
        NamedCertificate { hostname: name.host.clone(), app, certificate: info(&name) }
    };
    // An app that went meanwhile has no name any more: only names without an app are everybody's.
    let is_visible = |name: &NameStatus| match name.app {
        Some(app) => apps.get(&app).is_some_and(|app| identity.may_use(app)),
        None => true,
    };
    let names: Vec<NameStatus> = names.into_iter().filter(is_visible).collect();
    Ok(Json(names.into_iter().map(with_app).collect()))
}

pub(crate) async fn root(State(shared): State<state::State>) -> Result<Json<RootCertificate>, Failure> {
    let keeper = shared.certificates().clone();
    let certificate = blocking(move || keeper.root()).await?;
    Ok(Json(RootCertificate { certificate }))
}

pub(crate) async fn add(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Body(request): Body<AddCertificate>,
) -> Result<(StatusCode, Json<AffectedNames>), Failure> {
    let keeper = shared.certificates().clone();
    let hostnames = blocking(move || keeper.add(&app, &request.pem)).await?;
    Ok((StatusCode::CREATED, Json(AffectedNames { hostnames })))
}

pub(crate) async fn remove(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Body(request): Body<RemoveCertificate>,
) -> Result<Json<()>, Failure> {
    let keeper = shared.certificates().clone();
    blocking(move || keeper.remove(&app, request.hostname.as_ref())).await?;
    Ok(Json(()))
}

pub(crate) async fn renew(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Body(request): Body<RenewCertificate>,
) -> Result<Json<AffectedNames>, Failure> {
    let keeper = shared.certificates().clone();
    let hostnames = blocking(move || {
        let mut renewed = Vec::new();
        let names = keeper.status_of(app.id)?.into_iter().map(|name| name.host);
        for host in names.filter(|host| request.hostname.as_ref().is_none_or(|wanted| wanted == host)) {
            if keeper.renew(&host, request.anew)? {
                renewed.push(host);
            }
        }
        Ok::<_, Failure>(renewed)
    });
    let hostnames = hostnames.await?;
    if hostnames.is_empty() {
        return Err(Failure::refused("there is nothing to order for this now").hint(
            "`domains` shows how each name stands; a good certificate is ordered anew at most once a day",
        ));
    }
    Ok(Json(AffectedNames { hostnames }))
}

/// What the person is told about a name's certificate.
pub(super) fn info(name: &NameStatus) -> CertificateInfo {
    CertificateInfo {
        state: match name.state {
            NameState::Valid => CertificateState::Valid,
            NameState::Trial => CertificateState::Trial,
            NameState::Own => CertificateState::Own,
            NameState::Ordering => CertificateState::Ordering,
            NameState::Failing => CertificateState::Failing,
        },
        issuer: name.issuer.clone(),
        not_after: name.not_after,
        days_left: name.not_after.map(|end| (end - OffsetDateTime::now_utc()).whole_days()),
        next_try: name.next_try,
        problem: name.problem.clone(),
        sentence: name.sentence.clone(),
    }
}
