use std::{sync::Arc, time::Duration};

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::time::{Instant, sleep_until};

use crate::{
    api::{ServiceState, TargetProtocol},
    balance::{Pick, pick},
    body::{Carrier, Lease, Progress, RequestBody},
    config::Limits,
    failure::Failure,
    h2c,
    host::Host,
    registry::Registry,
    shared::Shared,
    target::{Claim, Target},
    upstream::{ConnectError, Connection, SendError},
};

/// A target's answer, and what it holds.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: Response<Incoming>,
    pub(crate) lease: Lease,
}

/// Sends a request to a target of the host's service and waits for the header of its answer. A target that cannot be connected
/// to is passed over for another; a request of which a byte was sent is sent again only when that changes nothing (RFC 9110, 9.2.2).
pub(crate) async fn forward(
    shared: &Shared,
    host: &Host<'_>,
    mut request: Request<RequestBody>,
) -> Result<Answer, Failure> {
    let progress = request.body().progress();
    let mut refused = Vec::new();
    loop {
        let claim = claim(&shared.registry, host, &refused)?;
        let target = Arc::clone(claim.target());
        let outcome = tokio::select! {
            biased;
            outcome = exchange(&target, request, &shared.limits) => outcome,
            () = target.cut().cancelled() => return Err(Failure::Cut),
            failure = patience_ends(progress.as_deref(), shared.limits.response_timeout) => return Err(failure),
        };
        match outcome {
            Ok((response, carrier)) => return Ok(Answer { response, lease: Lease { claim, carrier } }),
            Err(ExchangeError::Unreachable(unsent, error)) => {
                tracing::debug!(target.id = %target.id, error = %error, "a target could not be connected to");
                request = *unsent;
                refused.push(target);
            }
            Err(ExchangeError::Closed(error)) => {
                tracing::debug!(target.id = %target.id, error = %error, "a target gave no answer");
                let broken = progress.is_some_and(|progress| progress.is_broken());
                return Err(if broken { Failure::BrokenBody } else { Failure::BadAnswer });
            }
        }
    }
}

/// Counts the request on a target of the newest table.
fn claim(registry: &Registry, host: &Host<'_>, refused: &[Arc<Target>]) -> Result<Claim, Failure> {
    let mut stale = None;
    loop {
        let table = registry.table();
        // A target leaves service only after the table without it is in force, so the same table is never stale twice.
        if stale.is_some_and(|generation| generation == table.generation) {
            return Err(Failure::NoTarget);
        }
        let service = table.find(host).ok_or(Failure::UnknownHost)?;
        if service.spec.state == ServiceState::Stopped {
            return Err(Failure::Stopped);
        }
        match pick(&service.targets, refused) {
            Pick::Claimed(claim) => return Ok(claim),
            Pick::Empty if refused.is_empty() => return Err(Failure::NoTarget),
            Pick::Empty => return Err(Failure::Unreachable),
            Pick::Stale => stale = Some(table.generation),
        }
    }
}

/// Why a target gave no answer.
pub(crate) enum ExchangeError {
    /// Not a byte was sent.
    Unreachable(Box<Request<RequestBody>>, ConnectError),
    Closed(hyper::Error),
}

/// One target, in the protocol it speaks.
async fn exchange(
    target: &Arc<Target>,
    request: Request<RequestBody>,
    limits: &Limits,
) -> Result<(Response<Incoming>, Carrier), ExchangeError> {
    match target.protocol {
        TargetProtocol::Http1 => {
            let (response, connection) = over_http1(target, request, limits).await?;
            Ok((response, Carrier::Connection(connection)))
        }
        TargetProtocol::H2c => {
            let (response, stream) = h2c::exchange(target, request, limits).await?;
            Ok((response, Carrier::Stream(stream)))
        }
    }
}

/// Over a kept connection first, over a new one when that turns out to be dead.
async fn over_http1(
    target: &Arc<Target>,
    mut request: Request<RequestBody>,
    limits: &Limits,
) -> Result<(Response<Incoming>, Connection), ExchangeError> {
    if let Some(mut connection) = target.pool.take(limits.upstream_idle) {
        let copy = copy_if_repeatable(&request);
        request = match connection.send(request).await {
            Ok(response) => return Ok((response, connection)),
            Err(SendError::Unsent(unsent, _)) => *unsent,
            Err(SendError::Lost(error)) if error.is_parse() => return Err(ExchangeError::Closed(error)),
            Err(SendError::Lost(error)) => copy.ok_or(ExchangeError::Closed(error))?,
        };
    }
    let mut connection = match Connection::open(target.address, limits.connect_timeout).await {
        Ok(connection) => connection,
        Err(error) => return Err(ExchangeError::Unreachable(Box::new(request), error)),
    };
    match connection.send(request).await {
        Ok(response) => Ok((response, connection)),
        Err(SendError::Unsent(unsent, error)) => {
            Err(ExchangeError::Unreachable(unsent, ConnectError::Handshake(error)))
        }
        Err(SendError::Lost(error)) => Err(ExchangeError::Closed(error)),
    }
}

fn copy_if_repeatable(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    if request.method().is_idempotent() { copy_without_body(request) } else { None }
}

/// A request that can be sent once more; `None` when its body would be missing then.
pub(crate) fn copy_without_body(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    if !request.body().is_empty() {
        return None;
    }
    let mut copy = Request::new(RequestBody::Empty);
    request.method().clone_into(copy.method_mut());
    request.uri().clone_into(copy.uri_mut());
    request.headers().clone_into(copy.headers_mut());
    Some(copy)
}

/// Ends when neither the client's body nor the target's answer has moved for too long, with whose fault it is. A slow but
/// steady upload may take as long as it needs.
async fn patience_ends(progress: Option<&Progress>, timeout: Duration) -> Failure {
    let mut deadline = Instant::now() + timeout;
    loop {
        sleep_until(deadline).await;
        let Some(progress) = progress else { return Failure::Timeout };
        let extended = progress.last() + timeout;
        if extended <= deadline {
            return if progress.is_waiting_for_client() { Failure::SlowBody } else { Failure::Timeout };
        }
        deadline = extended;
    }
}
