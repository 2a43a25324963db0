//! The two forms of a request to a target: HTTP/1.1 names the host in `Host`, HTTP/2 in `:authority` (RFC 9113, 8.3.1).

use http::{
    HeaderValue, Request, Uri,
    header::{CONNECTION, HOST, UPGRADE},
    uri::{Authority, PathAndQuery, Scheme},
};

/// An `Upgrade` stays behind: HTTP/2 knows none, and a server may always answer without it (RFC 9110, 7.8).
pub(super) fn to_http2<B>(mut request: Request<B>) -> Request<B> {
    let headers = request.headers_mut();
    headers.remove(CONNECTION);
    headers.remove(UPGRADE);
    let host = headers.remove(HOST);
    let authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let mut uri = std::mem::take(request.uri_mut()).into_parts();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = authority;
    // `OPTIONS *` has no other form with an authority.
    uri.path_and_query = uri.path_and_query.or_else(|| Some(PathAndQuery::from_static("/")));
    *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
    request
}

/// Undoes [`to_http2`], for a target that may speak HTTP/1.1.
pub(super) fn to_http1<B>(mut request: Request<B>) -> Request<B> {
    let mut uri = std::mem::take(request.uri_mut()).into_parts();
    let host = uri.authority.take().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    uri.scheme = None;
    *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
    if let Some(host) = host {
        request.headers_mut().insert(HOST, host);
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for path in ["/", "/a//b?c=%2F", "/?", "*"] {
            let request = Request::builder().uri(path).header(HOST, "A.test:8080").body(()).unwrap();
            let http2 = to_http2(request);
            assert_eq!(http2.uri().authority().unwrap().as_str(), "A.test:8080");
            assert_eq!(http2.uri().path_and_query().unwrap().as_str(), path);
            assert!(!http2.headers().contains_key(HOST));
            let http1 = to_http1(http2);
            assert_eq!(http1.uri(), path);
            assert_eq!(http1.headers()[HOST], "A.test:8080");
        }
    }

    #[test]
    fn an_upgrade_stays_behind() {
        let request = Request::builder().header(CONNECTION, "upgrade").header(UPGRADE, "websocket").body(());
        assert!(to_http2(request.unwrap()).headers().is_empty());
    }
}
