use std::{error::Error, sync::Arc};

use h2::Reason;
use http::{Request, Response};
use hyper::body::Incoming;

use super::{
    Stream,
    request::{to_http1, to_http2},
};
use crate::{
    body::RequestBody,
    config::Limits,
    forward::{ExchangeError, copy_without_body},
    target::Target,
    upstream::{ConnectError, SendError},
};

/// How often a request is offered to a target that refuses to take it up, each time on another connection.
const OFFERS: usize = 3;

/// Sends a request to a target and waits for the header of its answer. What the target says it did not take up is sent again
/// (RFC 9113, 8.7), if not a byte of a body is gone.
pub(crate) async fn exchange(
    target: &Arc<Target>,
    request: Request<RequestBody>,
    limits: &Limits,
) -> Result<(Response<Incoming>, Stream), ExchangeError> {
    let mut request = to_http2(request);
    let mut offers = 0;
    loop {
        let stream = match target.streams.stream(target.address, limits.connect_timeout).await {
            Ok(stream) => stream,
            Err(error) => return Err(ExchangeError::Unreachable(Box::new(to_http1(request)), error)),
        };
        offers += 1;
        let copy = copy_without_body(&request);
        let (again, error) = match stream.send(request).await {
            Ok(response) => return Ok((response, stream)),
            Err(SendError::Unsent(unsent, error)) => (*unsent, error),
            Err(SendError::Lost(error)) => match copy.filter(|_| was_not_taken_up(&error)) {
                Some(copy) => (copy, error),
                None => return Err(ExchangeError::Closed(error)),
            },
        };
        stream.spend();
        if offers == OFFERS {
            let error = ConnectError::Handshake(error);
            return Err(ExchangeError::Unreachable(Box::new(to_http1(again)), error));
        }
        request = again;
    }
}

/// True when the target said so itself: it refused the stream, or ended the connection in good order before it.
fn was_not_taken_up(error: &hyper::Error) -> bool {
    let Some(error) = error.source().and_then(|source| source.downcast_ref::<h2::Error>()) else {
        return false;
    };
    error.is_remote()
        && (error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM)
            || error.is_go_away() && error.reason() == Some(Reason::NO_ERROR))
}
