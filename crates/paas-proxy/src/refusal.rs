use serde::{Deserialize, Serialize};

use crate::handover::HandOverError;

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
    /// A host of the command, or a path of a host, belongs to another service.
    HostTaken {
        /// The host, with the path behind it if it is one.
        host: String,
        /// The service that has it.
        service: String,
    },
    /// A redirect of the command leads back to where it began, by way of others or because nobody has the host at its end.
    RedirectCircle {
        /// The host that is redirected.
        host: String,
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
    /// Another process has taken over; it answers under the same name.
    Moved,
    /// The proxy could not hand over to a new process, and goes on.
    NotHandedOver,
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

    pub(crate) fn path_taken(path: &str, service: &str) -> Self {
        Self {
            kind: RefusalKind::HostTaken { host: path.to_owned(), service: service.to_owned() },
            message: format!("the path {path} belongs to the service {service}; remove it there first"),
        }
    }

    pub(crate) fn redirect_circle(host: &str, to: &str) -> Self {
        Self {
            kind: RefusalKind::RedirectCircle { host: host.to_owned() },
            message: format!(
                "the redirect from {host} to {to} leads back to where it began; send visitors to a host with an app"
            ),
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

    pub(crate) fn moved() -> Self {
        Self {
            kind: RefusalKind::Moved,
            message: "another proxy has taken over while the command waited; send it again".into(),
        }
    }

    /// The proxy goes on as if it had not been asked.
    pub(crate) fn not_handed_over(error: &HandOverError) -> Self {
        Self { kind: RefusalKind::NotHandedOver, message: with_sources(error) }
    }

    /// A proxy before this one gave no answer, so nobody knows.
    pub(crate) fn unanswered(error: &dyn std::error::Error) -> Self {
        Self {
            kind: RefusalKind::Other,
            message: format!(
                "the proxy before this one, which still drains, could not be asked: {}",
                with_sources(error)
            ),
        }
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
