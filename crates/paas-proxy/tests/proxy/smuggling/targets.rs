//! Targets and hosts that two servers could take for different ones.

use super::vector::{TAG, Then::Next, Vector, passed_as, refused};

pub fn vectors() -> Vec<Vector> {
    [hosts(), targets()].concat()
}

fn get(line: &str, fields: &str) -> String {
    format!("{line}\r\n{fields}\r\n")
}

fn hosts() -> Vec<Vector> {
    let line = format!("GET /{TAG} HTTP/1.1");
    let bad = [
        "",
        "Host:\r\n",
        "Host: \r\n",
        "Host: a.test\r\nHost: a.test\r\n",
        "Host: a.test\r\nHost: b.test\r\n",
        "Host: a.test\r\nX-A: 1\r\nhost: b.test\r\n",
        "Host: a.test\r\nHost:\r\n",
        "Host:\r\nHost: a.test\r\n",
        "Host: a.test, b.test\r\n",
        "Host: a.test b.test\r\n",
        "Host: a.test\tb.test\r\n",
        "Host: a.test@b.test\r\n",
        "Host: b.test@a.test\r\n",
        "Host: a.test/x\r\n",
        "Host: a.test?x\r\n",
        "Host: a.test#x\r\n",
        "Host: a.test\\b.test\r\n",
        "Host: http://a.test\r\n",
        "Host: a.test:80:80\r\n",
        "Host: a.test:x\r\n",
        "Host: a.test:-1\r\n",
        "Host: a.test:65536\r\n",
        "Host: a.test..\r\n",
        "Host: .a.test\r\n",
        "Host: a..test\r\n",
        "Host: \"a.test\"\r\n",
        "Host: a.test;b.test\r\n",
        "Host: a%2etest\r\n",
        "Host: a.test\u{e9}\r\n",
        "Host: *.test\r\n",
        "Host: [a.test]\r\n",
        "Host: [::1\r\n",
        "Host: ::1\r\n",
        "Host: [::1%25lo]\r\n",
        "Host : a.test\r\n",
        " Host: a.test\r\n",
        "Host\t: a.test\r\n",
        "Host:\r\n a.test\r\n",
        "Host: a.test\r\n .b.test\r\n",
        "Host: a.test\0\r\n",
        "Host: a.test\0.b.test\r\n",
        "Host: a.test\rHost: b.test\r\n",
        "X-Host: a.test\r\n",
        "Host_: a.test\r\n",
    ];
    let good = [
        "Host: A.TEST\r\n",
        "Host: a.test.\r\n",
        "Host: a.test:\r\n",
        "Host: a.test:80\r\n",
        "Host: a.test:65535\r\n",
        "Host: a.test.:8080\r\n",
        "Host:a.test\r\n",
        "Host:\t a.test \t\r\n",
        "hOST: a.test\r\n",
        "X-Forwarded-Host: b.test\r\nHost: a.test\r\nX-Host: c.test\r\n",
        "Host: a.test\r\nHost_: b.test\r\n",
    ];
    let bad = bad.iter().map(|host| refused(format!("the host is {host:?}"), get(&line, host)));
    let good =
        good.iter().map(|host| passed_as("GET", format!("the host is {host:?}"), get(&line, host), "", Next));
    bad.chain(good).collect()
}

fn targets() -> Vec<Vector> {
    let bad = [
        format!("a.test/{TAG}"),
        format!("\\{TAG}"),
        format!("?{TAG}"),
        TAG.to_owned(),
        format!("http://u@a.test/{TAG}"),
        format!("http://u:p@a.test/{TAG}"),
        format!("http://b.test@a.test/{TAG}"),
        format!("http:///{TAG}"),
        format!("http:/{TAG}"),
        format!("http://a.test\\b.test/{TAG}"),
        format!("http://a.test:x/{TAG}"),
        format!("http://a.test:65536/{TAG}"),
        format!("http://[::1/{TAG}"),
        format!("http://a.test b.test/{TAG}"),
        format!("http://a.test,b.test/{TAG}"),
        format!("/{TAG} b"),
        format!("/{TAG}\u{7f}"),
        "a.test:80".to_owned(),
        "a.test".to_owned(),
        "*".to_owned(),
        "**".to_owned(),
        format!("*/{TAG}"),
    ];
    let good = [
        format!("http://a.test/{TAG}"),
        format!("HTTP://A.test:80/{TAG}"),
        format!("https://a.test/{TAG}"),
        format!("http://a.test?{TAG}"),
        format!("/{TAG}//a/../b/./c;d=e"),
        format!("//b.test/{TAG}"),
        format!("/{TAG}?a=b?c&&=%0d%0aGET%20/"),
        format!("/{TAG}%20HTTP/1.1%0d%0aHost:%20b.test"),
        format!("/{TAG}%00%2f%2e%2e%5c"),
        format!("/{TAG}/http://b.test/"),
        format!("/{TAG}/@b.test"),
    ];
    let line = |target: &str| get(&format!("GET {target} HTTP/1.1"), "Host: a.test\r\n");
    let bad = bad.iter().map(|target| refused(format!("the target is {target:?}"), line(target)));
    let good = good
        .iter()
        .map(|target| passed_as("GET", format!("the target is {target:?}"), line(target), "", Next));
    // The host of an absolute target wins over the field (RFC 9112, 3.2.2).
    let other = passed_as(
        "GET",
        "the target names another host than the field",
        get(&format!("GET http://a.test/{TAG} HTTP/1.1"), "Host: b.test\r\n"),
        "",
        Next,
    );
    bad.chain(good).chain([other]).collect()
}
