//! Everything paas knows, in one SQLite file. The only crate that knows SQL.
//!
//! [`Store`] is cheap to clone; its methods block for one short transaction each. Config values and release snapshots are sealed with a key that is
//! kept beside the database, never in it ([`SecretKey`]).

mod added_certificates;
mod apps;
mod authorities;
mod candidates;
mod certificate_orders;
mod certificate_tries;
mod certificates;
mod config_vars;
mod containers;
mod deploys;
mod domains;
mod error;
mod front_door;
mod hosts;
mod ip_ranges;
mod keys;
mod mounts;
mod open;
mod pages;
mod path_routes;
mod pool;
mod public_key;
mod redirects;
mod release_history;
mod releases;
mod scale;
mod sealed;
mod secret_key;
mod settings;
mod snapshot;
mod store;
mod users;
mod volumes;

pub use added_certificates::AddedCertificate;
pub use apps::{App, Wanted};
pub use certificate_orders::CertificateOrder;
pub use certificate_tries::{Problem, Tries};
pub use certificates::{Certificate, CertificateSource, Pair, RenewalAdvice, Validity};
pub use containers::ContainerRow;
pub use deploys::{Deploy, NewDeploy};
pub use error::{ErrorKind, StoreError};
pub use front_door::FrontDoor;
pub use ip_ranges::IpList;
pub use keys::{Access, Key};
pub use mounts::MountRef;
pub use open::OpenError;
pub use pool::{AddressPool, AddressPoolError, Subnet};
pub use public_key::{PublicKey, PublicKeyError};
pub use release_history::{ReleaseStatus, ReleaseSummary};
pub use releases::{NewRelease, Release};
pub use secret_key::{SecretKey, SecretKeyError};
pub use settings::Setting;
pub use store::Store;
pub use volumes::Volume;
