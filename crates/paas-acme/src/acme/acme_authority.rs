use async_trait::async_trait;
use instant_acme::{Account, AccountCredentials, Error, Identifier, NewAccount, NewOrder};
use paas_domain::{Hostname, Secret};
use serde::Deserialize;
use tokio::time::Instant;

use super::{
    AcmeError, AcmeErrorKind, AcmeSettings, AcmeSettingsError, Patience, completion::Completion,
    http_failure, https::Https, nonce::with_fresh_nonce, renewal, roots, session::Session, voice::Voice,
};
use crate::{Authority, ChallengeKind, RenewalWindow, Solver, presented::Presented};

/// An authority on the network. Requests that were refused for their nonce are repeated; nothing else is.
pub struct AcmeAuthority {
    settings: AcmeSettings,
    patience: Patience,
    https: Https,
    voice: Voice,
}

impl AcmeAuthority {
    /// Checks the settings and reads the root certificates; no request is made.
    pub fn new(settings: AcmeSettings) -> Result<Self, AcmeSettingsError> {
        Self::with_patience(settings, Patience::default())
    }

    /// The same, waiting as long as given.
    pub fn with_patience(settings: AcmeSettings, patience: Patience) -> Result<Self, AcmeSettingsError> {
        settings.check()?;
        let https = Https::new(roots::load(settings.root.as_deref())?, patience.request)?;
        let voice = Voice::new(&settings.directory);
        Ok(Self { settings, patience, https, voice })
    }

    fn session(&self) -> Session {
        Session::new(self.https.clone())
    }

    async fn account(
        &self,
        session: &Session,
        credentials: &Secret,
        subject: &str,
    ) -> Result<Account, AcmeError> {
        self.check_directory(credentials)?;
        // The credentials go into the client library, which signs with them.
        let restored: AccountCredentials =
            serde_json::from_str(credentials.expose()).map_err(|_| self.damaged())?;
        let builder = Account::builder_with_http(Box::new(session.clone()));
        builder.from_credentials(restored).await.map_err(|error| self.voice.error(error, subject))
    }

    /// Credentials hold the directory they are for, and requests would go there.
    fn check_directory(&self, credentials: &Secret) -> Result<(), AcmeError> {
        #[derive(Deserialize)]
        struct Place {
            directory: Option<String>,
        }
        let place: Place = serde_json::from_str(credentials.expose()).map_err(|_| self.damaged())?;
        if place.directory.as_deref() == Some(&self.settings.directory) {
            return Ok(());
        }
        let sentence = format!("the stored account is not one at {}: a new one is needed", self.voice.name());
        Err(AcmeError::new(AcmeErrorKind::AccountGone, sentence))
    }

    fn damaged(&self) -> AcmeError {
        let sentence =
            format!("the stored account for {} is damaged: a new one is needed", self.voice.name());
        AcmeError::new(AcmeErrorKind::AccountGone, sentence)
    }

    async fn order(&self, account: &Account, order: &NewOrder<'_>) -> Result<String, Error> {
        with_fresh_nonce!(account.new_order(order).await).map(|order| order.url().to_owned())
    }

    fn plain_order<'a>(&'a self, names: &'a [Identifier]) -> NewOrder<'a> {
        let order = NewOrder::new(names);
        match &self.settings.profile {
            Some(profile) => order.profile(profile),
            None => order,
        }
    }
}

/// Whether an order failed only because of what it said it replaces: the authority has no renewal information, does not echo it, or
/// has seen another order for it (RFC 9773 §5).
fn is_about_replacing(error: &Error) -> bool {
    match error {
        Error::Unsupported(_) => true,
        Error::Other(_) => match http_failure::of(error) {
            // The client library's own complaint that the field was not echoed.
            None => true,
            Some(_) => http_failure::answer_in(error)
                .is_some_and(|answer| matches!(answer.problem_type(), "alreadyReplaced" | "malformed")),
        },
        _ => false,
    }
}

#[async_trait]
impl Authority for AcmeAuthority {
    fn directory(&self) -> &str {
        &self.settings.directory
    }

    fn is_private(&self) -> bool {
        self.settings.root.is_some()
    }

    async fn register(&self) -> Result<Secret, AcmeError> {
        let contact = self.settings.contact();
        let contact: Vec<&str> = contact.as_deref().into_iter().collect();
        let account =
            NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let external = self.settings.external_key().map_err(|error| {
            AcmeError::new(AcmeErrorKind::Account, "the external account's key cannot be used").because(error)
        })?;
        let session = self.session();
        let created = with_fresh_nonce!({
            let builder = Account::builder_with_http(Box::new(session.clone()));
            builder.create(&account, self.settings.directory.clone(), external.as_ref()).await
        });
        let (_, credentials) = created.map_err(|error| self.voice.error(error, "a new account"))?;
        let json = serde_json::to_string(&credentials).map_err(|error| self.voice.protocol(error))?;
        Ok(Secret::new(json))
    }

    async fn new_order(
        &self,
        account: &Secret,
        host: &Hostname,
        replaces: Option<&str>,
    ) -> Result<String, AcmeError> {
        let account = self.account(&self.session(), account, host.as_str()).await?;
        let names = [Identifier::Dns(host.as_str().to_owned())];
        if let Some(replaced) = replaces.and_then(renewal::identifier_of) {
            match self.order(&account, &self.plain_order(&names).replaces(replaced)).await {
                Err(error) if is_about_replacing(&error) => {
                    tracing::debug!(host = %host, "the authority takes no replacing order; ordering without");
                }
                result => return result.map_err(|error| self.voice.error(error, host.as_str())),
            }
        }
        let order = self.order(&account, &self.plain_order(&names)).await;
        order.map_err(|error| self.voice.error(error, host.as_str()))
    }

    async fn complete(
        &self,
        account: &Secret,
        order_url: &str,
        host: &Hostname,
        key: &Secret,
        kinds: &[ChallengeKind],
        solver: &dyn Solver,
    ) -> Result<String, AcmeError> {
        let deadline = Instant::now() + self.patience.whole;
        let mut presented = Presented::new(solver);
        let work = async {
            let session = self.session();
            let account = self.account(&session, account, host.as_str()).await?;
            let thumbprint = account.key_thumbprint().to_owned();
            let order = Completion::load(&account, order_url, &self.voice, host).await?;
            let completion = Completion {
                order,
                session: &session,
                voice: &self.voice,
                host,
                key,
                kinds,
                thumbprint: &thumbprint,
                presented: &mut presented,
                pace: super::pace::Pace::new(self.patience.first_poll, deadline),
                finalized: false,
            };
            completion.run().await
        };
        let result = tokio::time::timeout_at(deadline, work).await;
        presented.remove_all().await;
        result.unwrap_or_else(|_| Err(self.voice.unfinished(host.as_str())))
    }

    async fn renewal_window(
        &self,
        _account: &Secret,
        chain_pem: &str,
    ) -> Result<Option<RenewalWindow>, AcmeError> {
        renewal::window(&self.https, &self.voice, &self.settings.directory, chain_pem).await
    }
}

impl std::fmt::Debug for AcmeAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AcmeAuthority").field("directory", &self.settings.directory).finish_non_exhaustive()
    }
}
