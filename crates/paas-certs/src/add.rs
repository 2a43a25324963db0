use paas_acme::{PairError, check_pair, split_pem};
use paas_domain::{AppId, AppName, Hostname, Secret};
use paas_store::{AddedCertificate, App, Pair, StoreError};
use thiserror::Error;

use crate::{keeper::Keeper, own::validity};

/// Why a certificate was not added.
#[derive(Debug, Error)]
pub enum AddError {
    /// It is not a certificate with its key, or not good now.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// It is for other names.
    #[error(
        "the certificate is for {names}, and none of these leads to {app}; add the name first with `paas domains:add {app} NAME`"
    )]
    CoversNothing {
        /// The names in the certificate.
        names: String,
        /// The app.
        app: AppName,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why no certificate was removed.
#[derive(Debug, Error)]
pub enum RemoveCertificateError {
    /// There is none.
    #[error("{0} has no certificate of its own; those that paas got by itself cannot be removed")]
    None(AppName),
    /// There is none for the name.
    #[error("{app} has no certificate of its own for {host}; it has some for {names}")]
    NotFor {
        /// The app.
        app: AppName,
        /// The name.
        host: Hostname,
        /// What it has.
        names: String,
    },
    /// There are several.
    #[error(
        "{app} has several certificates of its own, for {names}; say for which name the one to remove is"
    )]
    Several {
        /// The app.
        app: AppName,
        /// What it has.
        names: String,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Keeper {
    /// Serves the app's names with a certificate that its people bring: PEM text with the chain and the key in any order. Checked: they
    /// belong together, are good now, and are for at least one name of the app. Gives the app's names it is for.
    pub fn add(&self, app: &App, pem: &Secret) -> Result<Vec<Hostname>, AddError> {
        let (chain, key) = split_pem(pem.expose())?;
        let facts = check_pair(&chain, &key, self.clock.now())?;
        let names = self.names_of(app)?;
        let covered: Vec<Hostname> = names.into_iter().filter(|name| facts.covers(name)).collect();
        if covered.is_empty() {
            return Err(AddError::CoversNothing { names: facts.names.join(", "), app: app.name.clone() });
        }
        self.store.add_certificate(app.id, &facts.names, &validity(&facts), &Pair { chain, key })?;
        tracing::info!(app.name = %app.name, issuer = facts.issuer, until = %facts.not_after, "added a certificate");
        self.ring();
        Ok(covered)
    }

    /// Takes a certificate away that was added: the one for that name, or the only one.
    pub fn remove(&self, app: &App, host: Option<&Hostname>) -> Result<(), RemoveCertificateError> {
        let added = self.store.added_certificates()?;
        let of_app: Vec<AddedCertificate> = added.into_iter().filter(|one| one.app == app.id).collect();
        let names = || of_app.iter().map(|one| one.names.join(", ")).collect::<Vec<_>>().join("; ");
        let app_name = app.name.clone();
        let found = match (host, of_app.as_slice()) {
            (_, []) => return Err(RemoveCertificateError::None(app_name)),
            (None, [only]) => only,
            (None, _) => return Err(RemoveCertificateError::Several { app: app_name, names: names() }),
            (Some(host), all) => {
                all.iter()
                    .filter(|one| host.is_covered_by(one.names.iter().map(String::as_str)))
                    // The one that is served.
                    .max_by_key(|one| one.validity.not_after)
                    .ok_or_else(|| RemoveCertificateError::NotFor {
                        app: app_name,
                        host: host.clone(),
                        names: names(),
                    })?
            }
        };
        self.store.remove_added_certificate(app.id, found.id)?;
        tracing::info!(app.name = %app.name, "removed an added certificate");
        self.ring();
        Ok(())
    }

    /// The app's own name and its domains, whether it was deployed or not.
    fn names_of(&self, app: &App) -> Result<Vec<Hostname>, StoreError> {
        let own = Hostname::of_app(&app.name, &self.settings.domain);
        Ok(own.into_iter().chain(self.store.domains(app.id)?).collect())
    }

    /// The names of one app in the list of all, by id.
    pub fn status_of(&self, app: AppId) -> Result<Vec<crate::NameStatus>, StoreError> {
        Ok(self.status()?.into_iter().filter(|name| name.app == Some(app)).collect())
    }
}
