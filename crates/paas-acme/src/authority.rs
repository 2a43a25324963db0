use async_trait::async_trait;
use paas_domain::{Hostname, Secret};

use crate::{AcmeError, ChallengeKind, RenewalWindow, Solver};

/// An authority that signs certificates over ACME (RFC 8555).
///
/// Accounts and orders outlive the process: what a method returns is to be stored before the next one is called. Every method may be called
/// again after any error.
#[async_trait]
pub trait Authority: Send + Sync + 'static {
    /// The URL that identifies it.
    fn directory(&self) -> &str;

    /// Whether it was given with its own root: it may sign names no public authority would.
    fn is_private(&self) -> bool;

    /// Makes an account. The credentials are a JSON text with the account's private key.
    async fn register(&self) -> Result<Secret, AcmeError>;

    /// Makes an order for one name and returns its URL. `replaces` is the chain of the certificate that this one takes the place of: an
    /// authority with renewal information exempts such orders from its limits (RFC 9773 §5). Where it knows nothing of it, or another order
    /// has replaced it already, the order is made without.
    async fn new_order(
        &self,
        account: &Secret,
        host: &Hostname,
        replaces: Option<&str>,
    ) -> Result<String, AcmeError>;

    /// Brings an order to its end from whatever state it is in, and returns the chain in PEM: it covers the host and fits the key. `kinds` are
    /// the ways that may be used, the best first. What was presented is removed when this returns, fails or is dropped.
    ///
    /// [`crate::AcmeErrorKind::OrderGone`] means that this order leads nowhere: make a new one.
    async fn complete(
        &self,
        account: &Secret,
        order_url: &str,
        host: &Hostname,
        key: &Secret,
        kinds: &[ChallengeKind],
        solver: &dyn Solver,
    ) -> Result<String, AcmeError>;

    /// When the authority would like this certificate to be renewed (RFC 9773 §4); none when it has no opinion.
    async fn renewal_window(
        &self,
        account: &Secret,
        chain_pem: &str,
    ) -> Result<Option<RenewalWindow>, AcmeError>;
}
