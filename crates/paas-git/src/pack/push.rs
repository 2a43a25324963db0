use paas_domain::{AppName, KeyId};

/// Whose push it is. The hooks get it in their environment: `PAAS_APP`, `PAAS_PUSH`, `PAAS_KEY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The app pushed to.
    pub app: AppName,
    /// The push's own id, by which control can be told that the client has gone away.
    pub id: String,
    /// The ssh key that pushes; `None` on the server itself.
    pub key: Option<KeyId>,
}
