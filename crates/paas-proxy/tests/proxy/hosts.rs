//! Which service a host leads to, however it is spelled, and that paths go on as they came.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::support::{App, RawApp, TestProxy, service, until, within};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async fn over_http2(proxy: &TestProxy) -> http2::SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(proxy.address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Two services, one of them with every kind of host.
async fn start() -> (TestProxy, [App; 2]) {
    let proxy = TestProxy::start().await;
    let (one, two) = (App::start("one").await, App::start("two").await);
    let hosts = ["a.test", "*.w.test", "xn--bcher-kva.test", "127.0.0.1", "[::1]"];
    proxy.client.put_service(&service("one", &hosts, &[("c1", one.address)])).await.unwrap();
    proxy.client.put_service(&service("two", &["b.test", "x.w.test"], &[("c2", two.address)])).await.unwrap();
    (proxy, [one, two])
}

/// A host as it may be spelled, the status of the answer, and who gave it.
const SPELLINGS: [(&str, u16, &str); 25] = [
    ("a.test", 200, "one"),
    ("A.TEST", 200, "one"),
    ("a.test.", 200, "one"),
    ("a.test:80", 200, "one"),
    ("A.Test.:65535", 200, "one"),
    ("b.test", 200, "two"),
    ("y.w.test", 200, "one"),
    ("x.w.test", 200, "two"),
    ("X.W.test.:81", 200, "two"),
    ("xn--bcher-kva.test", 200, "one"),
    ("XN--BCHER-KVA.test", 200, "one"),
    ("127.0.0.1", 200, "one"),
    ("127.0.0.1:8080", 200, "one"),
    ("[::1]", 200, "one"),
    ("[::1]:8080", 200, "one"),
    ("[0:0:0:0:0:0:0:1]", 200, "one"),
    // Nobody's: another spelling of an address is another host, and so is what is below or above.
    ("unknown.test", 404, ""),
    ("test", 404, ""),
    ("w.test", 404, ""),
    ("x.a.test", 404, ""),
    ("y.x.w.test", 404, ""),
    ("127.1", 404, ""),
    ("2130706433", 404, ""),
    ("0x7f000001", 404, ""),
    ("[::ffff:127.0.0.1]", 404, ""),
];

#[tokio::test]
async fn a_host_leads_to_its_service_however_it_is_spelled() {
    let (proxy, _apps) = start().await;
    for (host, status, name) in SPELLINGS {
        let answer = proxy.connect().await.get(host, "/").await;
        assert_eq!(answer.status, status, "{host}");
        assert!(status != 200 || answer.text() == name, "{host}: {}", answer.text());
        assert!(!answer.text().contains("a.test"), "nobody is named to strangers: {}", answer.text());
        // The same as the target, beside a field that names another host.
        let absolute = format!("GET http://{host}/ HTTP/1.1\r\nHost: b.test\r\n\r\n");
        let answer = proxy.connect().await.ask(absolute).await;
        assert_eq!(answer.status, status, "http://{host}/");
        assert!(status != 200 || answer.text() == name, "http://{host}/: {}", answer.text());
    }
}

#[tokio::test]
async fn a_host_over_http2_leads_to_the_same_service() {
    let (proxy, _apps) = start().await;
    let mut sender = over_http2(&proxy).await;
    for (host, status, name) in SPELLINGS {
        let request = Request::get(format!("http://{host}/")).body(Full::default()).unwrap();
        let answer = within("an answer", sender.send_request(request)).await.unwrap();
        assert_eq!(answer.status(), status, "{host}");
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(status != 200 || text == name, "{host}: {text:?}");
    }
}

/// A name in letters beyond ASCII is written in another way on the wire (RFC 5890): what is not is nobody's name.
#[tokio::test]
async fn a_host_that_is_none_is_refused_and_reaches_nobody() {
    let (proxy, [one, two]) = start().await;
    for host in [
        "b\u{fc}cher.test",
        "b\u{c3}\u{bc}cher.test",
        "a\u{3002}test",
        "\u{ff41}.test",
        "a.test\u{200b}",
        "%61.test",
        "a,b.test",
    ] {
        let mut wire = proxy.connect().await;
        let answer = wire.get(host, "/").await;
        assert_eq!(answer.status, 400, "{host}");
        assert_eq!(wire.rest().await, b"", "{host}: and the connection ends");
    }
    assert_eq!((one.requests(), two.requests()), (0, 0));
}

/// All that RFC 3986 lets stand in a path or a query: each by itself, encoded, and twice.
fn targets() -> Vec<String> {
    let unreserved = (b'a'..=b'z').chain(b'A'..=b'Z').chain(b'0'..=b'9').map(char::from);
    let path: Vec<String> =
        unreserved.chain("-._~!$&'()*+,;=:@/".chars()).map(|character| character.to_string()).collect();
    let encoded = (0..=u8::MAX).flat_map(|byte| [format!("%{byte:02x}"), format!("%{byte:02X}")]);
    let mut targets: Vec<String> = path.iter().map(|text| format!("/x{text}{text}y?")).collect();
    targets.extend(path.iter().map(|text| format!("/?{text}{text}")));
    targets.extend(encoded.flat_map(|text| [format!("/{text}"), format!("/?{text}={text}")]));
    let strange = [
        "/",
        "/?",
        "/??",
        "/?/?",
        "//",
        "///",
        "//a//",
        "/.",
        "/..",
        "/./",
        "/../",
        "/a/../b",
        "/a/..;/b",
        "/a/%2e%2e/b",
        "/%2e%2e%2f",
        "/a%2fb",
        "/a%5cb",
        "/a;b=c;d",
        "/;",
        "/a?b;c;d",
        "/?&&&",
        "/?=",
        "/?a=b=c",
        "/?a[]=1",
        "/+%20+",
        "/%25%32%46",
        "/%",
        "/%zz",
        "/%2",
        "/a?%",
        "/?http://b.test/",
    ];
    targets.extend(strange.map(str::to_owned));
    targets
}

#[tokio::test]
async fn every_path_and_query_goes_on_byte_for_byte() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(OK).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let targets = targets();
    let mut wire = proxy.connect().await;
    for target in &targets {
        assert_eq!(wire.get("a.test", target).await.status, 200, "{target}");
    }
    let mut sender = over_http2(&proxy).await;
    for target in &targets {
        let request = Request::get(format!("http://a.test{target}")).body(Full::default()).unwrap();
        assert_eq!(
            within("an answer", sender.send_request(request)).await.unwrap().status(),
            200,
            "{target}"
        );
    }
    let seen = app.seen();
    assert_eq!(seen.len(), 2 * targets.len());
    for (seen, target) in seen.iter().zip(targets.iter().chain(&targets)) {
        assert_eq!(seen.lines().next(), Some(&*format!("GET {target} HTTP/1.1")));
    }
}

/// What must not stand there is refused or goes on as it came, but never becomes something else.
#[tokio::test]
async fn no_byte_of_a_target_becomes_another() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(OK).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut passed = Vec::new();
    for byte in 0x21..=u8::MAX {
        for (before, after) in [("/x", "y"), ("/?x", "y")] {
            let target = [before.as_bytes(), &[byte], after.as_bytes()].concat();
            let mut wire = proxy.connect().await;
            wire.send([b"GET ", &target[..], b" HTTP/1.1\r\nHost: a.test\r\n\r\n"].concat()).await;
            match wire.answer().await.status {
                200 => passed.push(target),
                400 => {}
                other => panic!("{byte:#04x}: {other}"),
            }
        }
    }
    until("the last of them", async || app.seen().len() == passed.len()).await;
    let lossy = |target: &Vec<u8>| format!("GET {} HTTP/1.1", String::from_utf8_lossy(target));
    let first = |seen: &String| seen.lines().next().unwrap_or_default().to_owned();
    assert_eq!(
        app.seen().iter().map(first).collect::<Vec<_>>(),
        passed.iter().map(lossy).collect::<Vec<_>>()
    );
}
