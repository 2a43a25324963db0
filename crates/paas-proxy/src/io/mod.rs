//! Byte streams: deadlines and limits on the client's side, bytes that were read before.

mod activity;
mod calm;
mod client_socket;
mod counted;
mod guarded;
pub(crate) mod joined;
mod leaving;
mod rewind;
mod spare_timers;

pub(crate) use activity::{Activity, Busy};
pub(crate) use calm::Calm;
pub(crate) use client_socket::{ClientSocket, FIRST};
pub(crate) use counted::Counted;
pub(crate) use guarded::{Guarded, Patience, elapsed};
pub(crate) use leaving::Leaving;
pub(crate) use rewind::Rewind;
pub(crate) use spare_timers::SpareTimers;
