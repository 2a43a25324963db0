//! Certificates: the ACME client, the server's own authority, preflight, and when to renew.
//!
//! Nothing here knows the database or the proxy. Time comes in as an argument wherever a decision depends on it.

#![forbid(unsafe_code)]

mod acme;
mod acme_identifier;
mod address;
mod authority;
mod challenge;
mod dns;
mod dns_hook;
mod embedded_address;
mod facts;
mod key;
mod names;
mod own_authority;
mod pair;
mod pair_error;
mod pem;
mod preflight;
mod presented;
mod schedule;
mod text;

pub use acme::{
    AcmeAuthority, AcmeError, AcmeErrorKind, AcmeSettings, AcmeSettingsError, ExternalAccount, LETS_ENCRYPT,
    LETS_ENCRYPT_STAGING, Patience, caa_identities_of,
};
pub use address::is_public_address;
pub use authority::Authority;
pub use challenge::{Challenge, ChallengeKind, Proof, SolveError, Solver};
pub use dns::ResolverError;
pub use dns_hook::DnsHook;
pub use facts::CertificateFacts;
pub use key::{KeyError, generate_key};
pub use names::{NameClass, PrivateReason, classify};
pub use own_authority::{Issued, OwnAuthority, OwnAuthorityError};
pub use pair::check_pair;
pub use pair_error::PairError;
pub use pem::split_pem;
pub use preflight::{Obstacle, Preflight, PreflightSettings};
pub use schedule::{RenewalWindow, back_off, pick_in_window, renew_at};
