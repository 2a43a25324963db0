use std::time::Duration;

use instant_acme::{Account, AuthorizationStatus, ChallengeStatus, Error, Order, OrderStatus};
use paas_domain::{Hostname, Secret};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};

use super::{
    AcmeError, AcmeErrorKind,
    authorization::{self, Authorization},
    http_failure::{answer_in, problem_type},
    nonce::with_fresh_nonce,
    pace::Pace,
    session::Session,
    voice::{self, Voice},
};
use crate::{CertificateFacts, ChallengeKind, pair, presented::Presented};

/// How many looks at an order in a row may fail for want of a connection.
const LOST_LOOKS: u32 = 5;

/// One order on its way to a certificate: RFC 8555 §7.1.6, from whatever state it is in.
pub(crate) struct Completion<'a, 's> {
    pub(crate) order: Order,
    pub(crate) session: &'a Session,
    pub(crate) voice: &'a Voice,
    pub(crate) host: &'a Hostname,
    pub(crate) key: &'a Secret,
    pub(crate) kinds: &'a [ChallengeKind],
    pub(crate) thumbprint: &'a str,
    pub(crate) presented: &'a mut Presented<'s>,
    pub(crate) pace: Pace,
    /// Whether it was us, now, who sent the signing request.
    pub(crate) finalized: bool,
}

impl Completion<'_, '_> {
    /// Finds the order.
    pub(crate) async fn load(
        account: &Account,
        url: &str,
        voice: &Voice,
        host: &Hostname,
    ) -> Result<Order, AcmeError> {
        let loaded = with_fresh_nonce!(account.order(url.to_owned()).await);
        let mut order = loaded.map_err(|error| {
            if voice::is_order_unknown(&error) {
                voice.order_gone(host.as_str(), "it is not known there")
            } else {
                voice.error(error, host.as_str())
            }
        })?;
        let state = order.state();
        if state.status == OrderStatus::Invalid {
            return Err(voice.order_failed(host.as_str(), state.error.as_ref()));
        }
        Ok(order)
    }

    /// Goes from state to state until there is a certificate.
    pub(crate) async fn run(mut self) -> Result<String, AcmeError> {
        loop {
            match self.order.state().status {
                OrderStatus::Pending => self.authorize().await?,
                OrderStatus::Ready if !self.finalized => self.finalize().await?,
                OrderStatus::Ready | OrderStatus::Processing => self.look_again().await?,
                OrderStatus::Valid => return self.download().await,
                OrderStatus::Invalid => return Err(self.why_invalid()),
            }
        }
    }

    async fn authorize(&mut self) -> Result<(), AcmeError> {
        let authorization = self.fetch_authorization().await?;
        if authorization.status == AuthorizationStatus::Pending {
            self.answer(&authorization).await?;
            self.await_authorization().await?;
        } else {
            self.check_authorization(&authorization)?;
        }
        self.look().await?;
        // The authorization is valid, and the order a moment behind.
        if self.order.state().status == OrderStatus::Pending { self.look_again().await } else { Ok(()) }
    }

    /// Presents a proof and has the authority look at it.
    async fn answer(&mut self, authorization: &Authorization) -> Result<(), AcmeError> {
        let offer = authorization.choose(self.kinds).ok_or_else(|| self.no_way(authorization))?;
        let shown = self.presented.show(offer.challenge(self.host, self.thumbprint)).await;
        shown.map_err(|error| {
            let (why, source) = error.into_parts();
            let sentence = format!("the proof for {} could not be shown: {why}", self.host);
            AcmeError::new(AcmeErrorKind::Solver, sentence).because_of(source)
        })?;
        if offer.status == ChallengeStatus::Processing {
            return Ok(());
        }
        match authorization::set_ready(&mut self.order, offer.kind).await {
            Ok(()) => Ok(()),
            Err(Error::Api(problem)) => Err(self.voice.validation(&problem, offer.kind, self.host.as_str())),
            // It may have been looked at since we asked, by a request of ours whose answer was lost.
            Err(error) if answer_in(&error).is_some_and(|answer| answer.problem_type() == "malformed") => {
                Ok(())
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    fn no_way(&self, authorization: &Authorization) -> AcmeError {
        let ours: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
        let sentence = format!(
            "{} offers {} to check {}, and this server can use {}",
            self.voice.name(),
            authorization.offered(),
            self.host,
            if ours.is_empty() { "none".to_owned() } else { ours.join(", ") }
        );
        AcmeError::new(AcmeErrorKind::Solver, sentence)
    }

    async fn await_authorization(&mut self) -> Result<(), AcmeError> {
        loop {
            self.wait(self.session.asked()).await?;
            let authorization = self.fetch_authorization().await?;
            if authorization.status != AuthorizationStatus::Pending {
                return self.check_authorization(&authorization);
            }
        }
    }

    fn check_authorization(&self, authorization: &Authorization) -> Result<(), AcmeError> {
        if authorization.status == AuthorizationStatus::Valid {
            return Ok(());
        }
        let failed = authorization.offers.iter().find_map(|offer| Some((offer.error.as_ref()?, offer.kind)));
        Err(match failed {
            Some((problem, kind)) => self.voice.validation(problem, kind, self.host.as_str()),
            None => self.voice.order_gone(self.host.as_str(), "its authorization has ended"),
        })
    }

    /// Sends the signing request: our key, the one name, no common name.
    async fn finalize(&mut self) -> Result<(), AcmeError> {
        let request = signing_request(self.host, self.key).map_err(|error| {
            AcmeError::new(AcmeErrorKind::Solver, "the private key cannot sign a request").because(error)
        })?;
        self.finalized = true;
        match with_fresh_nonce!(self.order.finalize_csr(&request).await) {
            Ok(()) => Ok(()),
            // Another request of ours was first, or the authority is a moment behind: the order says which.
            Err(error)
                if answer_in(&error).is_some_and(|answer| answer.problem_type() == "orderNotReady") =>
            {
                self.look_again().await
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    async fn download(&mut self) -> Result<String, AcmeError> {
        let chain = with_fresh_nonce!(self.order.certificate().await).map_err(|error| self.failed(error))?;
        let chain = chain.ok_or_else(|| self.voice.protocol("a valid order without a certificate"))?;
        self.check_chain(&chain)?;
        Ok(chain)
    }

    /// A certificate for another name or key is never served, whoever is to blame.
    fn check_chain(&self, chain: &str) -> Result<(), AcmeError> {
        let covers =
            CertificateFacts::read(chain).map_err(|error| self.voice.protocol(error))?.covers(self.host);
        let ours = pair::is_key_of(chain, self.key).map_err(|error| self.voice.protocol(error))?;
        match (covers && ours, self.finalized) {
            (true, _) => Ok(()),
            (false, true) => {
                let sentence =
                    format!("{} signed another name or key than {} asked for", self.voice.name(), self.host);
                Err(AcmeError::new(AcmeErrorKind::Protocol, sentence))
            }
            (false, false) => {
                Err(self.voice.order_gone(self.host.as_str(), "it was finished with another key"))
            }
        }
    }

    fn why_invalid(&mut self) -> AcmeError {
        match self.order.state().error.clone() {
            // An order's own error is about the order, whatever its words are.
            Some(problem)
                if !matches!(problem_type(&problem), "" | "unauthorized" | "accountDoesNotExist") =>
            {
                self.voice.error(Error::Api(problem), self.host.as_str())
            }
            other => self.voice.order_failed(self.host.as_str(), other.as_ref()),
        }
    }

    async fn fetch_authorization(&mut self) -> Result<Authorization, AcmeError> {
        let mut lost = 0;
        loop {
            match Authorization::fetch(&mut self.order).await {
                Ok(authorization) => return Ok(authorization),
                Err(error) => self.after_lost_look(error, &mut lost).await?,
            }
        }
    }

    async fn look_again(&mut self) -> Result<(), AcmeError> {
        self.wait(self.session.asked()).await?;
        self.look().await
    }

    /// Asks how the order is.
    async fn look(&mut self) -> Result<(), AcmeError> {
        let mut lost = 0;
        loop {
            match with_fresh_nonce!(self.order.refresh().await.map(|_| ())) {
                Ok(()) => return Ok(()),
                Err(error) => self.after_lost_look(error, &mut lost).await?,
            }
        }
    }

    /// Looking changes nothing, so it is repeated: to give up would take the proof away while the authority looks at it.
    async fn after_lost_look(&mut self, error: Error, lost: &mut u32) -> Result<(), AcmeError> {
        let error = self.failed(error);
        *lost += 1;
        let transient = matches!(error.kind(), AcmeErrorKind::Unreachable | AcmeErrorKind::Busy);
        if !transient || *lost > LOST_LOOKS || self.pace.wait(error.retry_after()).await.is_err() {
            return Err(error);
        }
        Ok(())
    }

    async fn wait(&mut self, asked: Option<Duration>) -> Result<(), AcmeError> {
        let waited = self.pace.wait(asked).await;
        waited.map_err(|_| self.voice.unfinished(self.host.as_str()).after(asked))
    }

    fn failed(&self, error: Error) -> AcmeError {
        self.voice.error(error, self.host.as_str())
    }
}

fn signing_request(host: &Hostname, key: &Secret) -> Result<Vec<u8>, rcgen::Error> {
    let mut params = CertificateParams::new(vec![host.as_str().to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    // The key signs its own request.
    let key = KeyPair::from_pem(key.expose())?;
    Ok(params.serialize_request(&key)?.der().to_vec())
}
