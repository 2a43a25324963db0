use paas_domain::{AppName, Hostname, Secret};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Where a hostname stands with its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateState {
    /// It has one that browsers trust.
    Valid,
    /// It has one of trials, which browsers do not trust.
    Trial,
    /// It has one of the server's own authority, and will not get another.
    Own,
    /// One is being got for the first time.
    Ordering,
    /// The last try failed.
    Failing,
}

/// What there is to say about a hostname's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateInfo {
    /// Where it stands.
    pub state: CertificateState,
    /// Who signed the certificate in use.
    pub issuer: Option<String>,
    /// When the certificate in use ends.
    #[serde(with = "time::serde::rfc3339::option")]
    pub not_after: Option<OffsetDateTime>,
    /// Whole days until then; negative when it has ended.
    pub days_left: Option<i64>,
    /// When the next order is tried, or the certificate renewed.
    #[serde(with = "time::serde::rfc3339::option")]
    pub next_try: Option<OffsetDateTime>,
    /// What kind of problem there is: a word for programs.
    pub problem: Option<String>,
    /// What is wrong and what to change, or why it is as it is: one sentence for people.
    pub sentence: Option<String>,
}

/// A hostname of the server with its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCertificate {
    /// The hostname, exact or `*.…`.
    pub hostname: Hostname,
    /// The app it leads to; none for the server's own name.
    pub app: Option<AppName>,
    /// Its certificate.
    pub certificate: CertificateInfo,
}

/// `POST /v1/apps/{app}/certificates`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddCertificate {
    /// The chain and the key as PEM, in any order.
    pub pem: Secret,
}

/// The answer to [`AddCertificate`] and [`RenewCertificate`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AffectedNames {
    /// The app's hostnames it is about.
    pub hostnames: Vec<Hostname>,
}

/// `DELETE /v1/apps/{app}/certificates`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveCertificate {
    /// A name the certificate is for; not needed when the app has only one of its own.
    #[serde(default)]
    pub hostname: Option<Hostname>,
}

/// `POST /v1/apps/{app}/certificates/renew`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewCertificate {
    /// Only this name of the app.
    #[serde(default)]
    pub hostname: Option<Hostname>,
    /// Also when the present certificate is still good.
    #[serde(default)]
    pub anew: bool,
}

/// `GET /v1/certificates/root`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootCertificate {
    /// The certificate of the server's own authority, PEM.
    pub certificate: String,
}
