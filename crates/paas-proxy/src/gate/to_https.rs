use bytes::Bytes;
use http::{Response, StatusCode, request::Parts};

use super::redirected;
use crate::{
    body::ResponseBody, challenge::is_challenge, forwarded::Scheme, host::Host, router::Service,
    shared::Shared, tls::Certificate,
};

/// The answer to a request over HTTP whose host is to be visited over HTTPS: path and query byte for byte, method and body
/// kept (RFC 9110, 15.4.9). `None` when it is to be served as it is: nobody is sent to where a browser would stop him.
pub(super) fn to_https(
    shared: &Shared,
    service: &Service,
    host: &Host<'_>,
    parts: &Parts,
) -> Option<Response<ResponseBody>> {
    let port = https_port(shared, service)?;
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if !path.starts_with('/') || is_challenge(path) || came_by_https(parts) {
        return None;
    }
    if !has_accepted_certificate(shared, host) {
        return None;
    }
    let location = if port == Scheme::Https.port() {
        format!("https://{}{path}", host.as_str())
    } else {
        format!("https://{}:{port}{path}", host.as_str())
    };
    redirected(StatusCode::PERMANENT_REDIRECT, Bytes::from(location))
}

/// Whether visitors of a host over HTTP may be redirected to HTTPS.
pub(crate) fn is_redirected(shared: &Shared, service: &Service, host: &Host<'_>) -> bool {
    https_port(shared, service).is_some() && has_accepted_certificate(shared, host)
}

fn has_accepted_certificate(shared: &Shared, host: &Host<'_>) -> bool {
    shared.certificates.table().find(host).is_some_and(Certificate::is_accepted)
}

/// Where visitors of a service are redirected to, if they are.
pub(super) fn https_port(shared: &Shared, service: &Service) -> Option<u16> {
    shared.https_port.filter(|_| service.spec.https.redirect)
}

/// A network in front of us that speaks HTTPS with the visitor and HTTP with us would send him round in circles. Whoever claims it
/// without such a network keeps only himself from the redirect.
pub(super) fn came_by_https(parts: &Parts) -> bool {
    parts
        .headers
        .get("x-forwarded-proto")
        .is_some_and(|scheme| scheme.as_bytes().eq_ignore_ascii_case(b"https"))
}
