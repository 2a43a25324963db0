//! The build context on its way to the engine.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::StreamExt;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use crate::{engine::ContextStream, wire::WireBody};

/// Why the context broke off, if it did. The HTTP client only says that its request was cut.
#[derive(Clone, Default)]
pub(super) struct Broken(Arc<Mutex<Option<io::Error>>>);

impl Broken {
    pub(super) fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, error: io::Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

/// The request's body: the context as it is made, nothing kept.
pub(super) fn body(context: ContextStream) -> (WireBody, Broken) {
    let broken = Broken::default();
    let tap = broken.clone();
    let frames = context.map(move |chunk| match chunk {
        Ok(bytes) => Ok(Frame::data(bytes)),
        Err(error) => {
            tap.set(error);
            Err(io::Error::other("the context broke off"))
        }
    });
    (StreamBody::new(frames).boxed_unsync(), broken)
}
