//! What is decided about a request before a target is asked.
//!
//! The order is: an authority's challenge, the host and its certificate, a redirect to another host, the redirect to HTTPS, the
//! visitor's address, his password, the state of the service, the length of the body. Whoever may not come learns nothing of what
//! is behind.

mod basic_auth;
mod credentials;
mod gates;
mod own_pages;
mod state;
mod to_host;
mod to_https;
mod verifier;

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{AUTHORIZATION, LOCATION},
    request::Parts,
};
use http_body::Body;

pub(crate) use self::{gates::Gates, own_pages::OwnPages, to_https::is_redirected, verifier::Verifier};
use self::{state::check_state, to_host::to_host, to_https::to_https};
use crate::{
    body::ResponseBody, client_body::ClientBody, context::Context, door::Door, failure::Failure,
    forwarded::Scheme, host::Host, router::Route, service::Visitor, site::Found,
};

/// The end of a request that no target is asked about.
#[derive(Debug)]
pub(crate) enum Early {
    Answer(Box<Response<ResponseBody>>),
    Failure(Failure),
}

impl From<Response<ResponseBody>> for Early {
    fn from(answer: Response<ResponseBody>) -> Self {
        Self::Answer(Box::new(answer))
    }
}

impl From<Failure> for Early {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Lets a request through, or says how it ends. `authority` is the host as the client wrote it. Tells `context` what is found out.
pub(crate) async fn pass(
    visitor: &Visitor,
    (host, authority): (&Host<'_>, &HeaderValue),
    parts: &mut Parts,
    body: &ClientBody,
    context: &mut Context,
) -> Result<(), Early> {
    if let Some(answer) = visitor.shared.challenges.answer(host, parts) {
        return Err(answer.into());
    }
    let route = route(visitor, (host, authority), parts, context)?;
    let service = &*context.route.insert(route).service;
    if visitor.door.is_http()
        && let Some(redirect) = to_https(&visitor.shared, service, host, parts)
    {
        return Err(redirect.into());
    }
    if let Some(allow) = &service.gates.allow
        && !context.source.is_within(allow)
    {
        return Err(Failure::Forbidden.into());
    }
    if let Some(auth) = &service.gates.auth {
        // Boxed, or the requests of all others would be as large.
        if let Err(failure) = Box::pin(auth.admit(&visitor.shared.verifier, &parts.headers)).await {
            if failure == Failure::Unauthorized {
                context.authenticate = basic_auth::challenge(host);
            }
            return Err(failure.into());
        }
        // It was for us; an app would take it for its own.
        parts.headers.remove(AUTHORIZATION);
    }
    check_state(service)?;
    // A body of unknown length is counted as it comes.
    if body.size_hint().lower() > service.spec.policy.max_body {
        return Err(Failure::BodyTooLarge.into());
    }
    Ok(())
}

/// Where the request leads, unless it may not come over this connection or is to go elsewhere.
fn route(
    visitor: &Visitor,
    (host, authority): (&Host<'_>, &HeaderValue),
    parts: &Parts,
    context: &mut Context,
) -> Result<Route, Early> {
    let shared = &*visitor.shared;
    let table = shared.registry.current();
    let found = table.find(host, parts.uri.path()).ok_or(Failure::UnknownHost)?;
    if let Door::Https(admission) = &visitor.door
        && !admission.includes(host, &shared.certificates)
    {
        return Err(Failure::Misdirected.into());
    }
    let service = found.service();
    if let Some(trusted) = &service.gates.trusted {
        context.source = visitor.origin.source(&parts.headers, trusted);
    }
    if let Some(hsts) = &service.hsts
        // An address is no host that could be known to be strict (RFC 6797, 8.1.1).
        && context.source.scheme == Scheme::Https && !host.is_address()
    {
        context.hsts = Some(hsts.clone());
    }
    match found {
        Found::Service { service, strip } => Ok(table.route(service, strip)),
        Found::Redirect(redirect) => {
            let answer = to_host(shared, redirect, &context.source, (host, authority), parts);
            Err(answer.map_or(Failure::UnknownHost.into(), Early::from))
        }
    }
}

/// `None` when the place cannot stand in a header; it is made of what stood in one.
fn redirected(status: StatusCode, location: Bytes) -> Option<Response<ResponseBody>> {
    let mut response = Response::new(ResponseBody::own(Bytes::new()));
    *response.status_mut() = status;
    response.headers_mut().insert(LOCATION, HeaderValue::from_maybe_shared(location).ok()?);
    Some(response)
}
