//! What a preflight finds at the addresses of a name.

use std::net::IpAddr;
use std::time::Duration;

use paas_acme::{Challenge, ChallengeKind, Obstacle, Preflight, PreflightSettings, Proof, Solver};
use paas_acme_testkit::{Responder, TestDns, own_address};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::support::host;

pub(crate) const NAME: &str = "www.example.org";
/// For what does not answer; what does has as long.
pub(crate) const SHORT: Duration = Duration::from_secs(3);

/// This server at an address of its own, and a DNS server.
pub(crate) struct Here {
    pub(crate) dns: TestDns,
    pub(crate) responder: Responder,
    pub(crate) address: IpAddr,
    pub(crate) settings: PreflightSettings,
}

impl Here {
    pub(crate) async fn start() -> Self {
        let address = IpAddr::V4(own_address());
        let (dns, responder) = tokio::join!(TestDns::start(address), Responder::start(address));
        let settings = PreflightSettings {
            resolver: Some(dns.address()),
            http_port: responder.http_port(),
            https_port: responder.tls_port(),
            timeout: Duration::from_secs(10),
            private_allowed: true,
            own_addresses: vec![address],
            caa_identities: vec!["letsencrypt.org".into()],
        };
        Self { dns, responder, address, settings }
    }

    pub(crate) async fn check(&self) -> Result<Vec<ChallengeKind>, Obstacle> {
        self.check_name(NAME).await
    }

    pub(crate) async fn check_name(&self, name: &str) -> Result<Vec<ChallengeKind>, Obstacle> {
        let checked =
            Preflight::new(self.settings.clone()).unwrap().check(&host(name), &self.responder).await;
        assert_eq!(self.responder.shown(), 0, "what was presented is removed");
        checked
    }

    async fn obstacle(&self) -> (&'static str, String) {
        let obstacle = self.check().await.unwrap_err();
        (obstacle.kind(), obstacle.to_string())
    }

    /// Somebody else at another address, on the same port, who answers everything with this.
    async fn stranger(&self, address: IpAddr, answer: &'static str) -> JoinSet<()> {
        let listener = TcpListener::bind((address, self.settings.http_port)).await.unwrap();
        let mut server = JoinSet::new();
        server.spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut request = [0; 2048];
                let _ = connection.read(&mut request).await;
                let _ = connection.write_all(answer.as_bytes()).await;
            }
        });
        server
    }
}

const NGINX: &str = "HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\nContent-Length: 2\r\n\r\nno";

#[tokio::test]
async fn a_name_that_leads_here_may_be_ordered() {
    let here = Here::start().await;
    here.dns.point(NAME, here.address);
    assert_eq!(here.check().await.unwrap(), [ChallengeKind::Http01, ChallengeKind::TlsAlpn01]);
    assert_eq!((here.responder.presented(), here.responder.removed()), (2, 2));
}

#[tokio::test]
async fn a_closed_port_80_leaves_tls() {
    let mut here = Here::start().await;
    here.dns.point(NAME, here.address);
    here.settings.http_port = 1;
    assert_eq!(here.check().await.unwrap(), [ChallengeKind::TlsAlpn01]);
    here.settings.https_port = 1;
    let expected = format!(
        "www.example.org points to {}, but nothing listens on port 1: open port 1 in the firewall of this server and of its provider",
        here.address
    );
    assert_eq!(here.obstacle().await, ("port_closed", expected));
    here.settings.own_addresses.clear();
    let (_, sentence) = here.obstacle().await;
    assert!(
        sentence.contains(
            "if that is this server, open port 1 in its firewall and its provider's, else change the record"
        ) && sentence.contains("preflight = false"),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_closed_port_443_leaves_http() {
    let mut here = Here::start().await;
    here.dns.point(NAME, here.address);
    here.settings.https_port = 1;
    assert_eq!(here.check().await.unwrap(), [ChallengeKind::Http01]);
}

/// As firewalls do it: nothing comes back at all.
#[tokio::test]
async fn a_port_where_nothing_comes_back_is_closed() {
    let mut here = Here::start().await;
    (here.settings.https_port, here.settings.timeout) = (1, SHORT);
    let silent = IpAddr::V4(own_address());
    here.dns.point(NAME, silent);
    here.settings.own_addresses = vec![silent];
    // A listener whose queue is full takes no more connections.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((silent, here.settings.http_port).into()).unwrap();
    let listener = socket.listen(0).unwrap();
    let _waiting = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (kind, sentence) = here.obstacle().await;
    assert_eq!(kind, "port_closed");
    assert!(
        sentence.contains(&format!("but nothing answers on port {}: open port", here.settings.http_port)),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_name_that_leads_to_another_server_is_told_so() {
    let here = Here::start().await;
    let there = IpAddr::V4(own_address());
    here.dns.point(NAME, there);
    let _stranger = here.stranger(there, NGINX).await;
    let expected = format!(
        "www.example.org points to {there}, where nginx/1.22.1 answered HTTP 404, and not to this server: change the record to {}",
        here.address
    );
    assert_eq!(here.obstacle().await, ("elsewhere", expected));
}

#[tokio::test]
async fn another_program_on_this_server_is_told_from_another_server() {
    let mut here = Here::start().await;
    let there = IpAddr::V4(own_address());
    here.dns.point(NAME, there);
    here.settings.own_addresses = vec![there];
    let redirect = "HTTP/1.1 301 Moved\r\nLocation: https://www.example.org/x\r\nContent-Length: 0\r\n\r\n";
    let _stranger = here.stranger(there, redirect).await;
    let expected = format!(
        "port {} of this server is answered by another program (another server answered HTTP 301 with a redirect to HTTPS) \
         for www.example.org: stop that program, or give its port to paas",
        here.settings.http_port
    );
    assert_eq!(here.obstacle().await, ("other_program", expected));
}

#[tokio::test]
async fn what_is_not_http_is_told_so() {
    let here = Here::start().await;
    let there = IpAddr::V4(own_address());
    here.dns.point(NAME, there);
    let _stranger = here.stranger(there, "SSH-2.0-OpenSSH_9.2p1\r\n").await;
    let (kind, sentence) = here.obstacle().await;
    assert_eq!(kind, "elsewhere");
    assert!(
        sentence.contains("where something answered that is not HTTP, and not to this server"),
        "{sentence}"
    );
}

#[tokio::test]
async fn one_of_two_addresses_that_is_wrong_is_named() {
    let here = Here::start().await;
    let there = IpAddr::V4(own_address());
    here.dns.point(NAME, here.address);
    here.dns.point(NAME, there);
    let _stranger = here.stranger(there, NGINX).await;
    let expected = format!(
        "www.example.org also points to {there}, where nginx/1.22.1 answered HTTP 404: remove that record, authorities may try any of them"
    );
    assert_eq!(here.obstacle().await, ("partly", expected));
}

#[tokio::test]
async fn an_ipv6_record_that_is_wrong_is_named() {
    let here = Here::start().await;
    here.dns.point(NAME, here.address);
    here.dns.point(NAME, "::1".parse().unwrap());
    let (kind, sentence) = here.obstacle().await;
    assert_eq!(kind, "wrong_v6");
    assert!(
        sentence.starts_with(
            "the A record of www.example.org is right, but its AAAA record points to ::1, where "
        ),
        "{sentence}"
    );
    assert!(sentence.ends_with("remove the AAAA record or change it to this server's address"), "{sentence}");
}

#[tokio::test]
async fn a_network_in_front_is_named() {
    let here = Here::start().await;
    let there = IpAddr::V4(own_address());
    here.dns.point(NAME, there);
    let _stranger = here
        .stranger(
            there,
            "HTTP/1.1 403 Forbidden\r\nServer: cloudflare\r\nCF-RAY: 8f1\r\nContent-Length: 0\r\n\r\n",
        )
        .await;
    let (kind, sentence) = here.obstacle().await;
    assert_eq!(kind, "cdn");
    assert!(
        sentence.starts_with(&format!("www.example.org is behind Cloudflare ({there}), which does not pass")),
        "{sentence}"
    );
}

/// The right text with the wrong status, and the right status with the wrong text, are somebody else's.
#[tokio::test]
async fn only_our_own_proof_is_ours() {
    let here = Here::start().await;
    let there = IpAddr::V4(own_address());
    here.dns.point(NAME, there);
    let _stranger = here.stranger(there, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
    let (kind, sentence) = here.obstacle().await;
    assert_eq!(kind, "elsewhere");
    assert!(sentence.contains("another server answered HTTP 200"), "{sentence}");
}

/// A server that answers challenges too, of its own.
#[tokio::test]
async fn the_proof_of_somebody_else_is_not_ours() {
    let mut here = Here::start().await;
    let there = IpAddr::V4(own_address());
    here.dns.point(NAME, there);
    let other = Responder::start(there).await;
    (here.settings.http_port, here.settings.https_port) = (other.http_port(), other.tls_port());
    other
        .present(&Challenge { host: host(NAME), proof: Proof::TlsAlpn01 { digest: [7; 32] } })
        .await
        .unwrap();
    assert_eq!(here.obstacle().await.0, "elsewhere");
}

#[tokio::test]
async fn a_private_address_is_an_obstacle_for_public_authorities_alone() {
    let mut here = Here::start().await;
    here.dns.point(NAME, here.address);
    here.settings.private_allowed = false;
    let expected = format!(
        "www.example.org points to {0}, a private address no public authority can reach: change the record to {0}",
        here.address
    );
    assert_eq!(here.obstacle().await, ("private_address", expected));
    assert_eq!(here.responder.presented(), 0);
}

#[tokio::test]
async fn a_proof_that_cannot_be_shown_is_said() {
    let here = Here::start().await;
    here.dns.point(NAME, here.address);
    here.responder.refuse("the proxy is away");
    let obstacle = here.check().await.unwrap_err();
    let expected = "the check of www.example.org could not be prepared: the proxy is away";
    assert_eq!((obstacle.kind(), obstacle.to_string().as_str()), ("solver", expected));
}

/// Two names at a time do not mix: each gets its own proof.
#[tokio::test]
async fn names_are_checked_at_the_same_time() {
    let here = Here::start().await;
    let names = ["a.example.org", "b.example.org", "c.example.org"];
    for name in names {
        here.dns.point(name, here.address);
    }
    let preflight = Preflight::new(here.settings.clone()).unwrap();
    let solver: &dyn Solver = &here.responder;
    let (a, b, c) = (host(names[0]), host(names[1]), host(names[2]));
    let (a, b, c) =
        tokio::join!(preflight.check(&a, solver), preflight.check(&b, solver), preflight.check(&c, solver));
    for checked in [a, b, c] {
        assert_eq!(checked.unwrap(), [ChallengeKind::Http01, ChallengeKind::TlsAlpn01]);
    }
    assert_eq!(here.responder.shown(), 0);
}
