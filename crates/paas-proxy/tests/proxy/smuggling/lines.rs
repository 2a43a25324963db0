//! The bytes of lines: control characters, line ends, space, fields without a name.

use super::vector::{TAG, Then::Next, Vector, passed, passed_as, post, refused};

pub fn vectors() -> Vec<Vector> {
    [control_characters(), delimiters(), line_ends(), fields(), request_lines()].concat()
}

/// In a name, in a value, and in the target.
fn control_characters() -> Vec<Vector> {
    let codes = (0u8..0x20).chain([0x7f]).filter(|code| !b"\t\r\n".contains(code));
    let vectors = codes.flat_map(|code| {
        let character = char::from(code);
        [
            refused(
                format!("{code:#04x} within a name"),
                post(&format!("X{character}Y: 1\r\nContent-Length: 5\r\n"), "hello"),
            ),
            refused(
                format!("{code:#04x} within a value"),
                post(&format!("X: a{character}b\r\nContent-Length: 5\r\n"), "hello"),
            ),
            refused(
                format!("{code:#04x} within the target"),
                format!("POST /{TAG}{character} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello"),
            ),
        ]
    });
    vectors.collect()
}

/// What separates tokens is none (RFC 9110, 5.6.2).
fn delimiters() -> Vec<Vector> {
    "\"(),/;<=>?@[\\]{} \u{e9}"
        .chars()
        .map(|character| {
            refused(
                format!("{character:?} within a name"),
                post(&format!("X{character}Y: 1\r\nContent-Length: 5\r\n"), "hello"),
            )
        })
        .collect()
}

fn line_ends() -> Vec<Vector> {
    let good = [
        format!("POST /{TAG} HTTP/1.1\nHost: a.test\nContent-Length: 5\n\nhello"),
        format!("POST /{TAG} HTTP/1.1\r\nHost: a.test\nContent-Length: 5\r\n\r\nhello"),
        format!("POST /{TAG} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\nhello"),
        format!("POST /{TAG} HTTP/1.1\r\nHost: a.test\r\nX: 1\nContent-Length: 5\r\n\r\nhello"),
        // Empty lines before a request (RFC 9112, 2.2).
        format!("\r\nPOST /{TAG} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello"),
        format!("\n\r\nPOST /{TAG} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello"),
    ];
    let good =
        good.map(|text| passed(format!("line ends in {:?}", head(&text)), text.clone(), "hello", Next));
    let bad = [
        format!("POST /{TAG} HTTP/1.1\rHost: a.test\rContent-Length: 5\r\rhello"),
        format!("POST /{TAG} HTTP/1.1\r\nHost: a.test\rContent-Length: 5\r\n\r\nhello"),
        format!("POST /{TAG} HTTP/1.1\r\rHost: a.test\r\nContent-Length: 5\r\n\r\nhello"),
        format!("POST /{TAG} HTTP/1.1\r\nHost: a.test\r\r\nContent-Length: 5\r\n\r\nhello"),
        format!("POST /{TAG} HTTP/1.1\r\nHost: a.test\r\nX: 1\rContent-Length: 5\r\n\r\nhello"),
        format!("POST /{TAG} HTTP/1.1\r\nHost: a.test\r\nX: \rContent-Length: 5\r\n\r\nhello"),
        format!("POST /{TAG} HTTP/1.1\r\nHost: a.test\r\nX: 1\r\rContent-Length: 5\r\n\r\nhello"),
        format!("POST /{TAG} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\rhello"),
        format!("POST /{TAG} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\r\r\nhello"),
        format!("POST /{TAG} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\n\rhello"),
        format!("\rPOST /{TAG} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello"),
        format!("POST /{TAG}\rX HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello"),
        format!("POST /{TAG}\nX HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello"),
    ];
    let bad = bad.map(|text| refused(format!("line ends in {:?}", head(&text)), text.clone()));
    [good.to_vec(), bad.to_vec()].concat()
}

fn head(text: &str) -> &str {
    text.split("hello").next().unwrap_or(text)
}

fn fields() -> Vec<Vector> {
    let bad = [
        ": 1",
        " : 1",
        "X",
        "X 1",
        " X: 1",
        "\tX: 1",
        "X : 1",
        "X\t: 1",
        "X\r\n: 1",
        "=: 1",
        "\u{0}",
        "{}: 1",
        "X:1\r\n\tY: 2",
        "Host: a.test\r\n X: 1",
        "GET / HTTP/1.1",
    ];
    let bad = bad.map(|field| {
        refused(format!("a field is {field:?}"), post(&format!("{field}\r\nContent-Length: 5\r\n"), "hello"))
    });
    let good =
        ["X:", "X:1", "X: ", "X:\t1 \t", "X: a\tb", "X: \u{e9}", "!#$%&'*+-.^_`|~: 1", "0: 1", "X: :: :"];
    let good = good.map(|field| {
        passed(
            format!("a field is {field:?}"),
            post(&format!("{field}\r\nContent-Length: 5\r\n"), "hello"),
            "hello",
            Next,
        )
    });
    [bad.to_vec(), good.to_vec()].concat()
}

fn request_lines() -> Vec<Vector> {
    let bad = [
        format!(" GET /{TAG} HTTP/1.1"),
        format!("\tGET /{TAG} HTTP/1.1"),
        format!("GET  /{TAG} HTTP/1.1"),
        format!("GET\t/{TAG} HTTP/1.1"),
        format!("GET\u{b}/{TAG} HTTP/1.1"),
        format!("GET /{TAG}  HTTP/1.1"),
        format!("GET /{TAG}\tHTTP/1.1"),
        format!("GET /{TAG} HTTP/1.1 "),
        format!("GET /{TAG} HTTP/1.1\t"),
        format!("GET /{TAG} x HTTP/1.1"),
        format!("GET /{TAG} HTTP/1.1 HTTP/1.1"),
        format!("GET /{TAG}"),
        format!("GET /{TAG} "),
        format!("/{TAG} HTTP/1.1"),
        "GET HTTP/1.1".to_owned(),
        "GET  HTTP/1.1".to_owned(),
        "HTTP/1.1 200 OK".to_owned(),
        format!("\0GET /{TAG} HTTP/1.1"),
        format!("\u{feff}GET /{TAG} HTTP/1.1"),
        format!("G\u{c9}T /{TAG} HTTP/1.1"),
        format!("(GET) /{TAG} HTTP/1.1"),
        format!("GET: /{TAG} HTTP/1.1"),
        format!("\"GET\" /{TAG} HTTP/1.1"),
    ];
    let bad = bad.map(|line| {
        refused(format!("the request line is {line:?}"), format!("{line}\r\nHost: a.test\r\n\r\n"))
    });
    let good =
        passed_as("GET", "a plain request", format!("GET /{TAG} HTTP/1.1\r\nHost: a.test\r\n\r\n"), "", Next);
    bad.into_iter().chain([good]).collect()
}
