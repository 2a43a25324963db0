use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get, serve::Listener};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    handlers::metrics,
    state::{ControlState, Shared},
};

/// Whoever can connect is answered, so what they can hold is little.
const CONNECTIONS: usize = 16;
/// One request and its answer. Prometheus gives up after 10 s by default.
const WHOLE_EXCHANGE: Duration = Duration::from_secs(30);

/// Answers `GET /metrics` until `shutdown`, to whoever can connect: nothing else is there, and nothing can be changed. One request for each
/// connection; at the shutdown all are dropped, because nobody is to hold up control by being slow.
pub async fn serve_metrics(mut listener: TcpListener, state: ControlState, shutdown: CancellationToken) {
    let shared = Shared::new(state, shutdown.clone());
    let router = Router::new().route("/metrics", get(metrics::show)).with_state(shared);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    let accepting = async {
        // Never closed.
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            let (stream, _) = Listener::accept(&mut listener).await;
            let router = router.clone();
            connections.spawn(async move {
                answer(stream, router).await;
                drop(place);
            });
            while connections.try_join_next().is_some() {}
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = accepting => {}
    }
    connections.shutdown().await;
}

async fn answer(stream: TcpStream, router: Router) {
    let connection = http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match timeout(WHOLE_EXCHANGE, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a reader of the metrics went away"),
        Err(_) => tracing::debug!("a reader of the metrics was too slow"),
    }
}
