use std::error::Error;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use paas_certs::{AddError, KeepError, RemoveCertificateError};
use paas_deploy::{ApplyRoutesError, RemoveError, StartDeployError, chain};
use paas_docker::EngineError;
use paas_domain::NameError;
use paas_store::StoreError;

use crate::wire::{ApiError, ErrorBody, ErrorKind};

/// Why a handler did not do what was asked: the words for the person and the HTTP status.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(super) status: StatusCode,
    pub(super) error: ApiError,
}

impl Failure {
    pub(super) fn refused(message: impl Into<String>) -> Self {
        ApiError::new(ErrorKind::Refused, message).into()
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        ApiError::new(ErrorKind::NotFound, message).into()
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        ApiError::new(ErrorKind::Conflict, message).into()
    }

    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        ApiError::new(ErrorKind::Unavailable, message).into()
    }

    /// Our own fault: logged here, once, with its causes; the person is told what it means and where the rest is.
    pub(super) fn internal(what: &str, error: &dyn Error) -> Self {
        tracing::error!(error = %chain(error), "{what}");
        let failure: Self = ApiError::new(ErrorKind::Internal, format!("{what}: {error}")).into();
        failure.hint("`journalctl -u paas` on the server says more")
    }

    pub(super) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.error = self.error.hint(hint);
        self
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let status = match error.kind {
            ErrorKind::Refused => StatusCode::BAD_REQUEST,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, error }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(ErrorBody { error: self.error })).into_response()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        use paas_store::ErrorKind as Store;
        match error.kind() {
            Store::NotFound => Self::not_found(chain(&error)),
            Store::Conflict | Store::Exhausted => Self::conflict(chain(&error)),
            Store::Invalid => Self::refused(chain(&error)),
            Store::Internal => Self::internal("the database did not do what was asked", &error),
        }
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Self::refused(error.to_string())
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Foreign(_) => Self::conflict(chain(&error)),
            // What the engine said is for the person; the cause below it (a path, an errno) is for the log.
            EngineError::Unavailable(_) => Self::unavailable(error.to_string()),
            _ => Self::unavailable(chain(&error)),
        }
    }
}

impl From<KeepError> for Failure {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Store(error) => error.into(),
            error => Self::internal("the certificates could not be seen to", &error),
        }
    }
}

impl From<AddError> for Failure {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Store(error) => error.into(),
            error => Self::refused(error.to_string()),
        }
    }
}

impl From<RemoveCertificateError> for Failure {
    fn from(error: RemoveCertificateError) -> Self {
        match error {
            RemoveCertificateError::Store(error) => error.into(),
            RemoveCertificateError::Several { .. } => Self::refused(error.to_string()),
            error => Self::not_found(error.to_string()),
        }
    }
}

impl From<StartDeployError> for Failure {
    fn from(error: StartDeployError) -> Self {
        match error {
            StartDeployError::Store(error) => error.into(),
            StartDeployError::Destroyed => Self::conflict(error.to_string()),
            StartDeployError::Stopping => Self::unavailable(error.to_string()),
        }
    }
}

impl From<RemoveError> for Failure {
    fn from(error: RemoveError) -> Self {
        match error {
            RemoveError::Store(error) => error.into(),
            RemoveError::Later(_) => Self::unavailable(error.to_string()),
        }
    }
}

impl From<ApplyRoutesError> for Failure {
    fn from(error: ApplyRoutesError) -> Self {
        match error {
            ApplyRoutesError::Store(error) => error.into(),
            ApplyRoutesError::Proxy(_) if !error.may_pass() => {
                Self::conflict(format!("this is stored, and the proxy refuses it: {}", chain(&error))).hint(
                    "the app's visitors get what was before; take it back, or change what is named here",
                )
            }
            ApplyRoutesError::Proxy(error) => Self::unavailable(format!(
                "this is stored and takes effect as soon as the proxy answers: {}",
                chain(&error)
            ))
            .hint("`systemctl status paas-proxy` on the server shows why it does not"),
        }
    }
}
