//! `Content-Length`: values, duplicates, spellings of the name.

use super::vector::{
    TAG,
    Then::{Closed, Next, Swallowed},
    Vector, broken, canary_length, passed, post, refused, request,
};

pub fn vectors() -> Vec<Vector> {
    [values(), duplicates(), names(), lies()].concat()
}

fn values() -> Vec<Vector> {
    let no_number = [
        "+5",
        "-5",
        "-0",
        "--5",
        "0x5",
        "0b101",
        "0o5",
        "5a",
        "a5",
        "5 5",
        "5,5",
        "5, 5",
        "5,",
        ",5",
        "5,6",
        "5;",
        "5;q=1",
        "\"5\"",
        "'5'",
        "5.0",
        "5e0",
        "5_0",
        "1_0",
        "5\u{a0}",
        "\u{665}",
        "\u{ff15}",
        "NaN",
        "Infinity",
        "true",
        "null",
        "five",
        "",
        " ",
        "\t",
        "0 5",
        "(5)",
        "[5]",
        "5%00",
        "%35",
        // As large as numbers get, and beyond: 5 again, where a number wraps.
        "18446744073709551616",
        "18446744073709551621",
        "99999999999999999999999999",
    ];
    let refused = no_number.map(|value| {
        refused(format!("length is {value:?}"), post(&format!("Content-Length: {value}\r\n"), "hello"))
    });
    // More than a service takes: 5 again, where a number wraps.
    let too_large =
        ["4294967301", "9223372036854775807", "9223372036854775808", "18446744073709551615"].map(|value| {
            broken(format!("length is {value:?}"), post(&format!("Content-Length: {value}\r\n"), "hello"))
        });
    let passed = ["5", "05", "0000000005", " 5", "5 ", "\t5\t", "  \t 5"].map(|value| {
        passed(
            format!("length is {value:?}"),
            post(&format!("Content-Length:{value}\r\n"), "hello"),
            "hello",
            Next,
        )
    });
    [refused.to_vec(), too_large.to_vec(), passed.to_vec()].concat()
}

fn duplicates() -> Vec<Vector> {
    let differing = [
        ("5", "6"),
        ("6", "5"),
        ("0", "5"),
        ("5", "0"),
        ("5", ""),
        ("", "5"),
        ("5", "x"),
        ("5", "+5"),
        ("5", "5, 5"),
        ("5", "18446744073709551621"),
    ];
    let differing = differing.map(|(one, other)| {
        refused(
            format!("lengths are {one:?} and {other:?}"),
            post(&format!("Content-Length: {one}\r\nX-A: 1\r\ncontent-length: {other}\r\n"), "hello"),
        )
    });
    // Who says the same twice may have been changed by somebody who said it once.
    let same = [("5", "5"), ("5", "05"), ("5", " 5 ")].map(|(one, other)| {
        refused(
            format!("lengths are {one:?} and {other:?}"),
            post(&format!("Content-Length: {one}\r\nContent-Length: {other}\r\n"), "hello"),
        )
    });
    [differing.to_vec(), same.to_vec()].concat()
}

fn names() -> Vec<Vector> {
    let length = canary_length();
    let no_name = [
        "Content-Length :",
        "Content-Length\t:",
        " Content-Length:",
        "\tContent-Length:",
        "Content Length:",
        "Content-Length\0:",
        "Content-Length\u{b}:",
        "\u{b}Content-Length:",
        "Content-Length\r:",
        "Content-Length;:",
        "Content-Length",
        "\u{feff}Content-Length:",
        "Content\u{2010}Length:",
    ];
    let refused = no_name.map(|name| {
        refused(format!("the field of the length is {name:?}"), post(&format!("{name} {length}\r\n"), ""))
    });
    let other_name = [
        "Content_Length:",
        "Content-Length-:",
        "-Content-Length:",
        "Content--Length:",
        "Content.Length:",
        "Content-Lenght:",
        "ContentLength:",
        "X-Content-Length:",
        "HTTP_CONTENT_LENGTH:",
    ];
    // No length at all: what stands behind is the next request, and must be that for the backend too.
    let ignored = other_name.map(|name| {
        passed(
            format!("the field of the length is {name:?}"),
            post(&format!("{name} {length}\r\n"), ""),
            "",
            Next,
        )
    });
    let spelled = ["content-length:", "CONTENT-LENGTH:", "cOnTeNt-LeNgTh:"].map(|name| {
        passed(
            format!("the field of the length is {name:?}"),
            post(&format!("{name} 5\r\n"), "hello"),
            "hello",
            Next,
        )
    });
    [refused.to_vec(), ignored.to_vec(), spelled.to_vec()].concat()
}

/// Lengths that include the canary, or leave something before it.
fn lies() -> Vec<Vector> {
    let with_canary = format!("hello{}", super::vector::canary());
    let length = 5 + canary_length();
    vec![
        passed(
            "the length takes in the canary",
            post(&format!("Content-Length: {length}\r\n"), "hello"),
            with_canary.clone(),
            Swallowed,
        ),
        passed(
            "the length takes in the canary, and the connection closes",
            post(&format!("Connection: close\r\nContent-Length: {length}\r\n"), "hello"),
            with_canary,
            Closed,
        ),
        passed("the length is nought", post("Content-Length: 0\r\n", ""), "", Next),
        passed("there is no length", post("", ""), "", Next),
        passed(
            "the length is within a body that looks like chunks",
            post("Content-Length: 15\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            "5\r\nhello\r\n0\r\n\r\n",
            Next,
        ),
        refused(
            "a length in the request line",
            request(&format!("POST /{TAG} HTTP/1.1 Content-Length: 5"), "", "hello"),
        ),
    ]
}
