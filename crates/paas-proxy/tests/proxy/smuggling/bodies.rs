//! Bodies of methods that have none as a rule, and methods that are unusual.

use super::vector::{TAG, Then::Next, Vector, passed_as, refused, request};

pub fn vectors() -> Vec<Vector> {
    let methods = [
        "GET", "HEAD", "OPTIONS", "DELETE", "TRACE", "PUT", "PATCH", "PROPFIND", "QUERY", "get", "post",
        "M-SEARCH", "X",
    ];
    let framings = [
        ("a length", "Content-Length: 5\r\n", "hello", "hello"),
        ("chunks", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("no body", "", "", ""),
        ("a length of nought", "Content-Length: 0\r\n", "", ""),
    ];
    let mut vectors = Vec::new();
    for method in methods {
        for (name, fields, body, expected) in framings {
            let bytes = request(&format!("{method} /{TAG} HTTP/1.1"), fields, body);
            vectors.push(passed_as(method, format!("{method} with {name}"), bytes, expected, Next));
        }
    }
    for line in [
        "CONNECT a.test:80 HTTP/1.1",
        "CONNECT a.test HTTP/1.1",
        &format!("CONNECT /{TAG} HTTP/1.1"),
        &format!("CONNECT http://a.test/{TAG} HTTP/1.1"),
        "PRI * HTTP/2.0",
        "PRI * HTTP/1.1\r\nHost: b.test",
    ] {
        vectors.push(refused(format!("the request line is {line:?}"), request(line, "", "")));
    }
    vectors
}
