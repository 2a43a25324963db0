use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header::FORWARDED};

use super::{
    claims::{FOR, HOST, PORT, PROTO},
    element::{Element, address, elements, node},
    request_id,
    scheme::Scheme,
};
use crate::{headers::tokens, host::Host, networks::Networks};

/// Hops beyond the last of these are not told: a client may have made up thousands.
const MAX_HOPS: usize = 50;

/// What a trusted proxy says about a request.
#[derive(Debug)]
pub(super) struct Told {
    /// Who sent it to the first proxy that is not trusted, or that nobody is known before.
    pub(super) client: IpAddr,
    /// `X-Forwarded-*` and `Forwarded` do not agree on the client, so somebody made one of them up.
    pub(super) is_doubtful: bool,
    pub(super) scheme: Option<Scheme>,
    pub(super) host: Option<HeaderValue>,
    pub(super) port: Option<u16>,
    pub(super) id: Option<HeaderValue>,
    /// The hops before the proxy, as `X-Forwarded-For` has them: with `, ` after each.
    pub(super) chain: String,
    /// The same, as `Forwarded` has them.
    pub(super) forwarded: String,
}

impl Told {
    /// `peer` is the proxy. `X-Forwarded-*` goes before `Forwarded`, and only one of the two is told to the target, in both fields. A
    /// proxy that sets one may pass on the other as its client wrote it, and which one it sets is not known here: where they name
    /// different clients, or `Forwarded` cannot be read, nobody is known for sure.
    pub(super) fn read(headers: &HeaderMap, peer: IpAddr, trusted: &Networks) -> Self {
        let is_x = [FOR, PROTO, HOST, PORT].iter().any(|name| headers.contains_key(name));
        let by_forwarded =
            elements(headers).map(|hops| Self::by_forwarded(headers, &hops, peer).found(trusted));
        let is_readable = by_forwarded.is_some() || !headers.contains_key(FORWARDED);
        let mut told = match (is_x, by_forwarded) {
            (false, Some(told)) => told,
            (_, other) => {
                let mut told = Self::by_x_forwarded(headers, peer).found(trusted);
                told.is_doubtful = other.is_some_and(|other| other.client != told.client);
                told
            }
        };
        told.is_doubtful |= !is_readable;
        told
    }

    /// Goes back along the chain, to whom the last trusted proxy names.
    fn found(mut self, trusted: &Networks) -> Self {
        let nodes: Vec<_> = self.chain.trim_end_matches(", ").split(", ").map(address).collect();
        for hop in nodes.into_iter().rev() {
            // Beyond somebody who is not trusted, or not known, everything may be made up.
            let Some(hop) = hop.filter(|_| trusted.contains(self.client)) else { break };
            self.client = hop;
        }
        self
    }

    fn by_x_forwarded(headers: &HeaderMap, peer: IpAddr) -> Self {
        let mut chain: Vec<&str> = tokens(headers, &FOR).collect();
        chain.drain(..chain.len().saturating_sub(MAX_HOPS));
        let last = |name: &HeaderName| tokens(headers, name).last();
        let scheme = last(&PROTO).and_then(Scheme::parse);
        let host = last(&HOST).and_then(host);
        let mut forwarded: Vec<String> =
            chain.iter().map(|hop| format!("for={}", node(address(hop)))).collect();
        if let Some(hop) = forwarded.last_mut() {
            if let Some(scheme) = scheme {
                hop.push_str(";proto=");
                hop.push_str(scheme.as_str());
            }
            if let Some(host) = host.as_ref().and_then(|host| host.to_str().ok()) {
                hop.push_str(";host=\"");
                hop.push_str(host);
                hop.push('"');
            }
        }
        Self {
            client: peer,
            is_doubtful: false,
            scheme,
            host,
            port: last(&PORT).and_then(|port| port.parse().ok()),
            id: request_id::told(headers),
            chain: listed(chain.into_iter()),
            forwarded: listed(forwarded.iter().map(String::as_str)),
        }
    }

    fn by_forwarded(headers: &HeaderMap, hops: &[Element], peer: IpAddr) -> Self {
        let nodes: Vec<String> = hops
            .iter()
            .map(|hop| hop.node.as_deref().and_then(address))
            .map(|address| address.map_or_else(|| "unknown".to_owned(), |address| address.to_string()))
            .collect();
        let last = hops.last();
        Self {
            client: peer,
            is_doubtful: false,
            scheme: last.and_then(|hop| Scheme::parse(hop.proto.as_deref()?)),
            host: last.and_then(|hop| host(hop.host.as_deref()?)),
            port: None,
            id: request_id::told(headers),
            chain: listed(nodes.iter().map(String::as_str)),
            forwarded: listed(headers.get_all(FORWARDED).iter().filter_map(|field| field.to_str().ok())),
        }
    }
}

/// An authority that is one: it stands between quotes later.
fn host(text: &str) -> Option<HeaderValue> {
    Host::parse(text).ok()?;
    HeaderValue::from_maybe_shared(Bytes::from(text.to_owned())).ok()
}

fn listed<'a>(hops: impl Iterator<Item = &'a str>) -> String {
    hops.fold(String::new(), |mut list, hop| {
        list.push_str(hop);
        list.push_str(", ");
        list
    })
}
