use axum::{
    extract::{ConnectInfo, RawPathParams, Request, State, rejection::RawPathParamsRejection},
    middleware::Next,
    response::Response,
};
use http::StatusCode;
use paas_domain::{AppId, AppName};
use paas_store::{App, Store, StoreError, Wanted};

use super::{
    extract::param,
    failure::Failure,
    identity::{Identity, identify},
    peer::Peer,
    state::{self, Shared},
};

/// Who may use a route. Every route has one; it is checked before the handler runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Rule {
    /// Everybody the server knows; the handler shows each what is theirs.
    Anyone,
    /// Admins.
    Admin,
    /// Admins, and keys bound to the app that the path names. Others get the answer for an app that is not there.
    App,
    /// As `App`, but of those who may use the app only admins.
    AppAdmin,
    /// As `App`; the app stands in the request's body, or belongs to the push or deploy that is named, so the handler looks it up by
    /// [`visible`] or [`visible_by_id`].
    AppElsewhere,
    /// root on the server, not over ssh.
    ServerAdmin,
}

/// What a guard needs besides the request.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) shared: state::State,
    pub(super) rule: Rule,
}

/// Runs before every handler: finds out who asks, applies the route's rule, and leaves the [`Identity`] and the [`App`] to the handler.
pub(super) async fn guard(
    State(Guard { shared, rule }): State<Guard>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let identity = identify(&shared, peer, request.headers()).await?;
    let params = params.map_err(|_| Failure::refused("the path of the request is not UTF-8"))?;
    match rule {
        Rule::Anyone | Rule::AppElsewhere => {}
        Rule::Admin if identity.is_admin() => {}
        Rule::Admin => return Err(admins_only()),
        Rule::ServerAdmin if identity == Identity::ServerAdmin => {}
        Rule::ServerAdmin => return Err(server_only()),
        Rule::App | Rule::AppAdmin => {
            let app = visible(&shared, &identity, param(&params, "app")?).await?;
            if rule == Rule::AppAdmin && !identity.is_admin() {
                return Err(admins_only());
            }
            request.extensions_mut().insert(app);
        }
    }
    request.extensions_mut().insert(identity);
    Ok(next.run(request).await)
}

/// The app of that name, if it is there and the identity may use it. Both ways of no are one answer.
pub(super) async fn visible(shared: &Shared, identity: &Identity, name: AppName) -> Result<App, Failure> {
    if !identity.may_use(&name) {
        return Err(StoreError::NoApp(name).into());
    }
    shared.store(move |store| present(store, name)).await
}

/// The same by id; `absent` is what is answered instead.
pub(super) async fn visible_by_id(
    shared: &Shared,
    identity: &Identity,
    app: AppId,
    absent: impl Fn() -> Failure,
) -> Result<App, Failure> {
    let found = shared.store(move |store| store.get_app_by_id(app)).await;
    let app =
        found.map_err(|failure| if failure.status == StatusCode::NOT_FOUND { absent() } else { failure })?;
    if identity.may_use(&app.name) && !is_going(&app) { Ok(app) } else { Err(absent()) }
}

/// Whether the app is being destroyed: for everybody it is gone.
pub(super) fn is_going(app: &App) -> bool {
    matches!(app.wanted, Wanted::Destroyed { .. })
}

fn present(store: &Store, name: AppName) -> Result<App, StoreError> {
    match store.find_app(&name)? {
        Some(app) if !is_going(&app) => Ok(app),
        _ => Err(StoreError::NoApp(name)),
    }
}

fn admins_only() -> Failure {
    Failure::refused("only an admin may do this")
        .hint("ask an admin of the server")
        .with_status(StatusCode::FORBIDDEN)
}

fn server_only() -> Failure {
    Failure::refused("this can only be done on the server itself")
        .hint("log in to the server and run the command as root")
        .with_status(StatusCode::FORBIDDEN)
}
