use http::Method;
use paas_domain::KeyName;

use super::{Client, ClientError};
use crate::wire::{AddKey, KeyInfo, RemoveKey};

impl Client {
    /// The ssh keys; admins only.
    pub async fn keys(&self) -> Result<Vec<KeyInfo>, ClientError> {
        self.get("/v1/keys").await
    }

    /// Lets a key in, at once; admins only.
    pub async fn add_key(&self, key: &AddKey) -> Result<KeyInfo, ClientError> {
        self.call(Method::POST, "/v1/keys", key).await
    }

    /// Shuts a key out, at once; admins only. The last admin key goes only by force, or from the server itself.
    pub async fn remove_key(&self, name: &KeyName, force: bool) -> Result<(), ClientError> {
        self.call(Method::DELETE, &format!("/v1/keys/{name}"), &RemoveKey { force }).await
    }
}
