use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use prometheus_client::{encoding::prometheus_text, registry::Registry};
use tokio::time::timeout;

use crate::server::{
    failure::Failure,
    metrics::Metrics,
    state::{self, PART_TIMEOUT},
};

/// Everything that is counted, as Prometheus reads it.
pub(crate) async fn show(State(shared): State<state::State>) -> Result<Response, Failure> {
    let certificates = std::sync::Arc::clone(shared.certificates());
    let proxy = timeout(PART_TIMEOUT, shared.deployer().proxy().metrics());
    let stored = shared.store(|store| Ok::<_, Failure>((store.list_apps()?, store.deploys_by_state()?)));
    let names = state::blocking(move || certificates.status());
    let (proxy, stored, names) = tokio::join!(proxy, stored, names);
    let (apps, deploys) = stored?;
    let metrics = Metrics {
        version: shared.control.version.clone(),
        apps: apps.into_iter().map(|app| (paas_deploy::service_name(app.id), app.name.to_string())).collect(),
        deploys,
        names: names?,
        // A proxy that is away is a figure too, and takes no other with it.
        proxy: proxy.ok().and_then(Result::ok),
    };
    let mut registry = Registry::default();
    registry.register_collector(Box::new(metrics));
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)
        .map_err(|error| Failure::internal("the metrics could not be written", &error))?;
    let kind = HeaderValue::from_static(prometheus_text::CONTENT_TYPE);
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
