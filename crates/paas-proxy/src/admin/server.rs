use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::UnixStream, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Admin, AdminListener};

const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the answer to the last command may take to be read.
const LAST_ANSWER: Duration = Duration::from_secs(1);

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
    let handing_over = AtomicBool::new(false);
    let service = service_fn(|request| {
        let admin = Arc::clone(&admin);
        handing_over.store(Admin::is_hand_over(&request), Ordering::Relaxed);
        async move { Ok::<_, Infallible>(admin.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stop.cancelled() => {
            // What waits for something is not worth waiting for. But what ends this process has an answer.
            if !handing_over.load(Ordering::Relaxed) {
                return;
            }
            connection.as_mut().graceful_shutdown();
            timeout(LAST_ANSWER, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(error = %error, "an admin connection ended");
    }
}
