use std::time::Duration;

use http_body_util::BodyExt;
use tokio::time::timeout;

use crate::body::ClientBody;

/// How long the rest of a refused request may take to come.
const LONGEST: Duration = Duration::from_secs(10);

/// Reads away the rest of a request whose answer needs none of it. Closing on unread bytes makes the kernel reset the connection, and
/// the client may lose the answer. In HTTP/1.1 the body being read keeps the connection open; the other versions end the stream alone.
pub(crate) async fn linger(mut rest: ClientBody) {
    let read = async { while let Some(Ok(_)) = rest.frame().await {} };
    // Who takes longer is not waited for.
    let _ = timeout(LONGEST, read).await;
}
