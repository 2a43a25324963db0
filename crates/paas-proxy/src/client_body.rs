use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Version, header::EXPECT};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::{
    http3::{Http3Body, Http3BodyError},
    io::{Activity, Busy},
    linger::linger,
};

/// A request's body as it comes from the client.
#[derive(Debug)]
pub(crate) enum ClientBody {
    Http1(Http1Body),
    /// A stream of its own: ending it leaves the others alone. The connection is busy as long as it comes.
    Http2 {
        incoming: Incoming,
        /// Held, never read.
        #[allow(dead_code)]
        busy: Option<Busy>,
    },
    Http3(Box<Http3Body>),
}

/// A body on a connection of HTTP/1.1, where the next message begins at its end. Until then the connection is busy, and what nobody
/// wants of the body is read away: closing on unread bytes makes the kernel reset the connection, and the client may lose the answer.
#[derive(Debug)]
pub(crate) struct Http1Body {
    /// Until it has ended, well or badly.
    incoming: Option<(Incoming, Busy)>,
    /// Whether it comes without being asked for. A client that waits for `100 Continue` has sent none, and must not be asked for it.
    comes: bool,
}

/// Why a request's body ended badly.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientBodyError {
    #[error(transparent)]
    Hyper(#[from] hyper::Error),
    #[error(transparent)]
    Http3(#[from] Http3BodyError),
    #[error("the body is larger than the service takes")]
    TooLarge,
    #[error("the body came too slowly")]
    TooSlow,
    #[error("the buffered body could not be read")]
    Buffer(#[from] std::io::Error),
}

impl ClientBody {
    /// The body of a request that hyper has read the header of.
    pub(crate) fn of(request: Request<Incoming>, activity: &Arc<Activity>) -> Request<Self> {
        if request.version() >= Version::HTTP_2 {
            return request.map(|incoming| {
                let busy = (!incoming.is_end_stream()).then(|| activity.hold());
                Self::Http2 { incoming, busy }
            });
        }
        let comes = !request.headers().contains_key(EXPECT);
        request.map(|incoming| {
            let incoming = (!incoming.is_end_stream()).then(|| (incoming, activity.hold()));
            Self::Http1(Http1Body { incoming, comes })
        })
    }

    /// Whether the client's connection carries one request at a time.
    pub(crate) fn is_alone(&self) -> bool {
        matches!(self, Self::Http1(_))
    }
}

impl Http1Body {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some((incoming, _)) = &mut self.incoming else { return Poll::Ready(None) };
        self.comes = true;
        let polled = Pin::new(&mut *incoming).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) || incoming.is_end_stream() {
            self.incoming = None;
        }
        polled
    }
}

impl Drop for Http1Body {
    fn drop(&mut self) {
        if let Some((incoming, busy)) = self.incoming.take().filter(|_| self.comes) {
            linger(incoming, busy);
        }
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = ClientBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ClientBodyError>>> {
        match &mut *self {
            Self::Http1(body) => body.poll_frame(cx).map_err(ClientBodyError::from),
            Self::Http2 { incoming, .. } => Pin::new(incoming).poll_frame(cx).map_err(ClientBodyError::from),
            Self::Http3(body) => Pin::new(&mut **body).poll_frame(cx).map_err(ClientBodyError::from),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Http1(body) => body.incoming.is_none(),
            Self::Http2 { incoming, .. } => incoming.is_end_stream(),
            Self::Http3(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Http1(body) => {
                body.incoming.as_ref().map_or(SizeHint::with_exact(0), |(incoming, _)| incoming.size_hint())
            }
            Self::Http2 { incoming, .. } => incoming.size_hint(),
            Self::Http3(body) => body.size_hint(),
        }
    }
}
