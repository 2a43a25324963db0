use serde::{Deserialize, Serialize};

/// Why the proxy refused a command. Nothing is changed by a refused command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// For programs.
    pub kind: RefusalKind,
    /// For people: what is wrong and what to do.
    pub message: String,
}

/// The kinds of refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// A host of the command belongs to another service.
    HostTaken {
        /// The host.
        host: String,
        /// The service that has it.
        service: String,
    },
    /// A target id of the command belongs to another service, or to another address.
    TargetTaken {
        /// The target.
        target: String,
    },
    /// A drain was asked for a target that still receives requests.
    TargetActive {
        /// The target.
        target: String,
    },
    /// A name, host, id or body that cannot be used.
    Invalid,
    /// The change could not be written to disk.
    NotDurable,
    /// A kind this version does not know.
    #[serde(other)]
    Other,
}

impl Refusal {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { kind: RefusalKind::Invalid, message: message.into() }
    }

    pub(crate) fn host_taken(host: &str, service: &str) -> Self {
        Self {
            kind: RefusalKind::HostTaken { host: host.to_owned(), service: service.to_owned() },
            message: format!("the host {host} belongs to the service {service}; remove it there first"),
        }
    }

    pub(crate) fn target_taken(target: &str, owner: &str) -> Self {
        Self {
            kind: RefusalKind::TargetTaken { target: target.to_owned() },
            message: format!("the target {target} is already {owner}; give the new one an id of its own"),
        }
    }

    pub(crate) fn target_active(target: &str, service: &str) -> Self {
        Self {
            kind: RefusalKind::TargetActive { target: target.to_owned() },
            message: format!(
                "the target {target} receives requests of the service {service}; put the service without it before waiting"
            ),
        }
    }

    pub(crate) fn not_a_host(host: &str) -> Self {
        Self::invalid(format!(
            "`{}` is not a host; write a name such as blog.example.com or *.example.com",
            host.escape_debug()
        ))
    }

    /// An error that is the command's own fault.
    pub(crate) fn of(error: &dyn std::error::Error) -> Self {
        Self::invalid(with_sources(error))
    }

    /// A change that did not reach the disk, so that it is not in force either. Logged: it is the server's fault.
    pub(crate) fn not_durable(what: &str, error: &dyn std::error::Error) -> Self {
        let message =
            format!("{what} was not changed because it could not be saved: {}", with_sources(error));
        tracing::error!(error = %message, "a command was refused");
        Self { kind: RefusalKind::NotDurable, message }
    }
}

/// An error and what caused it, in one line.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(": ");
        message.push_str(&cause.to_string());
        source = cause.source();
    }
    message
}
