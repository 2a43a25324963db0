use paas_domain::Hostname;
use serde::{Deserialize, Serialize};

use super::CertificateInfo;

/// One hostname of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainInfo {
    /// The hostname, exact or `*.…`.
    pub hostname: Hostname,
    /// Whether every app has it without asking.
    #[serde(default)]
    pub own: bool,
    /// Its certificate.
    pub certificate: CertificateInfo,
}

/// `POST /v1/apps/{app}/domains`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddDomain {
    /// The hostname to lead to the app.
    pub hostname: Hostname,
}
