use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::{runtime::Handle, time::timeout};

use crate::io::Busy;

/// How long the rest of a body that nobody wants may take to come.
const LONGEST: Duration = Duration::from_secs(10);

/// Reads away the rest of a body, which keeps its connection open, and busy until then. Who takes longer is not waited for.
pub(crate) fn linger(mut rest: Incoming, busy: Busy) {
    // The runtime may be at its end: then so is the connection.
    let Ok(runtime) = Handle::try_current() else { return };
    runtime.spawn(async move {
        let read = async { while let Some(Ok(_)) = rest.frame().await {} };
        let _ = timeout(LONGEST, read).await;
        drop((rest, busy));
    });
}
