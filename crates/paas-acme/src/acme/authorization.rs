use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use instant_acme::{
    AuthorizationHandle, AuthorizationStatus, ChallengeStatus, ChallengeType, Error, Order, Problem,
};
use paas_domain::Hostname;
use sha2::{Digest, Sha256};

use super::nonce::with_fresh_nonce;
use crate::{Challenge, ChallengeKind, Proof};

/// An order of ours has one name, hence one authorization with its challenges.
const MISSING: Error = Error::Str("authorization");

/// An authorization as the authority described it: the state of the one name in an order.
pub(crate) struct Authorization {
    pub(crate) status: AuthorizationStatus,
    pub(crate) offers: Vec<Offer>,
}

/// A way the authority offers to check the name.
pub(crate) struct Offer {
    pub(crate) kind: ChallengeKind,
    pub(crate) status: ChallengeStatus,
    pub(crate) error: Option<Problem>,
    token: String,
}

impl Authorization {
    /// Asks the authority.
    pub(crate) async fn fetch(order: &mut Order) -> Result<Self, Error> {
        with_fresh_nonce!(Self::fetch_once(order).await)
    }

    async fn fetch_once(order: &mut Order) -> Result<Self, Error> {
        let known = order.state().authorizations.first().is_some_and(|one| one.state.is_some());
        let mut authorizations = order.authorizations();
        let mut handle = authorizations.next().await.unwrap_or(Err(MISSING))?;
        // The library keeps what it fetched once.
        if known {
            handle.refresh().await?;
        }
        Ok(Self::of(&handle))
    }

    fn of(handle: &AuthorizationHandle<'_>) -> Self {
        let offers = handle.challenges.iter().filter_map(|challenge| {
            let (error, token) = (challenge.error.clone(), challenge.token.clone());
            Some(Offer { kind: kind_of(&challenge.r#type)?, status: challenge.status, error, token })
        });
        Self { status: handle.status, offers: offers.collect() }
    }

    /// The way to go: one the authority is trying already, else the most preferred one.
    pub(crate) fn choose(&self, kinds: &[ChallengeKind]) -> Option<&Offer> {
        let usable = |offer: &&Offer| kinds.contains(&offer.kind);
        let trying =
            self.offers.iter().filter(usable).find(|offer| offer.status == ChallengeStatus::Processing);
        trying.or_else(|| {
            kinds.iter().find_map(|kind| {
                self.offers
                    .iter()
                    .find(|offer| offer.kind == *kind && offer.status == ChallengeStatus::Pending)
            })
        })
    }

    /// The ways offered, for a sentence.
    pub(crate) fn offered(&self) -> String {
        let kinds: Vec<&str> = self.offers.iter().map(|offer| offer.kind.as_str()).collect();
        if kinds.is_empty() { "none we know".to_owned() } else { kinds.join(", ") }
    }
}

impl Offer {
    /// What has to be shown, made from the token and the account key's thumbprint (RFC 8555 §8.1).
    pub(crate) fn challenge(&self, host: &Hostname, thumbprint: &str) -> Challenge {
        let token = self.token.clone();
        let key_authorization = format!("{token}.{thumbprint}");
        let digest: [u8; 32] = Sha256::digest(&key_authorization).into();
        let proof = match self.kind {
            ChallengeKind::Http01 => Proof::Http01 { token, key_authorization },
            ChallengeKind::TlsAlpn01 => Proof::TlsAlpn01 { digest },
            ChallengeKind::Dns01 => Proof::Dns01 {
                name: format!("_acme-challenge.{}", host.as_str().trim_start_matches("*.")),
                value: URL_SAFE_NO_PAD.encode(digest),
            },
        };
        Challenge { host: host.clone(), proof }
    }
}

/// Tells the authority to look now.
pub(crate) async fn set_ready(order: &mut Order, kind: ChallengeKind) -> Result<(), Error> {
    with_fresh_nonce!(set_ready_once(order, kind).await)
}

async fn set_ready_once(order: &mut Order, kind: ChallengeKind) -> Result<(), Error> {
    let mut authorizations = order.authorizations();
    let mut handle = authorizations.next().await.unwrap_or(Err(MISSING))?;
    match handle.challenge(type_of(kind)) {
        Some(mut challenge) => challenge.set_ready().await,
        None => Err(MISSING),
    }
}

fn kind_of(kind: &ChallengeType) -> Option<ChallengeKind> {
    match kind {
        ChallengeType::Http01 => Some(ChallengeKind::Http01),
        ChallengeType::TlsAlpn01 => Some(ChallengeKind::TlsAlpn01),
        ChallengeType::Dns01 => Some(ChallengeKind::Dns01),
        _ => None,
    }
}

fn type_of(kind: ChallengeKind) -> ChallengeType {
    match kind {
        ChallengeKind::Http01 => ChallengeType::Http01,
        ChallengeKind::TlsAlpn01 => ChallengeType::TlsAlpn01,
        ChallengeKind::Dns01 => ChallengeType::Dns01,
    }
}
