use thiserror::Error;

/// Why a call to the engine failed.
#[derive(Debug, Error)]
pub enum EngineError {
    /// Nothing answers on the engine's socket.
    #[error("the Docker Engine does not answer; start it with `systemctl start docker`")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A named thing is not there.
    #[error("the engine has no {0}")]
    NotFound(String),
    /// A name is taken by something that is not ours.
    #[error("{0} exists in the engine but was not made by this paas; remove or rename it")]
    Foreign(String),
    /// The engine refused; its own words.
    #[error("the engine refused to {action}: {message}")]
    Refused {
        /// What was asked.
        action: String,
        /// The engine's message.
        message: String,
    },
    /// The answer was cut or not understood.
    #[error("the engine's answer to `{action}` was not understood")]
    Protocol {
        /// What was asked.
        action: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why a build gave no image.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The engine itself failed.
    #[error("the build could not run")]
    Engine(#[from] EngineError),
    /// A step of the Dockerfile failed; BuildKit's own words.
    #[error("{message}")]
    Step {
        /// The step that failed, as BuildKit names it, if it was one.
        step: Option<String>,
        /// BuildKit's message.
        message: String,
    },
    /// A base image could not be fetched.
    #[error("the base image {image} is not on this server and could not be pulled")]
    Pull {
        /// The reference as the Dockerfile has it.
        image: String,
        /// BuildKit's message.
        message: String,
    },
    /// Reading the source failed while it was being sent.
    #[error("the source could not be sent to the engine")]
    Context(#[source] std::io::Error),
}

impl BuildError {
    /// Whether the same build is likely to succeed when it runs again. containerd's image store (Engine 29's usual one) can lose a layer that a build
    /// is about to use when an image that has it too is removed at that moment.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Step { step: None, message }
            if message.contains("parent snapshot ") && message.contains("does not exist"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_lost_under_a_build_is_transient_and_a_failed_step_is_not() {
        let failed = |step: Option<&str>, message: &str| BuildError::Step {
            step: step.map(str::to_owned),
            message: message.to_owned(),
        };
        let lost = "failed to prepare extraction snapshot \"extract-609962027-PM5m sha256:bb3b\": parent snapshot sha256:ece9 does not exist: not found";
        assert!(failed(None, lost).is_transient());
        assert!(!failed(Some("[2/2] RUN make"), lost).is_transient());
        assert!(!failed(None, "dockerfile parse error line 2: unknown instruction: CPY").is_transient());
    }
}
