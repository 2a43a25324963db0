//! Requests over HTTP/2 that a hop to HTTP/1.1 could make two of (h2.CL, h2.TE, injected lines).

use bytes::Bytes;

use super::vector::{Expect, TAG, Then::Closed, canary};

/// A request of raw frames: a field is a name and a value, whatever they contain.
#[derive(Debug, Clone)]
pub struct Http2Vector {
    pub name: String,
    pub fields: Vec<(Bytes, Bytes)>,
    pub body: Option<Bytes>,
    pub trailers: Option<Vec<(Bytes, Bytes)>>,
    pub expect: Expect,
}

/// The pseudo-headers of a good request, in their order.
const PSEUDO: [(&str, &str); 4] =
    [(":method", "POST"), (":scheme", "http"), (":path", "/{tag}"), (":authority", "a.test")];

fn with(name: &str, fields: &[(&str, &str)], body: Option<&str>, expect: Expect) -> Http2Vector {
    let own = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    Http2Vector {
        name: format!("HTTP/2: {name}"),
        fields: fields.iter().map(|(name, value)| (own(name), own(value))).collect(),
        body: body.map(own),
        trailers: None,
        expect,
    }
}

/// A good request with more fields.
fn more(name: &str, fields: &[(&str, &str)], body: Option<&str>, expect: Expect) -> Http2Vector {
    with(name, &[&PSEUDO[..], fields].concat(), body, expect)
}

/// A good request with another value of a pseudo-header.
fn other(pseudo: &str, value: &str, expect: Expect) -> Http2Vector {
    let fields = PSEUDO.map(|(name, usual)| (name, if name == pseudo { value } else { usual }));
    with(&format!("{pseudo} is {value:?}"), &fields, None, expect)
}

fn arrives(body: &str) -> Expect {
    Expect::Passed { method: "POST", body: Bytes::copy_from_slice(body.as_bytes()), then: Closed }
}

pub fn vectors() -> Vec<Http2Vector> {
    [names(), values(), one_hop(), pseudo(), pseudo_values(), lengths(), trailers()].concat()
}

fn names() -> Vec<Http2Vector> {
    let injected = format!("x: 1\r\n\r\n{}", canary());
    [
        "X-Upper",
        "x-Upper",
        "x y",
        " x",
        "x ",
        "x:",
        "x:y",
        "x\r",
        "x\n",
        "x\0",
        "x\r\ny",
        "x\t",
        "x\u{7f}",
        "x\u{e9}",
        "x\"",
        "x(",
        "x/y",
        "x@",
        "",
        "content-length: 0\r\n\r\nx",
        "transfer-encoding: chunked\r\nx",
        &injected,
    ]
    .iter()
    .map(|name| more(&format!("a name is {name:?}"), &[(name, "1")], None, Expect::Refused))
    .collect()
}

fn values() -> Vec<Http2Vector> {
    let injected = format!("1\r\n\r\n{}", canary());
    let length = "1\r\ncontent-length: 0\r\n\r\n".to_owned() + &canary();
    [
        "a\rb",
        "a\nb",
        "a\r\nb: c",
        "a\0b",
        "\r\n",
        "a\r",
        "a\n",
        "\nx: 1",
        "1\r\ntransfer-encoding: chunked",
        "1\ncontent-length: 5",
        "a\u{7f}",
        "a\u{1}",
        "\u{b}",
        &injected,
        &length,
    ]
    .iter()
    .flat_map(|value| {
        ["x-a", "cookie", "host", "content-type"]
            .map(|name| more(&format!("{name} is {value:?}"), &[(name, value)], None, Expect::Refused))
    })
    .collect()
}

/// Fields of a connection have no place in HTTP/2 (RFC 9113, 8.2.2).
fn one_hop() -> Vec<Http2Vector> {
    let chunks = format!("0\r\n\r\n{}", canary());
    let refused = [
        ("transfer-encoding", "chunked"),
        ("transfer-encoding", "identity"),
        ("transfer-encoding", ""),
        ("connection", "close"),
        ("connection", "content-length"),
        ("connection", "upgrade"),
        ("proxy-connection", "keep-alive"),
        ("keep-alive", "timeout=5"),
        ("upgrade", "h2c"),
        ("upgrade", "websocket"),
        ("te", "chunked"),
        ("te", "gzip"),
    ];
    let refused =
        refused.map(|field| more(&format!("a field is {field:?}"), &[field], Some(&chunks), Expect::Refused));
    let passed = [
        ("te", "trailers"),
        ("expect", "100-continue"),
        ("transfer_encoding", "chunked"),
        ("http2-settings", "AAMAAABk"),
    ];
    let passed =
        passed.map(|field| more(&format!("a field is {field:?}"), &[field], Some(&chunks), arrives(&chunks)));
    let twice = more(
        "a coding beside a length",
        &[("content-length", "5"), ("transfer-encoding", "chunked")],
        Some("0\r\n\r\n"),
        Expect::Refused,
    );
    refused.into_iter().chain(passed).chain([twice]).collect()
}

fn pseudo() -> Vec<Http2Vector> {
    let [method, scheme, path, authority] = PSEUDO;
    let mut vectors = Vec::new();
    let refused = [
        ("no :method", vec![scheme, path, authority]),
        ("no :scheme", vec![method, path, authority]),
        ("no :path", vec![method, scheme, authority]),
        ("nothing but :method", vec![method]),
        ("no pseudo-header", vec![("host", "a.test")]),
        ("two :method", vec![method, (":method", "GET"), scheme, path, authority]),
        ("two :path", vec![method, scheme, path, (":path", "/other"), authority]),
        ("two :scheme", vec![method, scheme, scheme, path, authority]),
        ("two :authority", vec![method, scheme, path, authority, (":authority", "b.test")]),
        ("an unknown one", vec![method, scheme, path, authority, (":x", "1")]),
        ("an empty one", vec![method, scheme, path, authority, (":", "1")]),
        (":status", vec![method, scheme, path, authority, (":status", "200")]),
        (":Path", vec![method, scheme, (":Path", "/{tag}"), authority]),
        (":protocol without CONNECT", vec![method, scheme, path, authority, (":protocol", "websocket")]),
        (":path behind a field", vec![method, scheme, authority, ("x-a", "1"), path]),
        (":authority behind a field", vec![method, scheme, path, ("x-a", "1"), authority]),
        (":method behind a field", vec![("x-a", "1"), method, scheme, path, authority]),
        ("neither :authority nor host", vec![method, scheme, path]),
        ("two hosts", vec![method, scheme, path, ("host", "a.test"), ("host", "b.test")]),
        ("CONNECT", vec![(":method", "CONNECT"), ("x-a", "1"), authority]),
        ("CONNECT with a path", vec![(":method", "CONNECT"), scheme, path, authority]),
        (
            "CONNECT for another protocol",
            vec![(":method", "CONNECT"), (":protocol", "connect-udp"), scheme, path, authority],
        ),
    ];
    vectors.extend(refused.map(|(name, fields)| with(name, &fields, None, Expect::Refused)));
    vectors.extend([
        with("host in place of :authority", &[method, scheme, path, ("host", "a.test")], None, arrives("")),
        with(
            "the same host beside :authority",
            &[method, scheme, path, authority, ("host", "a.test")],
            None,
            arrives(""),
        ),
        // The authority wins, as in HTTP/1.1.
        with(
            "another host beside :authority",
            &[method, scheme, path, authority, ("host", "b.test")],
            None,
            arrives(""),
        ),
        with("another order", &[authority, path, scheme, method], None, arrives("")),
    ]);
    vectors
}

fn pseudo_values() -> Vec<Http2Vector> {
    let line = format!("/{TAG} HTTP/1.1\r\nHost: a.test\r\n\r\n{}", canary());
    let mut vectors = Vec::new();
    for path in [
        "",
        "{tag}",
        "?{tag}",
        "/{tag} HTTP/1.1",
        "/{tag}\r\nx: 1",
        "/{tag}\n",
        "/{tag}\r",
        "/{tag}\0",
        "/{tag}\t",
        "/{tag}\u{7f}",
        " /{tag}",
        "/a b{tag}",
        &line,
        "http://b.test\r\n/{tag}",
    ] {
        vectors.push(other(":path", path, Expect::Refused));
    }
    for method in [
        "",
        "GET ",
        " GET",
        "GET /other HTTP/1.1\r\nHost: a.test\r\n\r\nGET",
        "G\r\nT",
        "G\0T",
        "GET\n",
        "G(T)",
        "G\u{e9}T",
    ] {
        vectors.push(other(":method", method, Expect::Refused));
    }
    for authority in [
        "",
        "b.test@a.test",
        "a.test\r\nx: 1",
        "a.test x",
        "a.test\0",
        "a.test/b",
        "a.test, b.test",
        "a.test:x",
        "a.test:80:80",
        "a.test..",
        "[::1",
        "*",
    ] {
        vectors.push(other(":authority", authority, Expect::Refused));
    }
    for scheme in ["http://b.test/?", "http\r\nx: 1", "ht tp", "\0"] {
        vectors.push(other(":scheme", scheme, Expect::Refused));
    }
    for (pseudo, value) in [
        (":authority", "A.test:80"),
        (":authority", "a.test."),
        (":scheme", "https"),
        (":path", "/{tag}//../%0d%0a;?a?b"),
    ] {
        vectors.push(other(pseudo, value, arrives("")));
    }
    vectors
}

/// `content-length` says what the frames say, or nothing arrives (RFC 9113, 8.1.1).
fn lengths() -> Vec<Http2Vector> {
    let with_canary = format!("hello{}", canary());
    let mut vectors = vec![
        more("the body is a request, and no length is told", &[], Some(&canary()), arrives(&canary())),
        more("the body looks like chunks", &[], Some("0\r\n\r\n"), arrives("0\r\n\r\n")),
        more("the length is right", &[("content-length", "5")], Some("hello"), arrives("hello")),
        more(
            "the length is right, with a nought before",
            &[("content-length", "05")],
            Some("hello"),
            arrives("hello"),
        ),
        more(
            "the length is right, twice",
            &[("content-length", "5"), ("content-length", "5")],
            Some("hello"),
            arrives("hello"),
        ),
        more("the length is nought and there is no body", &[("content-length", "0")], None, arrives("")),
        more("the body is empty", &[], Some(""), arrives("")),
    ];
    for length in ["0", "1", "4", "6", "1000", "18446744073709551621"] {
        let expect = if length == "0" { Expect::Refused } else { Expect::Broken };
        vectors.push(more(
            &format!("the length is {length} of 5"),
            &[("content-length", length)],
            Some("hello"),
            expect,
        ));
    }
    for length in ["0", "5"] {
        vectors.push(more(
            &format!("the length is {length}, and behind it stands a request"),
            &[("content-length", length)],
            Some(&with_canary),
            Expect::Broken,
        ));
    }
    for length in ["5", "1"] {
        vectors.push(more(
            &format!("the length is {length} and there is no body"),
            &[("content-length", length)],
            None,
            Expect::Broken,
        ));
    }
    for length in ["+5", "-5", "5,5", "5, 5", "0x5", "x", "", "5 5", " 5"] {
        vectors.push(more(
            &format!("the length is {length:?}"),
            &[("content-length", length)],
            Some("hello"),
            Expect::Refused,
        ));
    }
    for (one, two) in [("5", "6"), ("0", "5"), ("5", "0"), ("5", "x"), ("x", "5")] {
        vectors.push(more(
            &format!("the lengths are {one} and {two}"),
            &[("content-length", one), ("content-length", two)],
            Some("hello"),
            Expect::Refused,
        ));
    }
    vectors
}

fn trailers() -> Vec<Http2Vector> {
    let own = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    let trailing = |name: &str, value: &str, expect: Expect| Http2Vector {
        trailers: Some(vec![(own(name), own(value))]),
        ..more(&format!("a trailer is {name:?}: {value:?}"), &[("trailer", name)], Some("hello"), expect)
    };
    let injected = format!("1\r\n\r\n{}", canary());
    let broken = [
        ("x", "a\r\nb: c"),
        ("x", "a\nb"),
        ("x", "a\0"),
        ("X", "1"),
        ("x:", "1"),
        ("x\r\ny", "1"),
        ("connection", "close"),
        ("transfer-encoding", "chunked"),
        ("x", &*injected),
    ];
    let broken = broken.map(|(name, value)| trailing(name, value, Expect::Broken));
    let dropped =
        [("content-length", "40"), ("host", "b.test"), ("trailer", "x"), ("x-forwarded-for", "6.6.6.6")];
    let dropped = dropped.map(|(name, value)| trailing(name, value, arrives("hello")));
    broken.into_iter().chain(dropped).collect()
}

/// A header block of literals, nothing compressed and nothing remembered (RFC 7541, 6.2.2).
pub fn block(fields: &[(Bytes, Bytes)], tag: &str) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            let text = super::vector::tagged(text, tag);
            // An integer with a prefix of seven bits (RFC 7541, 5.1).
            match text.len().checked_sub(127) {
                None => block.push(u8::try_from(text.len()).unwrap()),
                Some(mut rest) => {
                    block.push(127);
                    while rest >= 128 {
                        block.push(u8::try_from(rest % 128).unwrap() | 0x80);
                        rest /= 128;
                    }
                    block.push(u8::try_from(rest).unwrap());
                }
            }
            block.extend(text);
        }
    }
    block
}
