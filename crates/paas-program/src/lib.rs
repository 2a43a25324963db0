//! External programs as values: an argv, a cleared environment, no shell. [`Program`] is the one way to run another program.

#![forbid(unsafe_code)]

mod argument;
mod error;
mod escaped;
mod lookup;
mod program;
mod run;
mod stream;

pub use argument::ArgumentError;
pub use error::ProgramError;
pub use escaped::Escaped;
pub use program::Program;
pub use stream::Stream;
