use serde_json::{Value, json};

/// What goes wrong with one request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// An answer that Pebble does not see the question of.
    Answer {
        /// Its status.
        status: u16,
        /// Its `Retry-After`.
        retry_after: Option<String>,
        /// Its body.
        body: String,
    },
    /// The nonce is refused.
    BadNonce,
    /// The connection ends before Pebble sees the request.
    CutBefore,
    /// The connection ends after Pebble has done its work.
    CutAfter,
    /// Nothing is ever answered, and Pebble does not see the request.
    HangBefore,
    /// Nothing is ever answered, and Pebble has done its work.
    HangAfter,
    /// The connection ends in the middle of Pebble's answer.
    HalfBody,
}

impl Fault {
    /// A problem document (RFC 8555 §6.7): the last part of its type, and its words.
    pub fn problem(status: u16, kind: &str, detail: &str) -> Self {
        let body = problem(status, kind, detail).to_string();
        Self::Answer { status, retry_after: None, body }
    }

    /// The same answer with a `Retry-After`.
    #[must_use]
    pub fn after(self, text: &str) -> Self {
        match self {
            Self::Answer { status, body, .. } => {
                Self::Answer { status, retry_after: Some(text.to_owned()), body }
            }
            other => other,
        }
    }

    /// A page for people, as servers in front of an authority send it.
    pub fn page(status: u16) -> Self {
        Self::Answer { status, retry_after: None, body: "<html><h1>Sorry</h1></html>".to_owned() }
    }

    /// An answer that says yes.
    pub fn json(value: &Value) -> Self {
        Self::Answer { status: 200, retry_after: None, body: value.to_string() }
    }
}

pub(crate) fn problem(status: u16, kind: &str, detail: &str) -> Value {
    json!({ "type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail, "status": status })
}
