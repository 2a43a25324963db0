use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{HeaderValue, Response, StatusCode, request::Parts};
use tokio::time::Instant;

use crate::{
    access_log::{Entry, Outcome},
    body::ResponseBody,
    forwarded::{Source, request_id},
    host::Host,
    metrics::{InFlight, RequestCounters},
    progress::Progress,
    router::Service,
    target::Target,
};

/// Of a request whose client went away before it was answered; nginx's number for it.
const CLIENT_GONE: u16 = 499;

/// What is remembered of a request until it has ended: it is counted and written down when this is dropped, wherever that is. In a
/// box, because it wanders through futures and bodies that idle connections hold too.
#[derive(Debug)]
pub(crate) struct Record(Option<Box<Open>>);

#[derive(Debug)]
struct Open {
    begin: Instant,
    id: Option<HeaderValue>,
    in_flight: Option<InFlight>,
    /// There when the service wants an access log.
    entry: Option<Box<Entry>>,
    status: Option<StatusCode>,
    body: Option<Arc<Progress>>,
    bytes_out: u64,
    whole: bool,
    tunnel: Option<Arc<Traffic>>,
}

/// What passes through a tunnel.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// From the client.
    pub(crate) bytes_in: AtomicU64,
    /// To the client.
    pub(crate) bytes_out: AtomicU64,
}

impl Record {
    pub(crate) fn new(begin: Instant) -> Self {
        Self(Some(Box::new(Open {
            begin,
            id: None,
            in_flight: None,
            entry: None,
            status: None,
            body: None,
            bytes_out: 0,
            whole: false,
            tunnel: None,
        })))
    }

    /// The request is one of this service, which wants no access log.
    pub(crate) fn counts_for(&mut self, service: &Service) {
        if let (Some(open), Some(records)) = (&mut self.0, &service.records) {
            open.in_flight = records.counters.begin();
        }
    }

    /// The answer has begun.
    pub(crate) fn has_status(&mut self, status: StatusCode) {
        if let Some(open) = &mut self.0 {
            open.status = Some(status);
        }
    }

    /// The request is one of this service. `parts` are as they came.
    pub(crate) fn belongs_to(&mut self, service: &Service, parts: &Parts, host: &Host<'_>, source: &Source) {
        self.counts_for(service);
        let (Some(open), Some(records)) = (&mut self.0, &service.records) else { return };
        let entry = Entry::new(service.spec.policy.access_log, &records.log, parts, host, source);
        open.entry = entry.map(Box::new);
    }

    /// The id that the target is told.
    pub(crate) fn has_id(&mut self, id: HeaderValue) {
        if let Some(open) = &mut self.0 {
            open.id = Some(id);
        }
    }

    /// The request's id; a new one when no target was told any.
    pub(crate) fn id(&mut self) -> HeaderValue {
        match &mut self.0 {
            Some(open) => open.id.get_or_insert_with(request_id).clone(),
            None => request_id(),
        }
    }

    /// A target is asked from now on.
    pub(crate) fn asks(&mut self, body: Option<&Arc<Progress>>) {
        let Some(open) = &mut self.0 else { return };
        open.body = body.cloned();
        if let Some(entry) = &mut open.entry {
            entry.asks();
        }
    }

    /// The header of the target's answer came.
    pub(crate) fn answered(&mut self, target: &Arc<Target>) {
        if let Some(entry) = self.0.as_mut().and_then(|open| open.entry.as_mut()) {
            entry.answered(target);
        }
    }

    /// The tunnel that the request became holds what is remembered from now on.
    pub(crate) fn open_tunnel(&mut self) -> (Self, Arc<Traffic>) {
        let traffic = Arc::<Traffic>::default();
        let mut open = self.0.take();
        if let Some(open) = &mut open {
            open.status = Some(StatusCode::SWITCHING_PROTOCOLS);
            open.whole = true;
            open.tunnel = Some(Arc::clone(&traffic));
        }
        (Self(open), traffic)
    }

    /// The answer's body holds what is remembered from now on. A request of no service is counted in `unknown`.
    pub(crate) fn follow(
        mut self,
        response: Response<ResponseBody>,
        unknown: &RequestCounters,
    ) -> Response<ResponseBody> {
        let Some(open) = &mut self.0 else { return response };
        open.status = Some(response.status());
        if open.in_flight.is_none() {
            open.in_flight = unknown.begin();
        }
        response.map(|body| body.recording(self))
    }

    /// Bytes went to the client.
    pub(crate) fn sent(&mut self, bytes: usize) {
        if let Some(open) = &mut self.0 {
            open.bytes_out += bytes as u64;
        }
    }

    /// Nothing of the answer is left to send.
    pub(crate) fn is_whole(&mut self) {
        if let Some(open) = &mut self.0 {
            open.whole = true;
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            open.end();
        }
    }
}

impl Open {
    fn end(mut self) {
        let duration = self.begin.elapsed();
        let gone = || StatusCode::from_u16(CLIENT_GONE).unwrap_or(StatusCode::BAD_REQUEST);
        let status = self.status.unwrap_or_else(gone);
        let (bytes_in, bytes_out) = self.bytes();
        if let Some(in_flight) = &self.in_flight {
            let measured: Option<Duration> = self.tunnel.is_none().then_some(duration);
            in_flight.end(status, measured, bytes_in, bytes_out);
        }
        if let Some(entry) = self.entry.take() {
            let id = self.id.take().unwrap_or_else(request_id);
            let id = id.to_str().unwrap_or_default();
            entry.write(&Outcome { id, status, bytes_in, bytes_out, duration, complete: self.whole });
        }
    }

    fn bytes(&self) -> (u64, u64) {
        match &self.tunnel {
            Some(traffic) => (traffic.bytes_in.load(Relaxed), traffic.bytes_out.load(Relaxed)),
            None => (self.body.as_ref().map_or(0, |body| body.passed()), self.bytes_out),
        }
    }
}
