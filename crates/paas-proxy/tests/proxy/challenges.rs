use paas_proxy::{ChallengeProof, ChallengeSpec, ProxyClientError, RefusalKind};
use x509_parser::{
    extensions::{GeneralName, ParsedExtension},
    prelude::{FromDer, X509Certificate},
};

use crate::support::{App, Certified, Client, TestProxy, Wire, leaf};

const PATH: &str = "/.well-known/acme-challenge/to-ken_1";
const DIGEST: [u8; 32] = [0xA5; 32];

fn http(host: &str) -> ChallengeSpec {
    let proof =
        ChallengeProof::Http01 { token: "to-ken_1".into(), key_authorization: "to-ken_1.thumb".into() };
    ChallengeSpec { host: host.into(), proof }
}

fn tls(host: &str) -> ChallengeSpec {
    ChallengeSpec { host: host.into(), proof: ChallengeProof::TlsAlpn01 { digest: "a5".repeat(32) } }
}

#[tokio::test]
async fn a_token_is_answered_before_everything_else() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    // Redirected, were it not for the path.
    proxy.client.put_certificate(&Certified::new("a.test").spec).await.unwrap();
    for host in ["a.test", "no-app.test"] {
        proxy.client.put_challenge(&http(host)).await.unwrap();
        let answer = proxy.connect().await.get(&host.to_uppercase(), PATH).await;
        assert_eq!((answer.status, answer.text()), (200, "to-ken_1.thumb".to_owned()));
        assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    }
    let mut wire = proxy.connect().await;
    wire.send(format!("HEAD {PATH} HTTP/1.1\r\nHost: a.test\r\n\r\n")).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 200 "));
    assert_eq!(wire.get("a.test", PATH).await.status, 200, "the HEAD had no body");
    // Some networks in front of us send everything on to HTTPS.
    let mut encrypted = Client::new(&["http/1.1"]).wire(proxy.https, "a.test").await;
    assert_eq!(encrypted.get("a.test", PATH).await.text(), "to-ken_1.thumb");
    assert_eq!(app.requests(), 0);
}

#[tokio::test]
async fn what_is_not_ours_is_the_apps_and_is_never_redirected() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    proxy.client.put_certificate(&Certified::new("a.test").spec).await.unwrap();
    proxy.client.put_challenge(&http("a.test")).await.unwrap();
    let mut wire = proxy.connect().await;
    for path in ["/.well-known/acme-challenge/other", "/.well-known/acme-challenge/"] {
        assert_eq!(wire.get("a.test", path).await.text(), "one", "{path}");
    }
    let post = format!("POST {PATH} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(wire.ask(post).await.text(), "one");
    assert_eq!(wire.get("b.test", PATH).await.status, 404);
    proxy.client.delete_challenges("a.test").await.unwrap();
    proxy.client.delete_challenges("a.test").await.unwrap();
    assert_eq!(wire.get("a.test", PATH).await.text(), "one");
}

#[tokio::test]
async fn a_handshake_for_a_challenge_shows_the_digest_and_speaks_no_http() {
    let proxy = TestProxy::start().await;
    let own = Certified::new("a.test");
    proxy.client.put_certificate(&own.spec).await.unwrap();
    proxy.client.put_challenge(&http("a.test")).await.unwrap();
    proxy.client.put_challenge(&tls("a.test")).await.unwrap();
    let stream = Client::blind(&["acme-tls/1"]).connect(proxy.https, "a.test").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"acme-tls/1"[..]));
    let shown = leaf(&stream);
    let (_, certificate) = X509Certificate::from_der(&shown).unwrap();
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    assert!(matches!(names.value.general_names[..], [GeneralName::DNSName("a.test")]));
    assert_eq!(certificate.issuer(), certificate.subject());
    let identifier =
        certificate.extensions().iter().find(|found| found.oid.to_id_string() == "1.3.6.1.5.5.7.1.31");
    let identifier = identifier.unwrap();
    assert!(identifier.critical);
    assert!(matches!(identifier.parsed_extension(), ParsedExtension::UnsupportedExtension { .. }));
    assert_eq!(identifier.value, [&[4, 32][..], &DIGEST].concat(), "an octet string");
    assert_eq!(Wire::over(stream).rest().await, b"");
    // Visitors still get the host's own.
    assert!(Client::new(&["http/1.1"]).leaf(proxy.https, "a.test").await == own.leaf);
}

#[tokio::test]
async fn without_a_challenge_there_is_no_such_handshake() {
    let proxy = TestProxy::start().await;
    proxy.client.put_certificate(&Certified::new("a.test").spec).await.unwrap();
    proxy.client.put_challenge(&http("a.test")).await.unwrap();
    proxy.client.put_challenge(&tls("b.test")).await.unwrap();
    let refused = async |alpn: &[&str], name: &str| {
        assert!(Client::blind(alpn).try_connect(proxy.https, name).await.is_err(), "{alpn:?} {name}");
    };
    refused(&["acme-tls/1"], "a.test").await;
    refused(&["acme-tls/1"], "c.test").await;
    refused(&["acme-tls/1"], "127.0.0.1").await;
    refused(&["acme-tls/1", "http/1.1"], "b.test").await;
    refused(&["h2", "acme-tls/1"], "b.test").await;
    // A session from before does not open it either.
    let mut client = Client::new(&["http/1.1"]);
    client.wire(proxy.https, "a.test").await.get("a.test", "/").await;
    let mut config = rustls::ClientConfig::clone(&client.0);
    config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    client.0 = config.into();
    assert!(client.try_connect(proxy.https, "a.test").await.is_err());
    proxy.client.delete_challenges("b.test").await.unwrap();
    refused(&["acme-tls/1"], "b.test").await;
}

#[tokio::test]
async fn challenges_that_cannot_be_answered_are_refused() {
    let proxy = TestProxy::start().await;
    for bad in [http("*.a.test"), http("192.0.2.1"), http("a b"), tls("*.a.test")] {
        let refused = proxy.client.put_challenge(&bad).await;
        assert!(
            matches!(&refused, Err(ProxyClientError::Refused(why)) if why.kind == RefusalKind::Invalid),
            "{refused:?}"
        );
    }
}
