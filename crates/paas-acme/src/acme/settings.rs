use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet::URL_SAFE, engine::DecodePaddingMode};
use paas_domain::Secret;
use thiserror::Error;

use crate::PairError;

/// Which authority, and as whom.
#[derive(Debug, Clone)]
pub struct AcmeSettings {
    /// The directory's URL; `https` only (RFC 8555 §6.1).
    pub directory: String,
    /// A PEM bundle: the directory's certificate must lead to one of these. None: to one of the system's roots.
    pub root: Option<String>,
    /// Where the authority may write to.
    pub email: Option<String>,
    /// Some authorities bind the account to one made on their site (RFC 8555 §7.3.4).
    pub external_account: Option<ExternalAccount>,
    /// The sort of certificate, where the authority offers several: `shortlived`.
    pub profile: Option<String>,
}

/// The account on an authority's site.
#[derive(Debug, Clone)]
pub struct ExternalAccount {
    /// The key's identifier.
    pub key_id: String,
    /// The key, in base64url, as the site shows it.
    pub hmac_key: Secret,
}

/// Why settings cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AcmeSettingsError {
    /// Not an https URL.
    #[error("{directory} is not an https URL; give the URL of the authority's ACME directory")]
    Directory {
        /// What was given.
        directory: String,
    },
    /// The bundle cannot be read.
    #[error("the root certificates for the ACME directory cannot be read")]
    Root(#[source] PairError),
    /// The system has no roots.
    #[error("this system has no root certificates: run `apt-get install ca-certificates`")]
    NoSystemRoots,
    /// Not an e-mail address.
    #[error("{email} is not an e-mail address an authority could write to")]
    Email {
        /// What was given.
        email: String,
    },
    /// The external account's key is not base64url.
    #[error("the key of the external account is not base64url; copy it again from the authority's site")]
    HmacKey,
    /// The TLS library refused its own defaults.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
}

/// Sites show the key with padding or without.
const KEY: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl AcmeSettings {
    pub(crate) fn check(&self) -> Result<(), AcmeSettingsError> {
        let uri = self.directory.parse::<http::Uri>().ok();
        if !uri.is_some_and(|uri| uri.scheme_str() == Some("https") && uri.host().is_some()) {
            return Err(AcmeSettingsError::Directory { directory: self.directory.clone() });
        }
        match &self.email {
            Some(email) if !is_email(email) => Err(AcmeSettingsError::Email { email: email.clone() }),
            _ => self.external_key().map(|_| ()),
        }
    }

    /// The contact URL of the account (RFC 8555 §7.3).
    pub(crate) fn contact(&self) -> Option<String> {
        self.email.as_ref().map(|email| format!("mailto:{email}"))
    }

    pub(crate) fn external_key(&self) -> Result<Option<instant_acme::ExternalAccountKey>, AcmeSettingsError> {
        let Some(account) = &self.external_account else { return Ok(None) };
        // The key goes into the HMAC of one request.
        let key = KEY.decode(account.hmac_key.expose().trim()).map_err(|_| AcmeSettingsError::HmacKey)?;
        Ok(Some(instant_acme::ExternalAccountKey::new(account.key_id.clone(), &key)))
    }
}

/// One address, without what would make a `mailto` URL mean more (RFC 8555 §7.3 forbids both lists and `hfields`).
fn is_email(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && !",?%&;<>\"".contains(c);
    text.chars().all(plain)
        && text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> AcmeSettings {
        AcmeSettings {
            directory: "https://ca.example/dir".into(),
            root: None,
            email: None,
            external_account: None,
            profile: None,
        }
    }

    #[test]
    fn a_directory_is_an_https_url() {
        assert!(settings().check().is_ok());
        for bad in ["http://ca.example/dir", "ca.example", "/dir", ""] {
            let settings = AcmeSettings { directory: bad.into(), ..settings() };
            assert!(matches!(settings.check(), Err(AcmeSettingsError::Directory { .. })), "{bad}");
        }
    }

    #[test]
    fn an_email_is_one_address() {
        for (email, good) in
            [("ops@example.org", true), ("a@b.org,c@d.org", false), ("a@b.org?x=y", false), ("ops", false)]
        {
            assert_eq!(
                AcmeSettings { email: Some(email.into()), ..settings() }.check().is_ok(),
                good,
                "{email}"
            );
        }
    }

    #[test]
    fn a_key_is_read_with_padding_and_without() {
        for (key, good) in
            [("q83vEg", true), ("q83vEg==", true), ("-_-_", true), ("+/+/", false), ("no key", false)]
        {
            let external = ExternalAccount { key_id: "kid".into(), hmac_key: Secret::new(key) };
            let settings = AcmeSettings { external_account: Some(external), ..settings() };
            assert_eq!(settings.check().is_ok(), good, "{key}");
        }
    }
}
