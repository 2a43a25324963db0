use std::{convert::Infallible, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::UnixStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Admin, AdminListener};

const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause when the process is out of descriptors: the kernel offers no event for their return.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(50);

/// Serves commands until the shutdown, and ends those that wait for something.
pub(crate) async fn serve(admin: Arc<Admin>, socket: AdminListener, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    loop {
        tokio::select! {
            accepted = socket.listener.accept() => match accepted {
                Ok((stream, _)) => drop(tasks.spawn(connection(Arc::clone(&admin), stream, stop.clone()))),
                Err(error) => {
                    tracing::warn!(error = %error, "no command could be accepted; trying again");
                    tokio::time::sleep(OUT_OF_RESOURCES).await;
                }
            },
            () = stop.cancelled() => break,
        }
    }
    drop(socket);
    tasks.close();
    tasks.wait().await;
}

async fn connection(admin: Arc<Admin>, stream: UnixStream, stop: CancellationToken) {
    let service = service_fn(|request| {
        let admin = Arc::clone(&admin);
        async move { Ok::<_, Infallible>(admin.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        outcome = connection => if let Err(error) = outcome {
            tracing::debug!(error = %error, "an admin connection ended");
        },
        () = stop.cancelled() => {}
    }
}
