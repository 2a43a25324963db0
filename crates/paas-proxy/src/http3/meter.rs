use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use h3::{
    error::Code,
    quic::{
        BidiStream, Connection, ConnectionErrorIncoming, OpenStreams, RecvStream, SendStream,
        StreamErrorIncoming, StreamId, WriteBuf,
    },
};

use crate::request_check::MAX_HEADER;

/// What a request's header may take before it is decoded: more than [`MAX_HEADER`] is refused anyway.
const HEADER: usize = 2 * MAX_HEADER;

/// What clients may tell about a connection as a whole: at its beginning, and more with every request.
const CONTROL: usize = 64 * 1024;
const CONTROL_OF_REQUEST: usize = 4 * 1024;

/// The most bytes that may come between two pieces of a body: trailers, frames nobody knows.
const BETWEEN: usize = 2 * MAX_HEADER;

/// How much more may be read from a stream. The library collects a frame whole, however long it says it is, and reads on while
/// it has frames left; so it is given nothing that it has not been allowed.
#[derive(Debug)]
pub(super) struct Meter {
    allowance: AtomicUsize,
    starved: AtomicBool,
    since_delivery: AtomicUsize,
}

impl Meter {
    fn new(allowance: usize) -> Arc<Self> {
        Arc::new(Self {
            allowance: AtomicUsize::new(allowance),
            starved: AtomicBool::new(false),
            since_delivery: AtomicUsize::new(0),
        })
    }

    /// From now on one piece at a time.
    pub(super) fn stop(&self) {
        self.allowance.store(0, Ordering::Release);
        self.since_delivery.store(0, Ordering::Release);
    }

    /// What was read has been delivered.
    pub(super) fn delivered(&self) {
        self.since_delivery.store(0, Ordering::Release);
    }

    /// Whether the stream was not read because it was not allowed to be.
    pub(super) fn was_starved(&self) -> bool {
        self.starved.swap(false, Ordering::AcqRel)
    }

    /// Allows one more piece; false when too much has been read that came to nothing.
    pub(super) fn allow_one(&self) -> bool {
        if self.since_delivery.load(Ordering::Acquire) > BETWEEN {
            return false;
        }
        self.allowance.store(1, Ordering::Release);
        true
    }

    fn may_read(&self) -> bool {
        let may = self.allowance.load(Ordering::Acquire) > 0;
        if !may {
            self.starved.store(true, Ordering::Release);
        }
        may
    }

    fn took(&self, count: usize) {
        self.since_delivery.fetch_add(count, Ordering::AcqRel);
        let left = self.allowance.load(Ordering::Acquire).saturating_sub(count);
        self.allowance.store(left, Ordering::Release);
    }

    fn add(&self, count: usize) {
        self.allowance.fetch_add(count, Ordering::AcqRel);
    }
}

/// A stream that is read as far as its meter allows.
pub(super) struct Metered<S> {
    stream: S,
    meter: Arc<Meter>,
}

impl<S: RecvStream<Buf = Bytes>> RecvStream for Metered<S> {
    type Buf = Bytes;

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, StreamErrorIncoming>> {
        if !self.meter.may_read() {
            return Poll::Pending;
        }
        let read = ready!(self.stream.poll_data(cx));
        if let Ok(Some(bytes)) = &read {
            self.meter.took(bytes.len());
        }
        Poll::Ready(read)
    }

    fn stop_sending(&mut self, error_code: u64) {
        self.stream.stop_sending(error_code);
    }

    fn recv_id(&self) -> StreamId {
        self.stream.recv_id()
    }
}

impl<B: Buf, S: SendStream<B>> SendStream<B> for Metered<S> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.stream.poll_ready(cx)
    }

    fn send_data<T: Into<WriteBuf<B>>>(&mut self, data: T) -> Result<(), StreamErrorIncoming> {
        self.stream.send_data(data)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.stream.poll_finish(cx)
    }

    fn reset(&mut self, reset_code: u64) {
        self.stream.reset(reset_code);
    }

    fn send_id(&self) -> StreamId {
        self.stream.send_id()
    }
}

impl<B: Buf> BidiStream<B> for Metered<h3_quinn::BidiStream<B>> {
    type SendStream = h3_quinn::SendStream<B>;
    type RecvStream = Metered<h3_quinn::RecvStream>;

    fn split(self) -> (Self::SendStream, Self::RecvStream) {
        let (send, recv) = self.stream.split();
        (send, Metered { stream: recv, meter: self.meter })
    }
}

/// A QUIC connection whose streams are metered.
pub(super) struct MeteredConnection {
    quic: h3_quinn::Connection,
    control: Arc<Meter>,
    latest: Latest,
}

/// The meter of the request that was accepted last.
#[derive(Clone, Default)]
pub(super) struct Latest(Arc<Mutex<Option<Arc<Meter>>>>);

impl Latest {
    pub(super) fn take(&self) -> Option<Arc<Meter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, meter: Arc<Meter>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(meter);
    }
}

impl MeteredConnection {
    pub(super) fn new(connection: quinn::Connection) -> (Self, Latest) {
        let latest = Latest::default();
        let quic = h3_quinn::Connection::new(connection);
        (Self { quic, control: Meter::new(CONTROL), latest: latest.clone() }, latest)
    }
}

impl<B: Buf> Connection<B> for MeteredConnection {
    type RecvStream = Metered<h3_quinn::RecvStream>;
    type OpenStreams = Opener;

    fn poll_accept_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::RecvStream, ConnectionErrorIncoming>> {
        let stream = ready!(Connection::<B>::poll_accept_recv(&mut self.quic, cx))?;
        Poll::Ready(Ok(Metered { stream, meter: Arc::clone(&self.control) }))
    }

    fn poll_accept_bidi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::BidiStream, ConnectionErrorIncoming>> {
        let stream = ready!(Connection::<B>::poll_accept_bidi(&mut self.quic, cx))?;
        self.control.add(CONTROL_OF_REQUEST);
        let meter = Meter::new(HEADER);
        self.latest.put(Arc::clone(&meter));
        Poll::Ready(Ok(Metered { stream, meter }))
    }

    fn opener(&self) -> Opener {
        Opener(Connection::<B>::opener(&self.quic))
    }
}

impl<B: Buf> OpenStreams<B> for MeteredConnection {
    type BidiStream = Metered<h3_quinn::BidiStream<B>>;
    type SendStream = h3_quinn::SendStream<B>;

    fn poll_open_bidi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::BidiStream, StreamErrorIncoming>> {
        let stream = ready!(OpenStreams::<B>::poll_open_bidi(&mut self.quic, cx))?;
        Poll::Ready(Ok(Metered { stream, meter: Meter::new(HEADER) }))
    }

    fn poll_open_send(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::SendStream, StreamErrorIncoming>> {
        self.quic.poll_open_send(cx)
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        OpenStreams::<B>::close(&mut self.quic, code, reason);
    }
}

/// Opens streams of our own; a server opens none that it reads.
#[derive(Clone)]
pub(super) struct Opener(h3_quinn::OpenStreams);

impl<B: Buf> OpenStreams<B> for Opener {
    type BidiStream = Metered<h3_quinn::BidiStream<B>>;
    type SendStream = h3_quinn::SendStream<B>;

    fn poll_open_bidi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::BidiStream, StreamErrorIncoming>> {
        let stream = ready!(OpenStreams::<B>::poll_open_bidi(&mut self.0, cx))?;
        Poll::Ready(Ok(Metered { stream, meter: Meter::new(HEADER) }))
    }

    fn poll_open_send(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::SendStream, StreamErrorIncoming>> {
        self.0.poll_open_send(cx)
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        OpenStreams::<B>::close(&mut self.0, code, reason);
    }
}
