//! Containers: what every one of ours is given, and the calls that change it.

mod create;
mod hardening;
mod inspect;
mod lifecycle;

pub(crate) use create::create;
pub(crate) use inspect::{Found, find, list, look};
pub(crate) use lifecycle::{remove, set_restart_policy, start, stop, wait};
