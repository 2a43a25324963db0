use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::{
    http1::{AnswerBody, Http1Error},
    target::Target,
};

/// The body of a target's answer.
#[derive(Debug)]
pub(crate) enum TargetBody {
    Http1(AnswerBody),
    /// Over HTTP/2.
    H2c(Incoming),
}

/// Why a target's answer ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetBodyError {
    #[error(transparent)]
    Http1(#[from] Http1Error),
    #[error(transparent)]
    H2c(#[from] hyper::Error),
}

impl TargetBody {
    /// Keeps the connection of an answer that was read to its end for the target's next request.
    pub(crate) fn give_back(&mut self, target: &Target) {
        if let Self::Http1(body) = self
            && let Some(connection) = body.take_connection()
        {
            target.pool.put(connection);
        }
    }
}

impl Body for TargetBody {
    type Data = Bytes;
    type Error = TargetBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TargetBodyError>>> {
        match &mut *self {
            Self::Http1(body) => Pin::new(body).poll_frame(cx).map_err(TargetBodyError::from),
            Self::H2c(body) => Pin::new(body).poll_frame(cx).map_err(TargetBodyError::from),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Http1(body) => body.is_end_stream(),
            Self::H2c(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Http1(body) => body.size_hint(),
            Self::H2c(body) => body.size_hint(),
        }
    }
}
