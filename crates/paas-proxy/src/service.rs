//! One request from its header to its answer.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http::{
    HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
    header::{ALT_SVC, CONNECTION, STRICT_TRANSPORT_SECURITY, TRANSFER_ENCODING, WWW_AUTHENTICATE},
    request::Parts,
    uri::PathAndQuery,
};
use tokio::time::Instant;

use crate::{
    body::ResponseBody,
    body_pace::Slowness,
    client_body::ClientBody,
    context::Context,
    door::Door,
    extended_connect,
    failure::Failure,
    forward::{Answer, forward},
    forwarded::Origin,
    gate::{Early, pass},
    headers::{for_target, strip_hop_by_hop},
    host::Host,
    http1::PlainHead,
    http1_server::Plain,
    io::{Activity, Busy, SpareTimers},
    outbound::{AnswerHead, Outbound},
    page::{accepts_html, page},
    record::Record,
    request_body::RequestBody,
    request_check::check,
    shared::Shared,
    upgrade::{self, Opening},
};

/// What the requests of one connection share.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) shared: Arc<Shared>,
    pub(crate) origin: Origin,
    pub(crate) activity: Arc<Activity>,
    pub(crate) timers: Arc<SpareTimers>,
    pub(crate) door: Door,
}

/// The answer to a [`Plain`] request.
#[derive(Debug)]
pub(crate) enum PlainAnswer {
    Plain(PlainHead, ResponseBody),
    Full(Response<ResponseBody>),
}

/// A failure, and the client's mark of being busy unless a tunnel has it.
type Failed = (Failure, Option<Busy>);

impl Visitor {
    /// Answers one request, whatever happens.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<ClientBody>,
    ) -> Result<Response<ResponseBody>, Infallible> {
        let begin = Instant::now();
        let mut record = Record::new(begin);
        let busy = self.activity.begin();
        let version = request.version();
        let (mut parts, incoming) = request.into_parts();
        let html = accepts_html(&parts.headers);
        let (method, target) = (parts.method.clone(), parts.uri.path_and_query().cloned());
        let mut context = Context::new(&self.origin);
        let outcome = match check(&mut parts) {
            Ok(host) => self.serve(parts, &host, incoming, (busy, begin), &mut context, &mut record).await,
            Err(failure) => Err((failure, Some(busy))),
        };
        let response =
            outcome.unwrap_or_else(|failed| failure_page(failed, html, &context, version, &mut record));
        let response = self.finish(response, context, version);
        let path = target.as_ref().map(PathAndQuery::path);
        tracing::debug!(%method, path, status = response.status().as_u16(), took = ?begin.elapsed(), "request");
        Ok(record.follow(response, &self.shared.counters.unknown))
    }

    /// Answers a request that could not be read.
    pub(crate) fn refuse(&self, failure: Failure) -> Response<ResponseBody> {
        let mut record = Record::new(Instant::now());
        let context = Context::new(&self.origin);
        let version = Version::HTTP_11;
        let response =
            failure_page((failure, Some(self.activity.begin())), false, &context, version, &mut record);
        record.follow(self.finish(response, context, version), &self.shared.counters.unknown)
    }

    /// Tells the client what it is told with any answer.
    fn finish(
        &self,
        mut response: Response<ResponseBody>,
        context: Context,
        version: Version,
    ) -> Response<ResponseBody> {
        if let Some(hsts) = context.hsts {
            response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, hsts);
        }
        if let Some(authenticate) = context.authenticate {
            response.headers_mut().insert(WWW_AUTHENTICATE, authenticate);
        }
        if let (Some(alt_svc), Door::Https(_)) = (&self.shared.alt_svc, &self.door) {
            response.headers_mut().insert(ALT_SVC, alt_svc.clone());
        }
        if self.shared.stop.has_begun() && leaves_connection_open(&response, version) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// Answers a request that only has to be passed on.
    pub(crate) fn answer_plain(&self, plain: Plain) -> impl Future<Output = PlainAnswer> + Send {
        let Plain { request, route, html, id, .. } = plain;
        let begin = Instant::now();
        let mut record = Record::new(begin);
        record.counts_for(&route.service);
        let busy = self.activity.begin();
        let mut request = Outbound::Plain(request);
        async move {
            let outcome = forward(self, &route, &mut request, begin).await;
            tracing::debug!(request = request.line(), took = ?begin.elapsed(), "plain request");
            let failed = match outcome {
                // One that changes the protocol nobody has asked for.
                Ok(Answer { head: AnswerHead::Plain(head), body, lease, .. })
                    if head.status != StatusCode::SWITCHING_PROTOCOLS =>
                {
                    let body = ResponseBody::target(body, lease).holding(busy);
                    record.has_status(head.status);
                    return PlainAnswer::Plain(head, body.recording(record));
                }
                Ok(answer) => incoming_answer(answer, busy),
                Err(failure) => Err((failure, Some(busy))),
            };
            record.has_id(HeaderValue::from_bytes(&id).unwrap_or(HeaderValue::from_static("unknown")));
            let context = Context { route: Some(route), ..Context::new(&self.origin) };
            let version = Version::HTTP_11;
            let response =
                failed.unwrap_or_else(|failed| failure_page(failed, html, &context, version, &mut record));
            let response = self.finish(response, context, version);
            PlainAnswer::Full(record.follow(response, &self.shared.counters.unknown))
        }
    }

    /// Leaves in `context` what is found out, also about requests that fail.
    async fn serve(
        &self,
        mut parts: Parts,
        authority: &HeaderValue,
        mut incoming: ClientBody,
        (busy, at): (Busy, Instant),
        context: &mut Context,
        record: &mut Record,
    ) -> Result<Response<ResponseBody>, Failed> {
        let Some(host) = authority.to_str().ok().and_then(|text| Host::parse(text).ok()) else {
            return Err((Failure::BadRequest, Some(busy)));
        };
        let passed = pass(self, (&host, authority), &mut parts, &incoming, context).await;
        if let Some(route) = &context.route {
            record.belongs_to(&route.service, &parts, &host, &context.source);
        }
        if let Err(early) = passed {
            return match early {
                Early::Answer(response) => Ok((*response).map(|body| body.holding(busy))),
                Early::Failure(failure) => Err((failure, Some(busy))),
            };
        }
        let Some(route) = &context.route else { return Err((Failure::UnknownHost, Some(busy))) };
        let policy = &route.service.spec.policy;
        let limits = &self.shared.limits;
        let slowness = Slowness {
            stall: policy.request_timeout_ms.map_or(limits.stall_timeout, Duration::from_millis),
            grace: limits.body_grace,
            rate: limits.body_rate,
        };
        let client = upgrade::Client::of(&mut parts, &mut incoming);
        let body = RequestBody::new(incoming, policy.max_body, slowness);
        let extended = parts.method == Method::CONNECT;
        let protocol = if extended {
            Some(extended_connect::to_get(&mut parts))
        } else {
            upgrade::wanted(&parts, &body)
        };
        let client = client.filter(|_| protocol.is_some());
        for_target(&mut parts.headers);
        let strip = route.strip.as_ref();
        record.has_id(self.origin.apply(&mut parts.headers, authority, &context.source, strip));
        record.asks(body.progress());
        if let Some(protocol) = protocol {
            upgrade::ask(&mut parts.headers, protocol);
        }
        let mut outgoing = Outbound::full_of(outgoing(parts, body, route.strip.as_ref()));
        let answer = match forward(self, route, &mut outgoing, at).await {
            Ok(answer) => answer,
            Err(failure) => return Err((failure, Some(busy))),
        };
        record.answered(answer.lease.target());
        if answer.head.status() == StatusCode::SWITCHING_PROTOCOLS {
            let Some(client) = client else { return Err((Failure::BadAnswer, Some(busy))) };
            let opening = if extended {
                Opening::Extended
            } else {
                self.activity.becomes_tunnel();
                Opening::Upgrade
            };
            return upgrade::open(&self.shared, opening, client, answer, busy, record)
                .map_err(|failure| (failure, None));
        }
        if extended && answer.head.status().is_success() {
            // It opened nothing, and the client would take a 2xx for a tunnel (RFC 8441, 5).
            return Err((Failure::BadAnswer, Some(busy)));
        }
        incoming_answer(answer, busy)
    }
}

/// The request as a target gets it: origin form, HTTP/1.1, path and query byte for byte, without the prefix to be stripped.
pub(crate) fn outgoing(parts: Parts, body: RequestBody, strip: Option<&HeaderValue>) -> Request<RequestBody> {
    let path = parts.uri.path_and_query();
    let path = match strip {
        Some(prefix) => path.and_then(|path| stripped(path, prefix)),
        // An absolute target may have a query and no path; one that goes on begins with a slash (RFC 9112, 3.2.1).
        None if path.is_some_and(|path| path.as_str().starts_with('?')) => {
            path.and_then(|path| format!("/{path}").try_into().ok())
        }
        None => path.cloned(),
    };
    let mut uri = Uri::default().into_parts();
    uri.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    let mut request = Request::new(body);
    *request.method_mut() = parts.method;
    *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
    *request.headers_mut() = parts.headers;
    request
}

/// At least `/`.
fn stripped(path: &PathAndQuery, prefix: &HeaderValue) -> Option<PathAndQuery> {
    let rest = path.as_str().get(prefix.len()..)?;
    if rest.starts_with('/') { rest.try_into().ok() } else { format!("/{rest}").try_into().ok() }
}

/// The page for a request that failed.
fn failure_page(
    (failure, busy): Failed,
    html: bool,
    context: &Context,
    version: Version,
    record: &mut Record,
) -> Response<ResponseBody> {
    let mut response = page(failure, html, context.pages(), &record.id());
    if failure.closes() && version < Version::HTTP_2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    match busy {
        Some(busy) => response.map(|body| body.holding(busy)),
        None => response,
    }
}

fn incoming_answer(answer: Answer, busy: Busy) -> Result<Response<ResponseBody>, (Failure, Option<Busy>)> {
    // Only a plain request has a plain answer.
    let AnswerHead::Full(response) = answer.head else { return Err((Failure::BadAnswer, Some(busy))) };
    let (mut parts, ()) = response.into_parts();
    let body = answer.body;
    let mut codings = parts.headers.get_all(TRANSFER_ENCODING).iter();
    let known = codings.next().is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if !known || codings.next().is_some() {
        return Err((Failure::BadAnswer, Some(busy)));
    }
    strip_hop_by_hop(&mut parts.headers);
    let reason = parts.extensions.remove::<hyper::ext::ReasonPhrase>();
    let mut body = ResponseBody::target(body, answer.lease).holding(busy);
    if let Some(encoder) = answer.wish.and_then(|wish| wish.apply(parts.status, &mut parts.headers)) {
        body = body.compressed(encoder);
    }
    let mut response = Response::new(body);
    *response.status_mut() = parts.status;
    *response.headers_mut() = parts.headers;
    if let Some(reason) = reason {
        response.extensions_mut().insert(reason);
    }
    Ok(response)
}

fn leaves_connection_open(response: &Response<ResponseBody>, version: Version) -> bool {
    version < Version::HTTP_2 && response.status() != StatusCode::SWITCHING_PROTOCOLS
}
