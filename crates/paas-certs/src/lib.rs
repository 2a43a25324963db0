//! Keeps a certificate for every hostname: the store, the authorities and the proxy brought together.
//!
//! [`Keeper`] is a reconciler: it compares the names of the store with the certificates there are, orders and renews what is missing, and
//! makes the proxy serve the best one of each name. What it decides is in `plan`, without a clock and without I/O; one order from its
//! first row to its certificate is in `attempt`.

#![forbid(unsafe_code)]

mod add;
mod attempt;
mod choice;
mod clock;
mod keeper;
mod own;
mod plan;
mod settings;
mod solver;
mod status;
mod sync;
mod wanted;

pub use add::{AddError, RemoveCertificateError};
pub use clock::{Clock, SystemClock};
pub use keeper::{KeepError, Keeper};
pub use settings::KeeperSettings;
pub use status::{NameState, NameStatus};
