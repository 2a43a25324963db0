use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use super::head::{Facts, Head, room};
use crate::failure::Failure;

/// A request's header with a map of its fields. `bytes` are the whole of it, and no more.
pub(super) fn request(bytes: &Bytes) -> Result<(Request<()>, Facts), Failure> {
    let mut room = room();
    let head = Head::parse(bytes, &mut room)?.ok_or(Failure::BadRequest)?;
    let facts = head.facts()?;
    let method = Method::from_bytes(head.method.as_bytes()).map_err(|_| Failure::BadRequest)?;
    // A fragment is for the browser alone (RFC 9112, 3.2), and would be lost.
    if head.target.contains('#') {
        return Err(Failure::BadRequest);
    }
    let target = bytes.slice_ref(head.target.as_bytes());
    let mut headers = HeaderMap::with_capacity(head.fields.len());
    for field in head.fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| Failure::BadRequest)?;
        let value = HeaderValue::from_maybe_shared(bytes.slice_ref(field.value));
        headers.append(name, value.map_err(|_| Failure::BadRequest)?);
    }
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = Uri::from_maybe_shared(target).map_err(|_| Failure::BadRequest)?;
    *request.version_mut() = head.version;
    *request.headers_mut() = headers;
    Ok((request, facts))
}
