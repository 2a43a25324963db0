//! Header fields that belong to one connection only (RFC 9110, 7.6.1).

use http::{
    HeaderMap, HeaderValue,
    header::{
        CONNECTION, COOKIE, EXPECT, HOST, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
        TRANSFER_ENCODING, UPGRADE,
    },
};

/// What CGI-like servers turn into `HTTP_PROXY` and then believe.
const PROXY: HeaderName = HeaderName::from_static("proxy");

const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Whether a field of that name belongs to one connection only.
pub(crate) fn is_hop_by_hop(name: &[u8]) -> bool {
    HOP_BY_HOP.iter().any(|hop| hop.as_str().as_bytes().eq_ignore_ascii_case(name))
}

/// Removes what is meant for this hop, also what `Connection` names. `Host` stays whatever `Connection` says.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    // Most headers have none of them: one pass is cheaper than looking for each.
    if !headers.keys().any(|name| HOP_BY_HOP.contains(name)) {
        return;
    }
    let named: Vec<HeaderName> = tokens(headers, &CONNECTION)
        .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
        .filter(|name| name != HOST)
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Makes a client's header fit to be sent on. We answer `Expect` ourselves: `100 Continue` is sent when the target's
/// connection asks for the body.
pub(crate) fn for_target(headers: &mut HeaderMap) {
    // One pass finds out what there is to do: for most headers nothing.
    let (mut hop, mut trailers, mut ours, mut cookies) = (false, false, false, 0);
    for (name, value) in &*headers {
        match *name {
            TE => {
                hop = true;
                trailers |= says_trailers(value.as_bytes());
            }
            EXPECT => ours = true,
            COOKIE => cookies += 1,
            _ if *name == PROXY => ours = true,
            _ => hop |= HOP_BY_HOP.contains(name),
        }
    }
    if hop {
        strip_hop_by_hop(headers);
    }
    if ours {
        headers.remove(EXPECT);
        headers.remove(PROXY);
    }
    if cookies > 1 {
        join_cookies(headers);
    }
    if trailers {
        // We pass trailers on, so we may say so (RFC 9110, 10.1.4).
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// Whether a `TE` says that trailers are taken (RFC 9110, 10.1.4).
pub(crate) fn says_trailers(te: &[u8]) -> bool {
    te.split(|byte| *byte == b',').any(|token| token.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

/// HTTP/2 may split `Cookie`; HTTP/1.1 must not (RFC 9113, 8.2.3).
pub(crate) fn join_cookies(headers: &mut HeaderMap) {
    let mut cookies = headers.get_all(COOKIE).iter();
    if cookies.next().is_none() || cookies.next().is_none() {
        return;
    }
    let parts: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&parts.join(&b"; "[..])) {
        headers.insert(COOKIE, joined);
    }
}

/// Whether a name is a token (RFC 9110, 5.1). [`HeaderName::from_lowercase`], by which HTTP/2 is read, takes
/// quotes, too.
pub(crate) fn is_token(name: &HeaderName) -> bool {
    !name.as_str().contains('"')
}

/// The comma-separated tokens of every field of that name.
pub(crate) fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_hop_and_what_it_names_are_removed() {
        let mut headers = map(&[
            ("connection", "close, X-Secret"),
            ("connection", "x-other , host"),
            ("x-secret", "1"),
            ("x-other", "1"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("te", "gzip"),
            ("host", "a"),
            ("x-kept", "1"),
        ]);
        strip_hop_by_hop(&mut headers);
        assert_eq!(headers, map(&[("host", "a"), ("x-kept", "1")]));
    }

    #[test]
    fn trailers_are_still_asked_for() {
        let mut headers = map(&[
            ("te", "gzip, Trailers"),
            ("connection", "te"),
            ("expect", "100-continue"),
            ("proxy", "x"),
        ]);
        for_target(&mut headers);
        assert_eq!(headers, map(&[("te", "trailers")]));
    }

    #[test]
    fn a_name_is_a_token_but_for_what_is_looked_for() {
        for byte in 0..=u8::MAX {
            let Ok(name) = HeaderName::from_lowercase(&[b'x', byte]) else { continue };
            let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(is_token(&name), token, "{name}");
        }
    }

    #[test]
    fn cookies_are_joined() {
        let mut headers = map(&[("cookie", "a=1"), ("cookie", "b=2")]);
        join_cookies(&mut headers);
        assert_eq!(headers, map(&[("cookie", "a=1; b=2")]));
    }
}
