use paas_docker::EngineError;
use paas_domain::Outcome;
use paas_store::StoreError;

/// Why a deploy stopped before the switch, in words for the person who pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What failed, one sentence.
    pub(crate) message: String,
    /// What was seen: a container's last lines, the answers of each probe.
    pub(crate) details: Vec<String>,
    /// What to do next.
    pub(crate) hints: Vec<String>,
}

impl Failure {
    /// A failure without details yet.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), details: Vec::new(), hints: Vec::new() }
    }

    /// Adds what was seen.
    #[must_use]
    pub(crate) fn details(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details);
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// Why a deploy did not reach the switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Something failed.
    Failed(Box<Failure>),
    /// Somebody or something ended it: cancelled, superseded, interrupted.
    Ended(Outcome),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        Failure::new(chain(&error)).into()
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Failure::new(chain(&error)).into()
    }
}

/// An error and its sources in one line; `Display` of our errors never repeats the source.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
