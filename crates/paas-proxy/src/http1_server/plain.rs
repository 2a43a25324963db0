use bytes::{BufMut, Bytes, BytesMut};
use http::Version;

use super::head::{Head, is};
use crate::{
    challenge::is_challenge,
    door::Door,
    forwarded::{Origin, is_claim, request_id_text},
    gate::is_redirected,
    headers::is_hop_by_hop,
    host::Host,
    http1::expects_body,
    outbound::PlainRequest,
    page::says_html,
    request_check::MAX_TARGET,
    router::Route,
    service::Visitor,
    site::Found,
};

/// A request without a body that its service wants passed on and no more. Most are: what is written for the target is made at once of
/// what the client wrote.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) request: PlainRequest,
    pub(crate) route: Route,
    /// Whether a page of ours may be HTML.
    pub(crate) html: bool,
    pub(crate) id: [u8; 32],
    /// Whether the client means to send another request afterwards.
    pub(super) keeps: bool,
    /// Whether it asks for the header alone.
    pub(super) to_head: bool,
}

/// Room for what is added to a header.
const ADDED: usize = 512;

impl Plain {
    /// `None` for one that must be looked at more closely: it may be refused, or must be changed, or what is to be done with it depends
    /// on more than where it leads. That is decided in one place, and not here.
    pub(super) fn of(visitor: &Visitor, head: &Head<'_>) -> Option<Self> {
        let Usual { host: authority, keeps, html } = Usual::of(head)?;
        let host = Host::parse(authority).ok()?;
        let shared = &*visitor.shared;
        let path = head.target.split('?').next().unwrap_or_default();
        if is_challenge(path) || shared.stop.has_begun() {
            return None;
        }
        let table = shared.registry.current();
        let Found::Service { service, strip: None } = table.find(&host, path)? else { return None };
        let admitted = match &visitor.door {
            Door::Http => !is_redirected(shared, service, &host),
            // What visitors over HTTPS are told with any answer takes the place of what the app says.
            Door::Https(admission) => {
                let is_told = service.hsts.is_some() || shared.alt_svc.is_some();
                !is_told && admission.includes(&host, &shared.certificates)
            }
        };
        if !admitted || !service.only_passes_on() {
            return None;
        }
        let id = request_id_text();
        let to_head = head.method == "HEAD";
        let request = PlainRequest {
            head: text(head, authority, &visitor.origin, &id),
            to_head,
            is_idempotent: matches!(head.method, "GET" | "HEAD" | "OPTIONS" | "DELETE" | "TRACE"),
        };
        Some(Self { request, route: table.route(service, None), html, id, keeps, to_head })
    }
}

/// The header for the target.
pub(super) fn text(head: &Head<'_>, authority: &str, origin: &Origin, id: &[u8; 32]) -> Bytes {
    let mut text = BytesMut::with_capacity(head.length + ADDED);
    for part in [head.method, " ", head.target, " HTTP/1.1\r\n"] {
        text.put_slice(part.as_bytes());
    }
    for field in head.fields {
        if !is(field, "connection") {
            put_lower_case(&mut text, field.name);
            text.put_slice(b": ");
            text.put_slice(field.value);
            text.put_slice(b"\r\n");
        }
    }
    origin.write(&mut text, authority, id);
    text.put_slice(b"\r\n");
    text.freeze()
}

/// Names are told as the map of fields has them.
fn put_lower_case(text: &mut BytesMut, name: &str) {
    let from = text.len();
    text.put_slice(name.as_bytes());
    if let Some(name) = text.get_mut(from..) {
        name.make_ascii_lowercase();
    }
}

/// What a header says that has nothing unusual.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Usual<'a> {
    pub(super) host: &'a str,
    pub(super) keeps: bool,
    pub(super) html: bool,
}

impl<'a> Usual<'a> {
    pub(super) fn of(head: &Head<'a>) -> Option<Self> {
        let plain_target = head.target.starts_with('/')
            && head.target.len() <= MAX_TARGET
            && head.target.bytes().all(is_plain_in_target);
        let plain_method = head.method != "CONNECT" && !expects_body(head.method);
        if head.version != Version::HTTP_11 || !plain_method || !plain_target {
            return None;
        }
        let (mut host, mut connection, mut cookies, mut html) = (None, None, 0, false);
        for field in head.fields {
            match field.name.len() {
                4 if is(field, "host") && host.is_none() => host = Some(field.value),
                6 if is(field, "accept") => html |= says_html(field.value),
                6 if is(field, "cookie") => cookies += 1,
                10 if is(field, "connection") && connection.is_none() => connection = Some(field.value),
                _ if is_special(field.name) => return None,
                _ => {}
            }
        }
        let keeps = match connection {
            None => true,
            Some(value) if value.eq_ignore_ascii_case(b"keep-alive") => true,
            Some(value) if value.eq_ignore_ascii_case(b"close") => false,
            Some(_) => return None,
        };
        let host = std::str::from_utf8(host?).ok()?;
        (cookies < 2).then_some(Self { host, keeps, html })
    }
}

/// Whether a field is for us, or says something that must not be believed, or tells of a body. More than one of `Host` and `Connection` is
/// too many.
fn is_special(name: &str) -> bool {
    const SPECIAL: [&str; 5] = ["host", "proxy", "expect", "trailer", "content-length"];
    SPECIAL.iter().any(|special| name.eq_ignore_ascii_case(special))
        || is_hop_by_hop(name.as_bytes())
        || is_claim(name)
}

/// What a target is read as by everybody in one way, and passed on byte for byte (RFC 3986, 3.3 and 3.4).
fn is_plain_in_target(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::{super::head::room, *};

    fn usual(text: &str) -> Option<(String, bool, bool)> {
        let mut room = room();
        let head = Head::parse(text.as_bytes(), &mut room).unwrap().unwrap();
        Usual::of(&head).map(|usual| (usual.host.to_owned(), usual.keeps, usual.html))
    }

    #[test]
    fn what_browsers_send_is_usual() {
        let text = "GET /a%20b/?q=1&x=%2F HTTP/1.1\r\nHost: A.test:80\r\nConnection: keep-alive\r\nCache-Control: max-age=0\r\n\
                    Upgrade-Insecure-Requests: 1\r\nUser-Agent: M (X; Y)\r\nAccept: text/html,*/*;q=0.8\r\n\
                    Accept-Encoding: gzip, br\r\nCookie: a=1; b=2\r\nAuthorization: Bearer x\r\n\r\n";
        assert_eq!(usual(text), Some(("A.test:80".to_owned(), true, true)));
        let text = "DELETE / HTTP/1.1\r\nhost: a\r\nconnection: Close\r\n\r\n";
        assert_eq!(usual(text), Some(("a".to_owned(), false, false)));
    }

    #[test]
    fn what_must_be_looked_at_is_not() {
        for line in [
            "GET / HTTP/1.0",
            "POST / HTTP/1.1",
            "CONNECT a:80 HTTP/1.1",
            "OPTIONS * HTTP/1.1",
            "GET http://a/ HTTP/1.1",
            "GET /#x HTTP/1.1",
            "GET /\u{e9} HTTP/1.1",
            "GET /<x> HTTP/1.1",
            "GET /\\x HTTP/1.1",
        ] {
            assert_eq!(usual(&format!("{line}\r\nHost: a\r\n\r\n")), None, "{line}");
        }
        for field in [
            "Host: a",
            "TE: trailers",
            "Proxy: x",
            "Expect: 100-continue",
            "Trailer: x",
            "Upgrade: websocket",
            "Connection: upgrade",
            "Connection: keep-alive, x",
            "Connection: close\r\nConnection: keep-alive",
            "Keep-Alive: timeout=5",
            "Content-Length: 0",
            "HTTP2-Settings: x",
            "Transfer-Encoding: chunked",
            "X-Forwarded-For: 6.6.6.6",
            "X_Forwarded_Proto: https",
            "Forwarded: for=6.6.6.6",
            "X-Real-IP: 6.6.6.6",
            "X-Request-ID: 1",
            "Cookie: a=1\r\nCookie: b=2",
        ] {
            assert_eq!(usual(&format!("GET / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n")), None, "{field}");
        }
        assert_eq!(usual("GET / HTTP/1.1\r\n\r\n"), None);
        assert_eq!(usual(&format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(MAX_TARGET))), None);
    }
}
