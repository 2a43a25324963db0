use std::time::Duration;

/// What one turn gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Handshakes or requests.
    pub(crate) count: u64,
    /// How long the client was at it.
    pub(crate) wall: Duration,
    /// What the server's processes used meanwhile, user and system time together.
    pub(crate) cpu: Duration,
    /// What 99 of 100 requests stayed below, if it was measured.
    pub(crate) p99: Option<Duration>,
}

impl Sample {
    pub(crate) fn per_second(&self) -> f64 {
        rate(self.count, self.wall)
    }

    pub(crate) fn per_cpu_second(&self) -> f64 {
        rate(self.count, self.cpu)
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// The middle of several figures and how far they reach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// All zero without figures.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |place: usize| sorted.get(place).copied().unwrap_or_default();
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            f64::midpoint(at(middle.saturating_sub(1)), at(middle))
        } else {
            at(middle)
        };
        Self { median, least: at(0), most: at(sorted.len().saturating_sub(1)) }
    }
}
