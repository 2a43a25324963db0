use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use http::{Request, Response, StatusCode};
use tokio::time::{Instant, sleep_until};

use crate::{
    api::{ServiceState, TargetProtocol},
    balance::{Pick, pick},
    body::Lease,
    buffering::buffered,
    compression::Wish,
    connect_error::ConnectError,
    failure::Failure,
    h2c, hold,
    http1::{self, Answered, Certainty, Connection, Lost},
    progress::Progress,
    registry::Registry,
    request_body::RequestBody,
    rest,
    router::{Route, Service},
    service::Visitor,
    shared::Shared,
    target::{Claim, Target},
    target_body::{TargetBody, TargetBodyError},
    visit::Visit,
};

/// How long nobody watches over an answer.
const QUICK: Duration = Duration::from_millis(50);

/// A target's answer, and what it holds.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: Response<TargetBody>,
    pub(crate) lease: Lease,
    /// How its body is to be compressed, if the service wants that.
    pub(crate) wish: Option<Wish>,
}

/// Sends a request to a target of its service and waits for the header of its answer. A target that cannot be connected
/// to is passed over for another; a request of which a byte was sent is sent again only when that changes nothing (RFC 9110, 9.2.2).
pub(crate) async fn forward(
    visitor: &Visitor,
    route: &Route,
    mut request: Request<RequestBody>,
    begin: Instant,
) -> Result<Answer, Failure> {
    let shared = &visitor.shared;
    let policy = &route.service.spec.policy;
    let patience = policy.response_timeout_ms.map_or(shared.limits.response_timeout, Duration::from_millis);
    let mut progress = request.body().progress().cloned();
    let mut refused = Vec::new();
    let mut visit = None;
    let mut place = None;
    loop {
        // Rare ones are boxed: their room would be part of every connection.
        let claim = match next(&shared.registry, route, &mut request, &refused, &mut visit)? {
            Next::Send(claim) => claim,
            Next::Wait(service, generation) => {
                let leaving = request.body().is_streaming().then(|| visitor.activity.leaving());
                let wait = hold::wait(shared, &service, generation, &mut place, leaving);
                Box::pin(wait).await?;
                continue;
            }
            Next::Buffer => {
                place = None;
                request = Box::pin(buffered(shared, request)).await?;
                progress = request.body().progress().cloned();
                continue;
            }
        };
        place = None;
        let target = Arc::clone(claim.target());
        let asked = Instant::now();
        let outcome = {
            let mut exchange = std::pin::pin!(exchange(shared, &target, &mut request));
            tokio::select! {
                biased;
                outcome = &mut exchange => outcome,
                // Most answers are here by now, and it costs a fifth of a request to watch for what may end it.
                () = visitor.timers.elapsed(asked, QUICK) => {
                    let ends = async {
                        tokio::select! {
                            () = target.cut().cancelled() => Failure::Cut,
                            () = unanswered(asked, patience, progress.as_deref()) => Failure::Timeout,
                        }
                    };
                    let ends = Box::pin(ends);
                    tokio::select! {
                        biased;
                        outcome = exchange => outcome,
                        failure = ends => return Err(failure),
                    }
                }
            }
        };
        match outcome {
            Ok((mut response, stream)) => {
                target.rest.succeed();
                let wish = visit.and_then(|visit: Box<Visit>| visit.finish(begin, response.headers_mut()));
                return Ok(Answer { response, lease: Lease::new(claim, stream, progress), wish });
            }
            Err(ExchangeError::Unreachable(error)) => {
                shared.counters.unreachable.fetch_add(1, Relaxed);
                tracing::debug!(target.id = %target.id, error = %error, "a target could not be connected to");
                target.rest.fail(rest::now());
                refused.push(target);
            }
            Err(ExchangeError::Closed(error)) => {
                tracing::debug!(target.id = %target.id, error = %error, "a target gave no answer");
                let fault = progress.and_then(|progress| progress.fault());
                return Err(fault.unwrap_or(Failure::BadAnswer));
            }
        }
    }
}

/// Returns when the target has taken too long. A slow but steady upload may take as long as it needs.
async fn unanswered(asked: Instant, patience: Duration, progress: Option<&Progress>) {
    match progress {
        Some(progress) => progress.stands_still(asked, patience).await,
        None => sleep_until(asked + patience).await,
    }
}

/// What is to be done next with a request.
enum Next {
    /// It is counted on a target.
    Send(Claim),
    /// Its service is held in the table of that number.
    Wait(Arc<Service>, u64),
    /// Its body is to be read whole first.
    Buffer,
}

/// Counts the request on a target of the newest table, if nothing else is to be done before.
fn next(
    registry: &Registry,
    route: &Route,
    request: &mut Request<RequestBody>,
    refused: &[Arc<Target>],
    visit: &mut Option<Box<Visit>>,
) -> Result<Next, Failure> {
    let mut stale = None;
    loop {
        let table = registry.table();
        // A target leaves service only after the table without it is in force, so the same table is never stale twice.
        if stale.is_some_and(|generation| generation == table.generation) {
            return Err(Failure::NoTarget);
        }
        let service = table.again(route).ok_or(Failure::UnknownHost)?;
        match service.spec.state {
            ServiceState::Serving => {}
            ServiceState::Held => return Ok(Next::Wait(Arc::clone(service), table.generation)),
            ServiceState::Stopped => return Err(Failure::Stopped),
            ServiceState::Maintenance => return Err(Failure::Maintenance),
        }
        if service.spec.policy.buffer_requests && request.body().is_streaming() {
            return Ok(Next::Buffer);
        }
        let picked = if service.is_plain() {
            *visit = None;
            pick(&service.targets, refused)
        } else {
            visit.get_or_insert_with(|| Box::new(Visit::new(request))).pick(service, refused)
        };
        match picked {
            Pick::Claimed(claim) => return Ok(Next::Send(claim)),
            Pick::Empty if refused.is_empty() => return Err(Failure::NoTarget),
            Pick::Empty => return Err(Failure::Unreachable),
            Pick::Stale => stale = Some(table.generation),
        }
    }
}

/// Why a target gave no answer.
#[derive(Debug)]
pub(crate) enum ExchangeError {
    /// Not a byte was sent, and the request is whole.
    Unreachable(ConnectError),
    Closed(TargetBodyError),
}

/// One target, in the protocol it speaks. Leaves the request whole when it was not sent.
async fn exchange(
    shared: &Shared,
    target: &Arc<Target>,
    request: &mut Request<RequestBody>,
) -> Result<(Response<TargetBody>, Option<h2c::Stream>), ExchangeError> {
    match target.protocol {
        TargetProtocol::Http1 => {
            let Answered { response, connection } = over_http1(shared, target, request).await?;
            if let Some(connection) = connection {
                target.pool.put(connection);
            }
            Ok((response.map(TargetBody::Http1), None))
        }
        TargetProtocol::H2c => {
            // Boxed, as what is rare below: every request would be as large.
            let (response, stream) = Box::pin(h2c::exchange(target, request, &shared.limits)).await?;
            Ok((response.map(TargetBody::H2c), Some(stream)))
        }
    }
}

/// Over a kept connection first, over a new one when that turns out to be dead.
async fn over_http1(
    shared: &Shared,
    target: &Target,
    request: &mut Request<RequestBody>,
) -> Result<Answered, ExchangeError> {
    let limits = &shared.limits;
    let again = if request.method().is_idempotent() { request.body().again() } else { None };
    let certainty = if again.is_some() { Certainty::Heard } else { Certainty::Asked };
    if let Some(connection) = target.pool.take(limits.upstream_idle, certainty) {
        match http1::exchange(connection, request).await {
            // Servers tell an idle connection so that they close it (RFC 9110, 15.5.9): it may have crossed the request.
            Ok(answered)
                if answered.response.status() == StatusCode::REQUEST_TIMEOUT
                    && answered.connection.is_none() =>
            {
                match again {
                    Some(body) => *request.body_mut() = body,
                    None => return Ok(answered),
                }
            }
            Ok(answered) => return Ok(answered),
            Err(Lost::Unsent(error)) => tracing::trace!(error = %error, "a kept connection was closed"),
            Err(Lost::Unanswered(error)) => match again {
                Some(body) => {
                    tracing::trace!(error = %error, "a kept connection was closed under a request");
                    *request.body_mut() = body;
                }
                None => return Err(ExchangeError::Closed(error.into())),
            },
            Err(Lost::Failed(error)) => return Err(ExchangeError::Closed(error.into())),
        }
        shared.counters.retries.fetch_add(1, Relaxed);
    }
    shared.counters.connects.fetch_add(1, Relaxed);
    let connection = Box::pin(Connection::open(target.address, limits.connect_timeout))
        .await
        .map_err(ExchangeError::Unreachable)?;
    http1::exchange(connection, request).await.map_err(|lost| match lost {
        Lost::Unsent(error) => ExchangeError::Unreachable(ConnectError::Unsent(error)),
        Lost::Unanswered(error) | Lost::Failed(error) => ExchangeError::Closed(error.into()),
    })
}
