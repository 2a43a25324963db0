use http::Method;
use paas_domain::AppName;

use super::{Client, ClientError};
use crate::wire::{
    AddCertificate, AffectedNames, NamedCertificate, RemoveCertificate, RenewCertificate, RootCertificate,
};

impl Client {
    /// Every hostname this identity may see, with its certificate.
    pub async fn certificates(&self) -> Result<Vec<NamedCertificate>, ClientError> {
        self.get("/v1/certificates").await
    }

    /// The root of the server's own authority.
    pub async fn root_certificate(&self) -> Result<RootCertificate, ClientError> {
        self.get("/v1/certificates/root").await
    }

    /// Serves the app's names with a certificate of its people.
    pub async fn add_certificate(
        &self,
        app: &AppName,
        certificate: &AddCertificate,
    ) -> Result<AffectedNames, ClientError> {
        self.call(Method::POST, &format!("/v1/apps/{app}/certificates"), certificate).await
    }

    /// Takes a certificate of its people away.
    pub async fn remove_certificate(
        &self,
        app: &AppName,
        which: &RemoveCertificate,
    ) -> Result<(), ClientError> {
        self.call(Method::DELETE, &format!("/v1/apps/{app}/certificates"), which).await
    }

    /// Tries the orders of the app's names now.
    pub async fn renew_certificate(
        &self,
        app: &AppName,
        which: &RenewCertificate,
    ) -> Result<AffectedNames, ClientError> {
        self.call(Method::POST, &format!("/v1/apps/{app}/certificates/renew"), which).await
    }
}
