//! Request bodies that are read whole before a target is asked.

mod collect;
mod room;
mod whole_body;

pub(crate) use collect::buffered;
pub(crate) use room::Buffers;
pub(crate) use whole_body::WholeBody;
