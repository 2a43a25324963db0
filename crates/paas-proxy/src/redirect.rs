use http::{HeaderValue, Response, StatusCode, header::LOCATION, request::Parts};

use crate::{body::ResponseBody, challenge::is_challenge, host::Host, router::Service, shared::Shared};

/// What stands for nothing in a URL of HTTPS.
const DEFAULT_PORT: u16 = 443;

/// The answer to a request over HTTP whose host is to be visited over HTTPS: path and query byte for byte, method and body
/// kept (RFC 9110, 15.4.9). `None` when it is to be served as it is: nobody is sent to where a browser would stop him.
pub(crate) fn to_https(
    shared: &Shared,
    service: &Service,
    host: &Host<'_>,
    parts: &Parts,
) -> Option<Response<ResponseBody>> {
    let port = shared.https_port.filter(|_| service.spec.https.redirect)?;
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if !path.starts_with('/') || is_challenge(path) || came_by_https(parts) {
        return None;
    }
    let table = shared.certificates.table();
    table.find(host).filter(|certificate| certificate.is_accepted())?;
    let location = match port {
        DEFAULT_PORT => format!("https://{}{path}", host.as_str()),
        port => format!("https://{}:{port}{path}", host.as_str()),
    };
    let mut response = Response::new(ResponseBody::own(bytes::Bytes::new()));
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response
        .headers_mut()
        .insert(LOCATION, HeaderValue::from_maybe_shared(bytes::Bytes::from(location)).ok()?);
    Some(response)
}

/// A network in front of us that speaks HTTPS with the visitor and HTTP with us would send him round in circles. Whoever claims it
/// without such a network keeps only himself from the redirect.
fn came_by_https(parts: &Parts) -> bool {
    parts
        .headers
        .get("x-forwarded-proto")
        .is_some_and(|scheme| scheme.as_bytes().eq_ignore_ascii_case(b"https"))
}
