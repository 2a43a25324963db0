use std::io;

use axum::{
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use thiserror::Error;
use tokio::{net::UnixListener, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    authorized_keys::RenderKeysError,
    peer::Peer,
    routes::router,
    state::{ControlState, LAST_WORDS, Shared},
};

/// Why the API does not serve.
#[derive(Debug, Error)]
pub enum ServeError {
    /// sshd would let in the wrong keys.
    #[error("the ssh keys could not be written for sshd")]
    Keys(#[from] RenderKeysError),
    /// The socket failed.
    #[error("the API's socket failed")]
    Socket(#[source] io::Error),
}

/// Answers on the socket until `shutdown`; then ends the streams, completes the other requests, and returns. A client that does not send the rest of what
/// it began, or does not take its answer, is left a few seconds later: nobody is to hold up control by being silent. Writes the ssh keys' file
/// first, so that it agrees with the store whatever a crash left.
pub async fn serve(
    listener: UnixListener,
    state: ControlState,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let (keys, store) = (state.keys.clone(), state.deployer.store().clone());
    let rendered = tokio::task::spawn_blocking(move || keys.render(&store)).await;
    rendered.map_err(|error| ServeError::Socket(io::Error::other(error)))??;
    let under_way = TaskTracker::new();
    let router = router(Shared::new(state, shutdown.clone()))
        .layer(middleware::from_fn_with_state(under_way.clone(), count));
    let serving = axum::serve(listener, router.into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(shutdown.clone().cancelled_owned());
    tokio::select! {
        served = serving.into_future() => served.map_err(ServeError::Socket),
        () = all_that_came(&under_way, &shutdown) => {
            tracing::info!("clients that did not send or take what was left are left");
            Ok(())
        }
    }
}

/// Counts a request until the head of its answer is there. What comes after that are streams, which end by themselves, and what waits for the client.
async fn count(State(under_way): State<TaskTracker>, request: Request, next: Next) -> Response {
    let _counted = under_way.token();
    next.run(request).await
}

/// Resolves after the shutdown, when every request that came whole is answered and its client had time to take that.
async fn all_that_came(under_way: &TaskTracker, shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    under_way.close();
    loop {
        under_way.wait().await;
        sleep(LAST_WORDS).await;
        if under_way.is_empty() {
            return;
        }
    }
}
