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
