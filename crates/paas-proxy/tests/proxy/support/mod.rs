mod app;
mod deaf;
mod frames;
mod h2c_app;
mod http2;
mod http3;
mod proxy;
mod raw;
mod successor;
mod tls;
mod turns;
mod undisturbed;

pub use app::App;
pub use deaf::Deaf;
pub use frames::{Frame, RawHttp2, frame, kind};
pub use h2c_app::H2cApp;
pub use http2::{Body, Sender, collected, frames, http2, http2_over, next, whole};
pub use http3::{Http3, Kept, collect, quic};
pub use proxy::{PROMPT, TestProxy, config_in, limits, service, target};
pub use raw::{Answer, RawApp, Wire, header, parse_answer};
pub use successor::Next;
pub use tls::{Certified, Client, TlsStream, Versions, leaf};
pub use turns::{in_turn, in_turn_each};
pub use undisturbed::{FRESH, LAST_REQUESTS, time_of, undisturbed};

use std::time::Duration;

/// How long anything in a test may take before it counts as hanging.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Fails the test when a step hangs.
pub async fn within<T>(what: &str, step: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, step)
        .await
        .unwrap_or_else(|_| panic!("{what} did not happen in {DEADLINE:?}"))
}

/// Looks again until something is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    within(what, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}
