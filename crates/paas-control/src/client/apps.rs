use http::Method;
use paas_domain::{AppName, Hostname};

use super::{Change, Client, ClientError};
use crate::wire::{
    AbortedCandidate, AddDomain, AppInfo, AppSummary, CanaryChange, CanaryState, ConfigChange, ConfigVars,
    CreateApp, DestroyApp, DomainInfo, Purged, ReleaseInfo, RenameApp, Saved, SettingsChange, Status,
};

impl Client {
    /// How the server is.
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.get("/v1/status").await
    }

    /// The apps this identity may see, by name.
    pub async fn list_apps(&self) -> Result<Vec<AppSummary>, ClientError> {
        self.get("/v1/apps").await
    }

    /// Makes an app; admins only.
    pub async fn create_app(&self, name: &AppName) -> Result<AppInfo, ClientError> {
        self.call(Method::POST, "/v1/apps", &CreateApp { name: name.clone() }).await
    }

    /// Everything about one app but its config values.
    pub async fn app(&self, app: &AppName) -> Result<AppInfo, ClientError> {
        self.get(&format!("/v1/apps/{app}")).await
    }

    /// Destroys an app; with `volumes` also the volumes that no other app mounts. Admins only.
    pub async fn destroy_app(&self, app: &AppName, volumes: bool) -> Result<(), ClientError> {
        self.call(Method::DELETE, &format!("/v1/apps/{app}"), &DestroyApp { volumes }).await
    }

    /// Gives an app another name; admins only. Its default hostname moves with it.
    pub async fn rename_app(&self, app: &AppName, name: &AppName) -> Result<AppInfo, ClientError> {
        self.call(Method::POST, &format!("/v1/apps/{app}/rename"), &RenameApp { name: name.clone() }).await
    }

    /// The config vars with their values.
    pub async fn config(&self, app: &AppName) -> Result<ConfigVars, ClientError> {
        self.get(&format!("/v1/apps/{app}/config")).await
    }

    /// Changes config vars, all or none.
    pub async fn change_config(&self, app: &AppName, change: &ConfigChange) -> Result<Change, ClientError> {
        self.change(Method::PATCH, &format!("/v1/apps/{app}/config"), change).await
    }

    /// Changes settings, all or none. The next deploy reads them.
    pub async fn change_settings(
        &self,
        app: &AppName,
        change: &SettingsChange,
    ) -> Result<Saved, ClientError> {
        self.call(Method::PATCH, &format!("/v1/apps/{app}/settings"), change).await
    }

    /// The hostnames of an app with their certificates, its own name among them once it was deployed.
    pub async fn domains(&self, app: &AppName) -> Result<Vec<DomainInfo>, ClientError> {
        self.get(&format!("/v1/apps/{app}/domains")).await
    }

    /// Leads a hostname to an app, at once.
    pub async fn add_domain(&self, app: &AppName, hostname: &Hostname) -> Result<(), ClientError> {
        let body = AddDomain { hostname: hostname.clone() };
        self.call(Method::POST, &format!("/v1/apps/{app}/domains"), &body).await
    }

    /// Takes a hostname from an app, at once.
    pub async fn remove_domain(&self, app: &AppName, hostname: &Hostname) -> Result<(), ClientError> {
        self.call(Method::DELETE, &format!("/v1/apps/{app}/domains/{hostname}"), &()).await
    }

    /// The releases of an app, newest first.
    pub async fn releases(&self, app: &AppName) -> Result<Vec<ReleaseInfo>, ClientError> {
        self.get(&format!("/v1/apps/{app}/releases")).await
    }

    /// Sets how many visitors get the next release and the candidate that runs; `None` makes the next releases serve everybody.
    pub async fn set_canary(&self, app: &AppName, change: CanaryChange) -> Result<CanaryState, ClientError> {
        self.call(Method::POST, &format!("/v1/apps/{app}/canary"), &change).await
    }

    /// Makes the candidate the active release.
    pub async fn promote(&self, app: &AppName) -> Result<Change, ClientError> {
        self.change(Method::POST, &format!("/v1/apps/{app}/canary/promote"), &()).await
    }

    /// Takes the candidate back; answers when its containers are gone.
    pub async fn abort_candidate(&self, app: &AppName) -> Result<AbortedCandidate, ClientError> {
        self.call(Method::POST, &format!("/v1/apps/{app}/canary/abort"), &()).await
    }

    /// Destroys every app and every volume. Only the administrator on the server may.
    pub async fn purge(&self) -> Result<Purged, ClientError> {
        self.call(Method::POST, "/v1/purge", &()).await
    }
}
