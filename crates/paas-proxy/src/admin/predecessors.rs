use std::time::Duration;

use futures_util::future::join_all;

use super::socket::Names;
use crate::{
    client::{ProxyClient, ProxyClientError},
    refusal::{Refusal, RefusalKind},
};

/// The proxies before this one that still drain: requests that they took may still run on any target.
#[derive(Debug)]
pub(crate) struct Predecessors(Names);

impl Predecessors {
    pub(crate) fn new(names: Names) -> Self {
        Self(names)
    }

    async fn all(&self) -> Vec<ProxyClient> {
        self.0.others().await.into_iter().map(ProxyClient::new).collect()
    }

    pub(crate) async fn count(&self) -> usize {
        self.0.others().await.len()
    }

    /// Lets them follow a change of the table: they send nothing more to a target it no longer names, and a request that waits
    /// there for a change gets to know of it.
    pub(crate) async fn follow(&self) {
        join_all(self.all().await.iter().map(follow)).await;
    }

    /// This process ends, and whatever still drains would be ended with it: returns when that has ended by itself, at the latest
    /// after `patience`. Tunnels end at once.
    pub(crate) async fn end(&self, patience: Duration) {
        // However it answers: it has ended, or never will.
        join_all(self.all().await.iter().map(|predecessor| predecessor.end(patience))).await;
    }

    /// Waits until none of them has a request in flight on a target; at the deadline ends what is left and counts it. Refused
    /// when one of them still sends requests there.
    pub(crate) async fn wait_drained(&self, id: &str, timeout: Duration) -> Result<u64, Refusal> {
        let all = self.all().await;
        let left = join_all(all.iter().map(|predecessor| drained(predecessor, id, timeout))).await;
        left.into_iter().sum()
    }
}

async fn follow(predecessor: &ProxyClient) {
    match predecessor.follow().await {
        // What has ended needs to know nothing.
        Ok(()) | Err(ProxyClientError::Broken { .. } | ProxyClientError::Unreachable { .. }) => {}
        Err(error) => {
            tracing::warn!(error = %error, "the proxy before this one was not told of a change");
        }
    }
}

async fn drained(predecessor: &ProxyClient, id: &str, timeout: Duration) -> Result<u64, Refusal> {
    let mut followed = false;
    loop {
        match predecessor.wait_drained_alone(id, timeout).await {
            Ok(outcome) => return Ok(outcome.in_flight_left),
            // It has ended, and its requests with it.
            Err(ProxyClientError::Broken { .. } | ProxyClientError::Unreachable { .. }) => return Ok(0),
            Err(ProxyClientError::Refused(Refusal { kind: RefusalKind::TargetActive { .. }, .. }))
                if !followed =>
            {
                follow(predecessor).await;
                followed = true;
            }
            Err(ProxyClientError::Refused(refusal)) => return Err(refusal),
            Err(error) => return Err(Refusal::unanswered(&error)),
        }
    }
}
