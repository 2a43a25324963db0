//! The answers to ACME challenges, kept in memory for a while.

mod challenges;
mod proof;
mod well_known;

pub(crate) use challenges::Challenges;
pub(crate) use well_known::is_challenge;
