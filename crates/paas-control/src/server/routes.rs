use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    middleware,
    routing::{MethodFilter, MethodRouter, on},
};
use http::{Method, StatusCode};

use super::{
    failure::Failure,
    handlers::{
        apps, canary, certificates, config, deploys, domains, ip_ranges, keys, logs, metrics, mounts, pages,
        path_routes, processes, purge, pushes, redirects, releases, settings, status, users, volumes,
    },
    rule::{Guard, Rule, guard},
    state::State,
};

/// The largest body a request may have, in bytes.
const BODY_LIMIT: usize = 2 * 1024 * 1024;

/// One endpoint. There is no other way to make one, so none is without a rule.
pub(super) struct Route {
    #[cfg_attr(not(test), allow(dead_code, reason = "the tests ask every route by its method"))]
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) rule: Rule,
    handler: MethodRouter<State>,
}

fn get<H: Handler<T, State>, T: 'static>(path: &'static str, rule: Rule, handler: H) -> Route {
    Route { method: Method::GET, path, rule, handler: on(MethodFilter::GET, handler) }
}

fn post<H: Handler<T, State>, T: 'static>(path: &'static str, rule: Rule, handler: H) -> Route {
    Route { method: Method::POST, path, rule, handler: on(MethodFilter::POST, handler) }
}

fn patch<H: Handler<T, State>, T: 'static>(path: &'static str, rule: Rule, handler: H) -> Route {
    Route { method: Method::PATCH, path, rule, handler: on(MethodFilter::PATCH, handler) }
}

fn delete<H: Handler<T, State>, T: 'static>(path: &'static str, rule: Rule, handler: H) -> Route {
    Route { method: Method::DELETE, path, rule, handler: on(MethodFilter::DELETE, handler) }
}

/// Every endpoint, with who may use it.
pub(super) fn table() -> Vec<Route> {
    use Rule::{Admin, Anyone, App, AppAdmin, AppElsewhere, ServerAdmin};
    vec![
        get("/v1/status", Anyone, status::show),
        get("/v1/metrics", Admin, metrics::show),
        get("/v1/apps", Anyone, apps::list),
        post("/v1/apps", Admin, apps::create),
        get("/v1/apps/{app}", App, apps::show),
        delete("/v1/apps/{app}", AppAdmin, apps::destroy),
        post("/v1/apps/{app}/rename", AppAdmin, apps::rename),
        get("/v1/apps/{app}/config", App, config::show),
        patch("/v1/apps/{app}/config", App, config::change),
        patch("/v1/apps/{app}/settings", App, settings::change),
        get("/v1/apps/{app}/domains", App, domains::list),
        post("/v1/apps/{app}/domains", App, domains::add),
        delete("/v1/apps/{app}/domains/{hostname}", App, domains::remove),
        get("/v1/apps/{app}/routes", App, path_routes::list),
        post("/v1/apps/{app}/routes", App, path_routes::add),
        delete("/v1/apps/{app}/routes", App, path_routes::remove),
        get("/v1/apps/{app}/redirects", App, redirects::list),
        post("/v1/apps/{app}/redirects", App, redirects::add),
        delete("/v1/apps/{app}/redirects/{hostname}", App, redirects::remove),
        get("/v1/apps/{app}/users", App, users::list),
        post("/v1/apps/{app}/users", App, users::add),
        delete("/v1/apps/{app}/users", App, users::remove),
        get("/v1/apps/{app}/ip-ranges", App, ip_ranges::list),
        post("/v1/apps/{app}/ip-ranges", App, ip_ranges::add),
        delete("/v1/apps/{app}/ip-ranges", App, ip_ranges::remove),
        get("/v1/apps/{app}/pages", App, pages::list),
        post("/v1/apps/{app}/pages", App, pages::set),
        delete("/v1/apps/{app}/pages", App, pages::unset),
        get("/v1/certificates", Anyone, certificates::list),
        get("/v1/certificates/root", Anyone, certificates::root),
        post("/v1/apps/{app}/certificates", App, certificates::add),
        delete("/v1/apps/{app}/certificates", App, certificates::remove),
        post("/v1/apps/{app}/certificates/renew", App, certificates::renew),
        get("/v1/volumes", Anyone, volumes::list),
        post("/v1/volumes", Admin, volumes::create),
        delete("/v1/volumes/{volume}", Admin, volumes::destroy),
        get("/v1/apps/{app}/mounts", App, mounts::list),
        post("/v1/apps/{app}/mounts", App, mounts::add),
        delete("/v1/apps/{app}/mounts", App, mounts::remove),
        get("/v1/apps/{app}/processes", App, processes::list),
        post("/v1/apps/{app}/processes/restart", App, processes::restart),
        post("/v1/apps/{app}/processes/stop", App, processes::stop),
        post("/v1/apps/{app}/processes/start", App, processes::start),
        post("/v1/apps/{app}/processes/scale", App, processes::scale),
        get("/v1/apps/{app}/releases", App, releases::list),
        post("/v1/apps/{app}/canary", App, canary::change),
        post("/v1/apps/{app}/canary/promote", App, canary::promote),
        post("/v1/apps/{app}/canary/abort", App, canary::abort),
        get("/v1/apps/{app}/logs", App, logs::show),
        get("/v1/keys", Admin, keys::list),
        post("/v1/keys", Admin, keys::add),
        delete("/v1/keys/{key}", Admin, keys::remove),
        // Makes the app when an admin pushes to one that is not there.
        post("/v1/apps/{app}/prepare-push", AppElsewhere, pushes::prepare),
        post("/v1/pushes", AppElsewhere, pushes::start),
        post("/v1/pushes/{push}/cancel", AppElsewhere, pushes::cancel),
        post("/v1/pushes/{push}/received", AppElsewhere, pushes::received),
        get("/v1/deploys/{deploy}/events", AppElsewhere, deploys::follow),
        post("/v1/purge", ServerAdmin, purge::purge),
    ]
}

/// The table as a service.
pub(super) fn router(shared: State) -> Router {
    let mut router = Router::new();
    for route in table() {
        let guarded = Guard { shared: shared.clone(), rule: route.rule };
        let handler = route.handler.route_layer(middleware::from_fn_with_state(guarded, guard));
        router = router.route(route.path, handler);
    }
    router
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(shared)
}

async fn unknown_path() -> Failure {
    Failure::not_found("the server has no such endpoint")
        .hint("client and server may be of different versions")
}

async fn unknown_method() -> Failure {
    Failure::refused("this endpoint does not take that method").with_status(StatusCode::METHOD_NOT_ALLOWED)
}
