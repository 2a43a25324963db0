//! Compresses answers for visitors whose app has not done it.
//!
//! Whoever can make a visitor's browser send requests and sees how long the answers are can guess what stands in them beside what
//! he sent himself (BREACH). So this is off unless a service wants it.

mod accept;
mod body;
mod coding;
mod worth;

pub(crate) use accept::Wish;
pub(crate) use body::{Compressed, CompressedError};
pub(crate) use coding::Encoder;
