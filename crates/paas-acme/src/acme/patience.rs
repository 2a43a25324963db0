use std::time::Duration;

/// How long an authority is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// One HTTP request, from connecting to the end of the answer.
    pub request: Duration,
    /// The whole of [`Authority::complete`](crate::Authority::complete), without the removal of the challenges at its end.
    pub whole: Duration,
    /// The first wait between two looks at an order; it grows by half each time. A `Retry-After` goes before it.
    pub first_poll: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(30),
            whole: Duration::from_mins(5),
            first_poll: Duration::from_secs(1),
        }
    }
}
