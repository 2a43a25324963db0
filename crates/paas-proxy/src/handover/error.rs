use std::{io, time::Duration};

/// Why a proxy could not hand over, or could not take over. A proxy that could not hand over goes on as before.
#[derive(Debug, thiserror::Error)]
pub enum HandOverError {
    /// Nobody told this proxy how to start another.
    #[error("this proxy cannot hand over; restart it instead")]
    NotPossible,
    /// One hand-over at a time.
    #[error("the proxy is handing over already; wait for it to end")]
    UnderWay,
    /// No process could be started.
    #[error("the new proxy could not be started")]
    Start(#[source] io::Error),
    /// The sockets or a message could not be passed.
    #[error("the two proxies could not speak to each other; the log says whether the new one ended and why")]
    Channel(#[source] io::Error),
    /// The new process says so itself.
    #[error("the new proxy could not take over: {why}")]
    Refused {
        /// What it says.
        why: String,
    },
    /// It was told to begin, and hung.
    #[error(
        "the new proxy did not begin within {} s and was ended; look at the log for why", after.as_secs()
    )]
    Stuck {
        /// How long was waited.
        after: Duration,
    },
    /// It said nothing in time.
    #[error("the new proxy was not ready within {} s; look at the log for why", after.as_secs())]
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
}
