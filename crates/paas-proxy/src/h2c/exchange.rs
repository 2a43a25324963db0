use std::{error::Error, sync::Arc};

use h2::Reason;
use http::{Request, Response};
use hyper::body::Incoming;

use super::{
    Stream,
    connections::SendError,
    request::{to_http1, to_http2},
};
use crate::{
    config::Limits, connect_error::ConnectError, forward::ExchangeError, request_body::RequestBody,
    target::Target,
};

/// How often a request is offered to a target that refuses to take it up, each time on another connection.
const OFFERS: usize = 3;

/// Sends a request to a target and waits for the header of its answer. What the target says it did not take up is sent again
/// (RFC 9113, 8.7), if not a byte of a body is gone. The request is left whole when it was not sent.
pub(crate) async fn exchange(
    target: &Arc<Target>,
    request: &mut Request<RequestBody>,
    limits: &Limits,
) -> Result<(Response<Incoming>, Stream), ExchangeError> {
    let mut next = to_http2(std::mem::take(request));
    let mut offers = 0;
    loop {
        let stream = match target.streams.stream(target.address, limits.connect_timeout).await {
            Ok(stream) => stream,
            Err(error) => {
                *request = to_http1(next);
                return Err(ExchangeError::Unreachable(error));
            }
        };
        offers += 1;
        let copy = copy_if_whole(&next);
        let (again, error) = match stream.send(next).await {
            Ok(response) => return Ok((response, stream)),
            Err(SendError::Unsent(unsent, error)) => (*unsent, error),
            Err(SendError::Lost(error)) => match copy.filter(|_| was_not_taken_up(&error)) {
                Some(copy) => (copy, error),
                None => return Err(ExchangeError::Closed(error.into())),
            },
        };
        stream.spend();
        if offers == OFFERS {
            *request = to_http1(again);
            return Err(ExchangeError::Unreachable(ConnectError::Handshake(error)));
        }
        next = again;
    }
}

/// A request that can be sent once more; `None` when its body comes but once.
fn copy_if_whole(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    let mut copy = Request::new(request.body().again()?);
    request.method().clone_into(copy.method_mut());
    request.uri().clone_into(copy.uri_mut());
    request.headers().clone_into(copy.headers_mut());
    Some(copy)
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
