use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::shared::Shared;

/// When the proxy wants a connection to end.
pub(super) struct Ending {
    shared: Arc<Shared>,
    /// Made when the connection first waits.
    last: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// A connection without a request under way is not waited for any more.
    is_last: bool,
    everything: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

/// What the proxy wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Nothing,
    /// The end, unless a request is under way.
    Last,
    /// The end, whatever is under way.
    Everything,
}

impl Ending {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, last: None, is_last: false, everything: None }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.shared.stop.has_begun()
    }

    /// The task is woken when that changes. Until the end begins, once is enough: to ask a token takes a lock that all connections share.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Wanted {
        let begun = self.has_begun();
        if self.last.is_some() && !begun {
            return Wanted::Nothing;
        }
        let shared = &self.shared;
        let last = self.last.get_or_insert_with(|| {
            let shared = Arc::clone(shared);
            Box::pin(async move { shared.last_requests().await })
        });
        self.is_last = self.is_last || last.as_mut().poll(cx).is_ready();
        if begun && self.poll_everything(cx).is_ready() {
            return Wanted::Everything;
        }
        if self.is_last { Wanted::Last } else { Wanted::Nothing }
    }

    /// Says goodbye to the client, if it takes that.
    pub(super) async fn shutdown<S: AsyncWrite + Unpin>(&mut self, stream: &mut S) -> io::Result<()> {
        self.cut(stream.shutdown()).await.unwrap_or(Ok(()))
    }

    /// Waits for this, but no longer than until everything is to end.
    pub(super) async fn cut<T>(&mut self, waiting: impl Future<Output = T>) -> Option<T> {
        let mut waiting = pin!(waiting);
        poll_fn(|cx| match waiting.as_mut().poll(cx) {
            Poll::Pending if self.poll(cx) == Wanted::Everything => Poll::Ready(None),
            polled => polled.map(Some),
        })
        .await
    }

    fn poll_everything(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let token = &self.shared.stop.everything;
        self.everything.get_or_insert_with(|| Box::pin(token.clone().cancelled_owned())).as_mut().poll(cx)
    }
}
