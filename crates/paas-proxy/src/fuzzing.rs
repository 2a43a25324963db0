//! Where the fuzz targets in `fuzz/` come in. Each takes any bytes and panics when something is not as it must be; the feature
//! `fuzzing` alone shows them to others.

#![allow(clippy::expect_used, clippy::missing_panics_doc)]

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    api::{PathRoute, ServiceSpec},
    host::{Host, HostPattern},
    route_check::{check_routes, check_routes_against},
    router::{Service, Table},
};
pub use crate::{
    http1::fuzzing::{chunks, response_head},
    http1_server::fuzzing::request_head,
};

/// A host has one spelling, which is read as itself, and patterns are written as they are read.
pub fn host(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(host) = Host::parse(text) {
        let name = host.as_str();
        assert!(name.is_ascii() && !name.bytes().any(|byte| byte.is_ascii_uppercase() || byte <= b' '));
        // An IPv6 address needs its brackets back to be read again.
        let again = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
        assert_eq!(Host::parse(&again).as_ref(), Ok(&host));
        let exact = HostPattern::parse(name).expect("a host is a pattern");
        assert!(exact.takes(&host));
        if let Some(parent) = host.parent()
            && let Ok(wildcard) = HostPattern::parse(&format!("*.{parent}"))
        {
            assert!(wildcard.takes(&host));
        }
    }
    if let Ok(pattern) = HostPattern::parse(text) {
        assert_eq!(HostPattern::parse(&pattern.to_string()), Ok(pattern));
    }
}

/// The table leads where all its routes, looked at one by one, say. The first line is a request, a host and a path with a space
/// between; the others are routes, a host or a host with a path.
pub fn router(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.lines();
    let Some((host, path)) = lines.next().and_then(|line| line.split_once(' ')) else { return };
    let Ok(host) = Host::parse(host) else { return };
    let mut table = Table::new(1, BTreeMap::new());
    let mut routes = Vec::new();
    for (number, line) in lines.enumerate() {
        let at = line.find('/').unwrap_or(line.len());
        let (pattern, prefix) = line.split_at(at);
        let mut spec = ServiceSpec { name: number.to_string(), ..ServiceSpec::default() };
        if prefix.is_empty() {
            spec.hosts.push(pattern.to_owned());
        } else {
            let (host, prefix) = (pattern.to_owned(), prefix.to_owned());
            spec.paths.push(PathRoute { host, prefix, strip: number % 2 == 1 });
        }
        if check_routes(&spec).and_then(|()| check_routes_against(&spec, &table)).is_ok() {
            let pattern = HostPattern::parse(pattern).expect("it was checked");
            routes.push((pattern, prefix, spec.name.clone()));
            table.add(Arc::new(Service::new(spec, Vec::new(), None)));
        }
    }
    // One service goes after the other, and nothing else changes.
    loop {
        let expected = nearest(&routes, &host, path);
        let found = table.find(&host, path).map(|found| found.service().spec.name.clone());
        assert_eq!(found.as_deref(), expected);
        let Some(name) = found else { return };
        table = table.without(&name);
        routes.retain(|route| route.2 != name);
    }
}

type Route<'a> = (HostPattern, &'a str, String);

/// The exact host before the wildcard, then the longest prefix of whole segments.
fn nearest<'a>(routes: &'a [Route<'_>], host: &Host<'_>, path: &str) -> Option<&'a str> {
    let takes = |(pattern, prefix, _): &&Route<'_>| {
        let below = path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        pattern.takes(host) && (prefix.is_empty() || below)
    };
    let nearness =
        |(pattern, prefix, _): &&Route<'_>| (matches!(pattern, HostPattern::Exact(_)), prefix.len());
    routes.iter().filter(takes).max_by_key(nearness).map(|(_, _, name)| name.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_worth_fuzzing_is_reached() {
        for text in ["blog.example.com:80", "[::1]:80", "*.a.b", "A.", ""] {
            host(text.as_bytes());
        }
        for text in ["a.b /x/y\na.b\n*.b/x/y/z\na.b/x\na.b/x/y\n*.b", "x.b /\n*.b\nx.b/q", "a.b *\n*.b"] {
            router(text.as_bytes());
        }
        for text in [
            "\x07GET /a?b HTTP/1.1\r\nHOST: A.b:80\r\nX-A: 1\r\nAccept: text/html\r\nConnection: close\r\n\r\nrest",
            "\0POST * HTTP/1.0\r\nA: b\n\n",
        ] {
            request_head(text.as_bytes());
        }
        for text in
            ["\0\0HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "\x01\x04HTTP/1.0 304 X\r\nA: b\r\n\r\n"]
        {
            response_head(text.as_bytes());
        }
        for text in
            ["\x015\r\nhello\r\n0\r\nA: b\r\n\r\nrest", "\x034;a=b\r\nhell\r\n00\r\n\r\n", "\x01-1\r\n"]
        {
            chunks(text.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_hold(data in prop::collection::vec(any::<u8>(), 0..80)) {
            host(&data);
            router(&data);
            response_head(&data);
            request_head(&data);
            chunks(&data);
        }

        #[test]
        fn any_header_holds(
            begin: u8,
            method in "GET|HEAD|POST|get|CONNECT|X-Y",
            target in "/[a-z?#%\\[{é/]{0,6}|\\*|http://a\\.b/x|//?|a:80",
            version in "1\\.[01]",
            fields in prop::collection::vec(
                "(Host|HOST|Connection|Connection|Cookie|Accept|Content-Length|Transfer-Encoding|TE|X-Forwarded-For|X_Real_IP|forwarded|Expect|Upgrade|X-[a-c]): ?\
                 (a\\.b|A\\.b:80|close|host|close, x-b,host|Keep-Alive|close, x-a|chunked|0|2|trailers|100-continue|text/html;q=1|[ -~é]{0,6}) ?",
                0..6,
            ),
            line_end in "\r\n|\n",
        ) {
            let fields = fields.iter().fold(String::new(), |all, field| all + field + &line_end);
            let host = if begin.is_multiple_of(2) { "host: c.d\r\n" } else { "" };
            let request = format!("{method} {target} HTTP/{version}{line_end}{host}{fields}{line_end}rest");
            request_head(&[&[begin], request.as_bytes()].concat());
            let response = format!("HTTP/{version} 20{} {line_end}{fields}{line_end}rest", begin % 10);
            response_head(&[&[begin % 3, begin], response.as_bytes()].concat());
        }

        #[test]
        fn any_routes_hold(data in "[ab*]{1,2}\\.[ab] (/[ab]?){0,3}(\n[ab*]{1,2}\\.[ab](/[ab]){0,3}){0,6}") {
            router(data.as_bytes());
        }
    }
}
