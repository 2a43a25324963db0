use paas_domain::{AppName, KeyId, KeyName};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// One ssh key in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyInfo {
    /// Its id, as in the forced command.
    pub id: KeyId,
    /// The name a person gave it.
    pub name: KeyName,
    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    pub fingerprint: String,
    /// The apps it may use; none for an admin, who may use all.
    pub apps: Option<Vec<AppName>>,
    /// When it was added.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// `POST /v1/keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddKey {
    /// The name it shall have.
    pub name: KeyName,
    /// One line of OpenSSH's public key format: `ssh-ed25519 AAAA… comment`.
    pub public_key: String,
    /// The apps it may use; `null` makes it an admin.
    #[serde(default)]
    pub apps: Option<Vec<AppName>>,
}

/// `DELETE /v1/keys/{name}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveKey {
    /// Also when it is the last admin key.
    #[serde(default)]
    pub force: bool,
}
