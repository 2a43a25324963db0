//! Access logs: one line for each request of a service that wants it, in a file of the service.
//!
//! A line is made where the request ends and handed over a bounded queue to one thread that writes: a disk that is slow or full costs
//! lines, which are counted, and no request waits.

mod combined;
mod entry;
mod files;
mod json;
mod mask;
mod queue;
mod service_log;
mod writer;

pub(crate) use entry::{Entry, Outcome};
pub(crate) use queue::AccessLogs;
pub(crate) use service_log::ServiceLog;
