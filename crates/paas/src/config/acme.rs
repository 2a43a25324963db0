use std::{fs, net::SocketAddr, path::PathBuf};

use paas_acme::{AcmeSettings, ExternalAccount, LETS_ENCRYPT, LETS_ENCRYPT_STAGING};
use paas_domain::Secret;
use serde::Deserialize;

/// `[acme]`: who signs the certificates.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AcmeSection {
    /// The authority's directory: a URL, `letsencrypt`, or `staging`.
    pub(crate) directory: String,
    /// The root certificates of a private authority, PEM. It may then sign names that no public one would.
    pub(crate) root: Option<PathBuf>,
    /// Told to the authority.
    pub(crate) email: Option<String>,
    /// External account binding: the key's id, and the file that holds the key in base64url.
    pub(crate) eab_key_id: Option<String>,
    pub(crate) eab_hmac_key_file: Option<PathBuf>,
    /// The certificate profile to ask for, for example `shortlived`.
    pub(crate) profile: Option<String>,
    /// The program that sets DNS records for wildcard names: `PROGRAM present|cleanup NAME VALUE`.
    pub(crate) dns_hook: Option<PathBuf>,
    /// Whether a name is looked at from here before it is ordered. Off where the server cannot reach its own public address.
    pub(crate) preflight: bool,
    /// The DNS server that is asked; the system's when not given.
    pub(crate) resolver: Option<SocketAddr>,
    /// The ports at which the authority reaches this server.
    pub(crate) http_port: u16,
    pub(crate) https_port: u16,
}

impl Default for AcmeSection {
    fn default() -> Self {
        Self {
            directory: "letsencrypt".to_owned(),
            root: None,
            email: None,
            eab_key_id: None,
            eab_hmac_key_file: None,
            profile: None,
            dns_hook: None,
            preflight: true,
            resolver: None,
            http_port: 80,
            https_port: 443,
        }
    }
}

impl AcmeSection {
    /// The directory's URL.
    pub(crate) fn directory(&self) -> &str {
        match self.directory.as_str() {
            "letsencrypt" => LETS_ENCRYPT,
            "staging" | "letsencrypt-staging" => LETS_ENCRYPT_STAGING,
            url => url,
        }
    }

    /// What is wrong with it, if anything is.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !self.directory().starts_with("https://") {
            return Err(format!(
                "`acme.directory`: \"{}\" is not an https URL, `letsencrypt` or `staging`",
                self.directory
            ));
        }
        if self.eab_key_id.is_some() != self.eab_hmac_key_file.is_some() {
            return Err(
                "`acme.eab_key_id` and `acme.eab_hmac_key_file` go together: set both or none".to_owned()
            );
        }
        Ok(())
    }

    /// With the files it names.
    pub(crate) fn settings(&self) -> Result<AcmeSettings, String> {
        let read = |name: &str, path: &PathBuf| {
            fs::read_to_string(path).map_err(|error| format!("`acme.{name}`: {}: {error}", path.display()))
        };
        let root = self.root.as_ref().map(|path| read("root", path)).transpose()?;
        let key = self.eab_hmac_key_file.as_ref().map(|path| read("eab_hmac_key_file", path)).transpose()?;
        Ok(AcmeSettings {
            directory: self.directory().to_owned(),
            root,
            email: self.email.clone(),
            external_account: self
                .eab_key_id
                .clone()
                .zip(key)
                .map(|(key_id, key)| ExternalAccount { key_id, hmac_key: Secret::new(key.trim()) }),
            profile: self.profile.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(text: &str) -> Result<AcmeSection, String> {
        let section: AcmeSection = toml::from_str(text).map_err(|error| error.to_string())?;
        section.check().map(|()| section)
    }

    #[test]
    fn the_directory_is_a_word_or_a_url() {
        assert_eq!(section("").unwrap().directory(), LETS_ENCRYPT);
        assert_eq!(section("directory = \"staging\"").unwrap().directory(), LETS_ENCRYPT_STAGING);
        let url = section("directory = \"https://ca.example.org/acme\"").unwrap();
        assert_eq!(url.directory(), "https://ca.example.org/acme");
        assert!(section("directory = \"http://ca.example.org/acme\"").unwrap_err().contains("https"));
        assert!(section("directroy = \"staging\"").is_err());
    }

    #[test]
    fn external_account_binding_is_whole_or_not_at_all() {
        assert!(section("eab_key_id = \"kid\"").unwrap_err().contains("go together"));
        let both = section("eab_key_id = \"kid\"\neab_hmac_key_file = \"/nowhere/key\"").unwrap();
        assert!(both.settings().unwrap_err().contains("/nowhere/key"));
    }
}
