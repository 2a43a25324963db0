#![allow(clippy::expect_used, clippy::missing_panics_doc)]

use bytes::Bytes;

use super::{
    head::{Coming, Head, may_be_whole, room},
    plain::{Usual, text},
    request::request,
};
use crate::{
    forwarded::{Origin, Scheme},
    headers::for_target,
    host::Host,
    http1,
    page::accepts_html,
    request_body::RequestBody,
    request_check::check,
};

/// A header is taken whole or not at all, and a plain request is to its target what it would be if it were looked at as a whole. The first byte says
/// how much of the rest has come at first.
pub fn request_head(data: &[u8]) {
    let [begin, bytes @ ..] = data else { return };
    let mut room = room();
    let Ok(Some(head)) = Head::parse(bytes, &mut room) else { return };
    let part = bytes.get(..usize::from(*begin) % head.length).unwrap_or_default();
    let mut other = super::head::room();
    assert!(matches!(Head::parse(part, &mut other), Ok(None)), "a part is none yet");
    let whole = bytes.get(..head.length).expect("it was read");
    assert!(may_be_whole(whole, part.len()), "the end is seen");
    let full = request(&Bytes::copy_from_slice(whole));
    let Some(usual) = Usual::of(&head) else { return };
    let Ok(host) = Host::parse(usual.host) else { return };
    let (full, facts) = full.expect("what is usual is right");
    assert_eq!((facts.body, facts.keeps), (Coming::Length(0), usual.keeps));
    let (mut parts, ()) = full.into_parts();
    let authority = check(&mut parts).expect("what is usual passes");
    assert_eq!(Host::parse(authority.to_str().expect("it was read")).as_ref(), Ok(&host));
    assert_eq!(parts.uri.path(), head.target.split('?').next().unwrap_or_default());
    assert_eq!(accepts_html(&parts.headers), usual.html);
    let address = ([192, 0, 2, 1], 80).into();
    let origin = Origin::new(address, address, Scheme::Http);
    for_target(&mut parts.headers);
    let id = origin.apply(&mut parts.headers, &authority, &origin.direct(), None);
    let id = id.as_bytes().try_into().expect("an id of ours");
    let plain = text(&head, usual.host, &origin, &id);
    let full = request_head_of(parts);
    assert_eq!(lines(&plain), lines(&full));
}

fn request_head_of(parts: http::request::Parts) -> Bytes {
    http1::request_head(&crate::service::outgoing(parts, RequestBody::Empty, None)).0
}

/// The request line, and the fields in some order.
fn lines(head: &[u8]) -> Vec<&[u8]> {
    assert!(head.ends_with(b"\r\n\r\n"));
    let mut lines: Vec<&[u8]> = head.split(|byte| *byte == b'\n').collect();
    lines.get_mut(1..).expect("a line has an end").sort_unstable();
    lines
}
