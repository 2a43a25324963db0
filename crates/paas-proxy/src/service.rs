//! One request from its header to its answer.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
    header::{ALT_SVC, CONNECTION, EXPECT, STRICT_TRANSPORT_SECURITY, TRANSFER_ENCODING},
    request::Parts,
    uri::PathAndQuery,
};
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::time::{Instant, timeout};

use crate::{
    api::ServiceState,
    body::{ClientBody, RequestBody, ResponseBody},
    door::Door,
    extended_connect,
    failure::Failure,
    forward::{Answer, forward},
    forwarded::Origin,
    headers::{for_target, strip_hop_by_hop},
    host::Host,
    io::{Activity, Busy},
    page::{accepts_html, page},
    redirect::to_https,
    request_check::check,
    shared::Shared,
    upgrade::{self, Opening},
};

/// How much of a refused request's body is read away, so that the client gets to read the answer.
const MAX_REFUSED_BODY: u64 = 256 * 1024;
const MAX_REFUSED_TIME: Duration = Duration::from_secs(2);

/// What the requests of one connection share.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) shared: Arc<Shared>,
    pub(crate) origin: Origin,
    pub(crate) activity: Arc<Activity>,
    pub(crate) door: Door,
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
        let busy = self.activity.begin();
        let version = request.version();
        let (mut parts, incoming) = request.into_parts();
        let html = accepts_html(&parts.headers);
        let (method, target) = (parts.method.clone(), parts.uri.path_and_query().cloned());
        let mut hsts = None;
        let outcome = match check(&mut parts) {
            Ok(host) => self.serve(parts, &host, incoming, busy, &mut hsts).await,
            Err(failure) => Err((failure, Some(busy))),
        };
        let mut response = outcome.unwrap_or_else(|(failure, busy)| {
            let mut response = page(failure, html);
            if failure.closes() && version < Version::HTTP_2 {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            match busy {
                Some(busy) => response.map(|body| body.holding(busy)),
                None => response,
            }
        });
        if let Some(hsts) = hsts {
            response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, hsts);
        }
        if let (Some(alt_svc), Door::Https(_)) = (&self.shared.alt_svc, &self.door) {
            response.headers_mut().insert(ALT_SVC, alt_svc.clone());
        }
        if self.shared.stop.accepting.is_cancelled() && leaves_connection_open(&response, version) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let path = target.as_ref().map(PathAndQuery::path);
        tracing::debug!(%method, path, status = response.status().as_u16(), took = ?begin.elapsed(), "request");
        Ok(response)
    }

    /// Leaves in `hsts` what the service wants its visitors over HTTPS to be told with any answer.
    async fn serve(
        &self,
        mut parts: Parts,
        authority: &HeaderValue,
        incoming: ClientBody,
        busy: Busy,
        hsts: &mut Option<HeaderValue>,
    ) -> Result<Response<ResponseBody>, Failed> {
        let Some(host) = authority.to_str().ok().and_then(|text| Host::parse(text).ok()) else {
            return Err((Failure::BadRequest, Some(busy)));
        };
        if let Some(early) = self.early(&host, &parts, hsts) {
            drain_briefly(&parts.headers, incoming).await;
            return match early {
                Ok(response) => Ok(response.map(|body| body.holding(busy))),
                Err(failure) => Err((failure, Some(busy))),
            };
        }
        let body = RequestBody::new(incoming);
        let extended = parts.method == Method::CONNECT;
        let protocol = if extended {
            Some(extended_connect::to_get(&mut parts))
        } else {
            upgrade::wanted(&parts, &body)
        };
        let client = protocol.as_ref().and_then(|_| parts.extensions.remove::<hyper::upgrade::OnUpgrade>());
        for_target(&mut parts.headers);
        self.origin.apply(&mut parts.headers, authority);
        if let Some(protocol) = protocol {
            upgrade::ask(&mut parts.headers, protocol);
        }
        let answer = match forward(&self.shared, &host, outgoing(parts, body)).await {
            Ok(answer) => answer,
            Err(failure) => return Err((failure, Some(busy))),
        };
        if answer.response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let Some(client) = client else { return Err((Failure::BadAnswer, Some(busy))) };
            let opening = if extended { Opening::Extended } else { Opening::Upgrade };
            return upgrade::open(&self.shared, opening, client, answer, busy)
                .map_err(|failure| (failure, None));
        }
        if extended && answer.response.status().is_success() {
            // It opened nothing, and the client would take a 2xx for a tunnel (RFC 8441, 5).
            return Err((Failure::BadAnswer, Some(busy)));
        }
        incoming_answer(answer, busy)
    }

    /// The answer that needs no target and no byte of the body, if there is one.
    fn early(
        &self,
        host: &Host<'_>,
        parts: &Parts,
        hsts: &mut Option<HeaderValue>,
    ) -> Option<Result<Response<ResponseBody>, Failure>> {
        if let Door::Http = self.door
            && let Some(answer) = self.shared.challenges.answer(host, parts)
        {
            return Some(Ok(answer));
        }
        let table = self.shared.registry.table();
        let Some(service) = table.find(host) else { return Some(Err(Failure::UnknownHost)) };
        match &self.door {
            Door::Http => {
                if let Some(redirect) = to_https(&self.shared, service, host, parts) {
                    return Some(Ok(redirect));
                }
            }
            Door::Https(admission) if !admission.includes(host) => {
                return Some(Err(Failure::Misdirected));
            }
            // An address is no host that could be known to be strict (RFC 6797, 8.1.1).
            Door::Https(_) if service.hsts.is_some() && host.is_address() => {}
            Door::Https(_) => hsts.clone_from(&service.hsts),
        }
        match service.spec.state {
            ServiceState::Stopped => Some(Err(Failure::Stopped)),
            ServiceState::Serving if service.targets.is_empty() => Some(Err(Failure::NoTarget)),
            ServiceState::Serving => None,
        }
    }
}

/// The request as a target gets it: origin form, HTTP/1.1, path and query byte for byte.
fn outgoing(parts: Parts, body: RequestBody) -> Request<RequestBody> {
    let mut uri = Uri::default().into_parts();
    uri.path_and_query = parts.uri.path_and_query().cloned().or_else(|| Some(PathAndQuery::from_static("/")));
    let mut request = Request::new(body);
    *request.method_mut() = parts.method;
    *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
    *request.headers_mut() = parts.headers;
    request
}

fn incoming_answer(answer: Answer, busy: Busy) -> Result<Response<ResponseBody>, (Failure, Option<Busy>)> {
    let (mut parts, body) = answer.response.into_parts();
    let mut codings = parts.headers.get_all(TRANSFER_ENCODING).iter();
    let known = codings.next().is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if !known || codings.next().is_some() {
        return Err((Failure::BadAnswer, Some(busy)));
    }
    strip_hop_by_hop(&mut parts.headers);
    let reason = parts.extensions.remove::<hyper::ext::ReasonPhrase>();
    let mut response = Response::new(ResponseBody::target(body, answer.lease).holding(busy));
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

/// Reads away a small body of a refused request. Closing on unread bytes makes the kernel reset the connection, and the client
/// may lose the answer. A client that waits for `100 Continue` has sent none.
async fn drain_briefly(headers: &HeaderMap, mut body: ClientBody) {
    if headers.contains_key(EXPECT) || body.size_hint().lower() > MAX_REFUSED_BODY {
        return;
    }
    let drain = async {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, |data| data.len() as u64);
            if read > MAX_REFUSED_BODY {
                return;
            }
        }
    };
    let _ = timeout(MAX_REFUSED_TIME, drain).await;
}
