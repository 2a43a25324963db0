use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use http::{Response, StatusCode};
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
    http1::{Answered, Certainty, Connection, Http1Error, Lost},
    outbound::{AnswerHead, Outbound},
    progress::Progress,
    registry::Registry,
    rest,
    router::{Route, Service},
    service::Visitor,
    shared::Shared,
    target::{Claim, Target},
    target_body::{TargetBody, TargetBodyError},
    visit::Visit,
};

/// How long nobody watches over an answer. Then the task that waits for it is woken.
const QUICK: Duration = Duration::from_millis(50);

/// A target's answer, and what it holds.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: AnswerHead,
    pub(crate) body: TargetBody,
    pub(crate) lease: Lease,
    /// How its body is to be compressed, if the service wants that.
    pub(crate) wish: Option<Wish>,
}

/// Sends a request to a target of its service and waits for the header of its answer. A target that cannot be connected
/// to is passed over for another; a request of which a byte was sent is sent again only when that changes nothing (RFC 9110, 9.2.2).
pub(crate) async fn forward(
    visitor: &Visitor,
    route: &Route,
    request: &mut Outbound,
    begin: Instant,
) -> Result<Answer, Failure> {
    let shared = &visitor.shared;
    let policy = &route.service.spec.policy;
    let patience = policy.response_timeout_ms.map_or(shared.limits.response_timeout, Duration::from_millis);
    let mut progress = request.progress().cloned();
    let mut refused = Vec::new();
    let mut visit = None;
    let mut place = None;
    loop {
        // Rare ones are boxed: their room would be part of every connection.
        let claim = match next(&shared.registry, route, request, &refused, &mut visit)? {
            Next::Send(claim) => claim,
            Next::Wait(service, generation) => {
                // Whoever waits for a plain answer looks after its client from the second turn on.
                tokio::task::yield_now().await;
                let leaving = request.is_streaming().then(|| visitor.activity.leaving());
                let wait = hold::wait(shared, &service, generation, &mut place, leaving);
                Box::pin(wait).await?;
                continue;
            }
            Next::Buffer => {
                place = None;
                let full = std::mem::take(request.full());
                *request = Outbound::full_of(Box::pin(buffered(shared, full)).await?);
                progress = request.progress().cloned();
                continue;
            }
        };
        place = None;
        let target = Arc::clone(claim.target());
        let asked = Instant::now();
        let outcome = {
            let mut exchange = std::pin::pin!(exchange(shared, &target, request));
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
            Ok(Exchanged { mut head, body, stream }) => {
                target.rest.succeed();
                let wish = match (&mut head, visit) {
                    (AnswerHead::Full(response), Some(visit)) => visit.finish(begin, response.headers_mut()),
                    _ => None,
                };
                return Ok(Answer { head, body, lease: Lease::new(claim, stream, progress), wish });
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
    request: &mut Outbound,
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
        if service.spec.policy.buffer_requests && request.is_streaming() {
            return Ok(Next::Buffer);
        }
        let picked = if service.is_plain() {
            *visit = None;
            pick(&service.targets, refused)
        } else {
            visit.get_or_insert_with(|| Box::new(Visit::new(request.full()))).pick(service, refused)
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

/// What a target has answered.
struct Exchanged {
    head: AnswerHead,
    body: TargetBody,
    /// Its place on a connection that is shared with others.
    stream: Option<h2c::Stream>,
}

/// One target, in the protocol it speaks. Leaves the request whole when it was not sent.
async fn exchange(
    shared: &Shared,
    target: &Arc<Target>,
    request: &mut Outbound,
) -> Result<Exchanged, ExchangeError> {
    if request.is_streaming() {
        let begun = request.full().body_mut().begin().await;
        begun.map_err(|error| ExchangeError::Closed(Http1Error::ClientBody(error).into()))?;
    }
    match target.protocol {
        TargetProtocol::Http1 => {
            let Answered { head, body, connection } = over_http1(shared, target, request).await?;
            if let Some(connection) = connection {
                target.pool.put(connection);
            }
            Ok(Exchanged { head, body: TargetBody::Http1(body), stream: None })
        }
        TargetProtocol::H2c => {
            // Boxed, as what is rare below: every request would be as large.
            let exchange = Box::pin(h2c::exchange(target, request.full(), &shared.limits));
            let (response, stream) = exchange.await?;
            let (parts, body) = response.into_parts();
            let head = AnswerHead::Full(Response::from_parts(parts, ()));
            Ok(Exchanged { head, body: TargetBody::H2c(body), stream: Some(stream) })
        }
    }
}

/// Over a kept connection first, over a new one when that turns out to be dead.
async fn over_http1(
    shared: &Shared,
    target: &Target,
    request: &mut Outbound,
) -> Result<Answered<AnswerHead>, ExchangeError> {
    let limits = &shared.limits;
    let again = request.again();
    let certainty = if again.is_some() { Certainty::Heard } else { Certainty::Asked };
    if let Some(connection) = target.pool.take(limits.upstream_idle, certainty) {
        match request.send(connection).await {
            // Servers tell an idle connection so that they close it (RFC 9110, 15.5.9): it may have crossed the request.
            Ok(answered)
                if answered.head.status() == StatusCode::REQUEST_TIMEOUT && answered.connection.is_none() =>
            {
                match again {
                    Some(body) => request.restore(body),
                    None => return Ok(answered),
                }
            }
            Ok(answered) => return Ok(answered),
            Err(Lost::Unsent(error)) => tracing::trace!(error = %error, "a kept connection was closed"),
            Err(Lost::Unanswered(error)) => match again {
                Some(body) => {
                    tracing::trace!(error = %error, "a kept connection was closed under a request");
                    request.restore(body);
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
    request.send(connection).await.map_err(|lost| match lost {
        Lost::Unsent(error) => ExchangeError::Unreachable(ConnectError::Unsent(error)),
        Lost::Unanswered(error) | Lost::Failed(error) => ExchangeError::Closed(error.into()),
    })
}
