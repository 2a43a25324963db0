//! What a request must be before it is routed. Whatever two servers could read in two ways is refused here.

use http::{
    HeaderMap, HeaderValue, Method, Version,
    header::{HOST, TRANSFER_ENCODING},
    request::Parts,
    uri::PathAndQuery,
};

use crate::{
    extended_connect,
    failure::Failure,
    headers::{is_token, join_cookies},
    host::Host,
};

/// The longest path and query.
pub(crate) const MAX_TARGET: usize = 8 * 1024;
/// The most header fields.
pub(crate) const MAX_FIELDS: usize = 100;
/// The most bytes of request line and header.
pub(crate) const MAX_HEADER: usize = 32 * 1024;

/// Refuses what cannot be forwarded and settles which host is meant: afterwards `Host` is that host. Returns it.
pub(crate) fn check(parts: &mut Parts) -> Result<HeaderValue, Failure> {
    if parts.method == Method::CONNECT {
        extended_connect::check(parts)?;
    }
    if parts.uri.path_and_query().map_or(0, |path| path.as_str().len()) > MAX_TARGET {
        return Err(Failure::TargetTooLong);
    }
    check_form(parts)?;
    if parts.version >= Version::HTTP_2 {
        check_names(&parts.headers)?;
    }
    if parts.headers.len() > MAX_FIELDS && !fits_joined(parts) {
        return Err(Failure::HeaderTooLarge);
    }
    check_coding(parts)?;
    let host = authority(parts)?;
    let text = host.to_str().map_err(|_| Failure::BadRequest)?;
    Host::parse(text).map_err(|_| Failure::BadRequest)?;
    parts.headers.insert(HOST, host.clone());
    Ok(host)
}

/// Browsers split `Cookie` over HTTP/2 and HTTP/3, a field for each of many cookies. It counts as the one field it is; the bytes of
/// the header were counted as it came.
fn fits_joined(parts: &mut Parts) -> bool {
    if parts.version < Version::HTTP_2 {
        return false;
    }
    join_cookies(&mut parts.headers);
    parts.headers.len() <= MAX_FIELDS
}

/// The form of the target (RFC 9112, 3.2): a host alone is for CONNECT, `*` for OPTIONS, and a path begins with a slash; one that an
/// absolute target leaves out is added later.
fn check_form(parts: &Parts) -> Result<(), Failure> {
    let is_authority = parts.uri.authority().is_some() && parts.uri.scheme().is_none();
    let is_path = match parts.uri.path_and_query().map(PathAndQuery::as_str) {
        None => true,
        Some("*") => parts.method == Method::OPTIONS,
        Some(path) => path.starts_with('/') || (path.starts_with('?') && parts.version < Version::HTTP_2),
    };
    if is_path && (!is_authority || parts.method == Method::CONNECT) {
        Ok(())
    } else {
        Err(Failure::BadRequest)
    }
}

/// Over HTTP/2 and HTTP/3 the type of names lets through what is no token, and would be no field of HTTP/1.1.
fn check_names(headers: &HeaderMap) -> Result<(), Failure> {
    if headers.keys().all(is_token) { Ok(()) } else { Err(Failure::BadRequest) }
}

/// Only `chunked` alone is undone; a body with another coding on top would lose its name on the way (RFC 9112, 6.1).
fn check_coding(parts: &Parts) -> Result<(), Failure> {
    let mut codings = parts.headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(Failure::UnknownCoding),
    }
}

/// RFC 9112, 3.2: exactly one `Host`, and the authority of an absolute target (always there in HTTP/2) wins over it.
fn authority(parts: &Parts) -> Result<HeaderValue, Failure> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() || (host.is_none() && parts.version == Version::HTTP_11) {
        return Err(Failure::BadRequest);
    }
    match parts.uri.authority() {
        Some(authority) if authority.as_str().contains('@') => Err(Failure::BadRequest),
        Some(authority) => HeaderValue::from_str(authority.as_str()).map_err(|_| Failure::BadRequest),
        // HTTP/1.0 knows no Host, and without one nothing is meant.
        None => host.cloned().ok_or(Failure::UnknownHost),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, Request};

    use super::*;

    fn checked(
        version: Version,
        method: &str,
        uri: &str,
        fields: &[(&str, &str)],
    ) -> Result<String, Failure> {
        let mut request = Request::builder().version(version).method(method).uri(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        let host = check(&mut parts)?;
        assert_eq!(parts.headers.get_all(HOST).iter().collect::<Vec<_>>(), [&host]);
        Ok(host.to_str().unwrap().to_owned())
    }

    #[test]
    fn one_host_is_needed() {
        let ok = |fields| checked(Version::HTTP_11, "GET", "/", fields);
        assert_eq!(ok(&[("host", "A.b:80")]), Ok("A.b:80".to_owned()));
        assert_eq!(ok(&[]), Err(Failure::BadRequest));
        assert_eq!(ok(&[("host", "a"), ("host", "a")]), Err(Failure::BadRequest));
        assert_eq!(ok(&[("host", "a b")]), Err(Failure::BadRequest));
        assert_eq!(ok(&[("host", "")]), Err(Failure::BadRequest));
        assert_eq!(checked(Version::HTTP_10, "GET", "/", &[]), Err(Failure::UnknownHost));
        assert_eq!(checked(Version::HTTP_10, "GET", "/", &[("host", "a")]), Ok("a".to_owned()));
    }

    #[test]
    fn the_authority_wins() {
        assert_eq!(
            checked(Version::HTTP_11, "GET", "http://a.b/x", &[("host", "evil")]),
            Ok("a.b".to_owned())
        );
        assert_eq!(checked(Version::HTTP_2, "GET", "http://a.b/x", &[]), Ok("a.b".to_owned()));
        assert_eq!(
            checked(Version::HTTP_11, "GET", "http://u@a.b/x", &[("host", "a.b")]),
            Err(Failure::BadRequest)
        );
    }

    #[test]
    fn ambiguous_or_oversized_requests_are_refused() {
        let get = |uri: &str, fields: &[(&str, &str)]| checked(Version::HTTP_11, "GET", uri, fields);
        let coding = |value| get("/", &[("host", "a"), ("transfer-encoding", value)]);
        assert!(coding("Chunked").is_ok());
        assert_eq!(coding("gzip, chunked"), Err(Failure::UnknownCoding));
        let twice = [("host", "a"), ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")];
        assert_eq!(get("/", &twice), Err(Failure::UnknownCoding));
        let path = |length: usize| format!("/{}", "x".repeat(length - 1));
        assert!(get(&path(MAX_TARGET), &[("host", "a")]).is_ok());
        assert_eq!(get(&path(MAX_TARGET + 1), &[("host", "a")]), Err(Failure::TargetTooLong));
        assert_eq!(
            checked(Version::HTTP_11, "CONNECT", "a:1", &[("host", "a")]),
            Err(Failure::MethodNotAllowed)
        );
        let mut fields = vec![("x-a", "1"); MAX_FIELDS - 1];
        fields.push(("host", "a"));
        assert!(get("/", &fields).is_ok());
        fields.push(("x-a", "1"));
        assert_eq!(get("/", &fields), Err(Failure::HeaderTooLarge));
    }

    #[test]
    fn a_target_has_the_form_of_its_method() {
        let one = |method, uri| checked(Version::HTTP_11, method, uri, &[("host", "a")]);
        assert!(one("OPTIONS", "*").is_ok());
        assert!(one("GET", "http://a?x").is_ok());
        for (method, uri) in [("GET", "*"), ("POST", "*"), ("GET", "a"), ("GET", "a:80"), ("OPTIONS", "a:80")]
        {
            assert_eq!(one(method, uri), Err(Failure::BadRequest), "{method} {uri}");
        }
        assert_eq!(checked(Version::HTTP_2, "GET", "http://a?x", &[]), Err(Failure::BadRequest));
    }

    #[test]
    fn a_name_is_a_token_whatever_the_version() {
        for version in [Version::HTTP_2, Version::HTTP_3] {
            let mut request = Request::get("http://a/").version(version).body(()).unwrap();
            // As h2 reads it.
            let name = HeaderName::from_lowercase(b"x\"").unwrap();
            request.headers_mut().insert(name, HeaderValue::from_static("1"));
            assert_eq!(check(&mut request.into_parts().0), Err(Failure::BadRequest));
        }
    }

    #[test]
    fn a_cookie_in_many_fields_is_one_where_it_may_be_split() {
        let mut fields = vec![("cookie", "a=1"); 400];
        fields.push(("host", "a"));
        assert!(checked(Version::HTTP_2, "GET", "http://a/", &fields).is_ok());
        assert!(checked(Version::HTTP_3, "GET", "http://a/", &fields).is_ok());
        assert_eq!(checked(Version::HTTP_11, "GET", "/", &fields), Err(Failure::HeaderTooLarge));
        fields.extend([("x-a", "1"); MAX_FIELDS]);
        assert_eq!(checked(Version::HTTP_2, "GET", "http://a/", &fields), Err(Failure::HeaderTooLarge));
    }
}
