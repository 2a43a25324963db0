//! The client library's errors in our words.

use std::io;

use bollard::errors::Error;

use crate::error::EngineError;

/// What an error of the client library means for the one who asked for `action`.
pub(crate) fn engine_error(action: impl Into<String>, error: Error) -> EngineError {
    match error {
        Error::SocketNotFoundError(path) => unavailable(&path),
        Error::HyperLegacyError { err } if err.is_connect() => EngineError::Unavailable(Box::new(err)),
        Error::DockerResponseServerError { message, .. } => {
            EngineError::Refused { action: action.into(), message: message.trim().to_owned() }
        }
        Error::DockerStreamError { error } => EngineError::Refused { action: action.into(), message: error },
        other => EngineError::Protocol { action: action.into(), source: Box::new(other) },
    }
}

/// The socket file is not there.
pub(crate) fn unavailable(path: &str) -> EngineError {
    EngineError::Unavailable(Box::new(io::Error::new(
        io::ErrorKind::NotFound,
        format!("{path} is not there"),
    )))
}

/// An answer that does not make sense.
pub(crate) fn protocol(
    action: impl Into<String>,
    why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> EngineError {
    EngineError::Protocol { action: action.into(), source: why.into() }
}

/// The HTTP status the engine answered with, if it answered with an error.
pub(crate) fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// `None` for 404.
pub(crate) fn found<T>(action: &str, result: Result<T, Error>) -> Result<Option<T>, EngineError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if status(&error) == Some(404) => Ok(None),
        Err(error) => Err(engine_error(action, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_carries_the_engines_words() {
        let error =
            Error::DockerResponseServerError { status_code: 403, message: "pool overlaps\n".to_owned() };
        assert_eq!(
            engine_error("make the network x", error).to_string(),
            "the engine refused to make the network x: pool overlaps"
        );
    }

    #[test]
    fn a_missing_socket_is_an_engine_that_does_not_answer() {
        let error = engine_error("ask", Error::SocketNotFoundError("/nowhere.sock".to_owned()));
        assert!(matches!(error, EngineError::Unavailable(_)));
    }
}
