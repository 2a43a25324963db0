//! What is counted, in atomics that a request finds once and no lock guards. Read by [`ProxyMetrics`](crate::ProxyMetrics).

mod process;
mod requests;
mod shards;

pub(crate) use process::{ListenerCounters, OpenConnection, ProcessCounters};
pub(crate) use requests::{InFlight, RequestCounters};
pub(crate) use shards::own_shard;
