//! Byte streams: deadlines on the client's side, a socket that can be looked at on the target's side.

mod activity;
mod guarded;
mod rewind;
mod watched;

pub(crate) use activity::{Activity, Busy};
pub(crate) use guarded::{Guarded, Patience};
pub(crate) use rewind::{Preface, Rewind, sniff};
pub(crate) use watched::Watched;
