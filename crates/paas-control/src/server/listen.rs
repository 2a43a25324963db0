use std::io;

use thiserror::Error;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use super::{
    authorized_keys::RenderKeysError,
    peer::Peer,
    routes::router,
    state::{ControlState, Shared},
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

/// Answers on the socket until `shutdown`; then ends the streams, completes the other requests, and returns. Writes the ssh keys' file first, so
/// that it agrees with the store whatever a crash left.
pub async fn serve(
    listener: UnixListener,
    state: ControlState,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let (keys, store) = (state.keys.clone(), state.deployer.store().clone());
    let rendered = tokio::task::spawn_blocking(move || keys.render(&store)).await;
    rendered.map_err(|error| ServeError::Socket(io::Error::other(error)))??;
    let router = router(Shared::new(state, shutdown.clone()));
    axum::serve(listener, router.into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
        .map_err(ServeError::Socket)
}
