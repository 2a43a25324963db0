//! RFC 8555 with RFC 9773: [`AcmeAuthority`], an [`Authority`](crate::Authority) somewhere on the network.

mod acme_authority;
mod authorization;
mod completion;
mod error;
mod http_failure;
mod https;
mod nonce;
mod pace;
mod patience;
mod renewal;
mod retry_after;
mod roots;
mod session;
mod settings;
mod voice;
mod well_known;

pub use acme_authority::AcmeAuthority;
pub use error::{AcmeError, AcmeErrorKind};
pub use patience::Patience;
pub use settings::{AcmeSettings, AcmeSettingsError, ExternalAccount};
pub use well_known::{LETS_ENCRYPT, LETS_ENCRYPT_STAGING, caa_identities_of};
