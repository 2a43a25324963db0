//! `Transfer-Encoding`: values, duplicates, spellings of the name (TE.TE).

use super::vector::{Then::Next, Vector, passed, post, refused};

const NOTHING: &str = "0\r\n\r\n";

pub fn vectors() -> Vec<Vector> {
    [values(), several(), names(), folded()].concat()
}

fn values() -> Vec<Vector> {
    let unknown = [
        "xchunked",
        "chunkedx",
        "x-chunked",
        "chunked-x",
        "chunke",
        "chunked, gzip",
        "gzip, chunked",
        "gzip,chunked",
        "gzip",
        "deflate",
        "compress",
        "br",
        "identity",
        "identity, chunked",
        "chunked, identity",
        "chunked, chunked",
        "chunked,chunked",
        "chunked,",
        ",chunked",
        "chunked ,",
        ", chunked",
        ",",
        "chunked;q=1",
        "chunked; ext=1",
        "chunked;",
        "\"chunked\"",
        "'chunked'",
        "(comment) chunked",
        "chunked (comment)",
        "chunk ed",
        "chunked chunked",
        "chunked\u{a0}",
        "\u{a0}chunked",
        "\u{85}chunked",
        // The sign for Kelvin becomes a k in lower case.
        "chun\u{212a}ed",
        "\u{feff}chunked",
        "",
        "null",
        "trailers",
        "5",
        "=?utf-8?q?chunked?=",
        "chunked\u{b}",
        "\u{b}chunked",
        "chunked\u{c}",
        "\u{c}chunked",
        "chunked\0",
        "\0chunked",
        "\u{8}chunked",
        "chunked\u{7f}",
    ];
    let refused = unknown.map(|value| {
        refused(format!("coding is {value:?}"), post(&format!("Transfer-Encoding: {value}\r\n"), NOTHING))
    });
    let known = ["chunked", "Chunked", "CHUNKED", "cHuNkEd", "\tchunked", "  chunked ", "chunked\t"];
    let passed = known.map(|value| {
        passed(
            format!("coding is {value:?}"),
            post(&format!("Transfer-Encoding:{value}\r\n"), "5\r\nhello\r\n0\r\n\r\n"),
            "hello",
            Next,
        )
    });
    [refused.to_vec(), passed.to_vec()].concat()
}

fn several() -> Vec<Vector> {
    let pairs = [
        ("chunked", "chunked"),
        ("chunked", "identity"),
        ("identity", "chunked"),
        ("gzip", "chunked"),
        ("chunked", "gzip"),
        ("", "chunked"),
        ("chunked", ""),
        ("x", "chunked"),
        ("chunked", "x"),
        ("chunked", "Chunked"),
    ];
    let far = pairs.map(|(one, other)| {
        refused(
            format!("codings are {one:?} and {other:?}"),
            post(&format!("Transfer-Encoding: {one}\r\nX-A: 1\r\ntransfer-encoding: {other}\r\n"), NOTHING),
        )
    });
    far.to_vec()
}

fn names() -> Vec<Vector> {
    let no_name = [
        "Transfer-Encoding :",
        "Transfer-Encoding\t:",
        " Transfer-Encoding:",
        "\tTransfer-Encoding:",
        "Transfer Encoding:",
        "Transfer-Encoding\0:",
        "Transfer-Encoding\u{b}:",
        "\u{b}Transfer-Encoding:",
        "Transfer-Encoding\r:",
        "\rTransfer-Encoding:",
        "Transfer\u{2010}Encoding:",
        "Transfer-Encod\u{131}ng:",
        "Transfer-Encoding",
        "X: y\rTransfer-Encoding:",
        ":",
    ];
    let refused = no_name.map(|name| {
        refused(format!("the field of the coding is {name:?}"), post(&format!("{name} chunked\r\n"), NOTHING))
    });
    let other_name = [
        "Transfer_Encoding:",
        "TransferEncoding:",
        "Transfer-Encoding-:",
        "X-Transfer-Encoding:",
        "Transfer.Encoding:",
        "HTTP_TRANSFER_ENCODING:",
        "Content-Transfer-Encoding:",
        "Content-Encoding:",
    ];
    // No coding at all: what stands behind is the next request.
    let ignored = other_name.map(|name| {
        passed(
            format!("the field of the coding is {name:?}"),
            post(&format!("{name} chunked\r\n"), ""),
            "",
            Next,
        )
    });
    let spelled =
        ["transfer-encoding:", "TRANSFER-ENCODING:", "tRaNsFeR-eNcOdInG:", "X: y\nTransfer-Encoding:"];
    let spelled = spelled.map(|name| {
        passed(
            format!("the field of the coding is {name:?}"),
            post(&format!("{name} chunked\r\n"), "5\r\nhello\r\n0\r\n\r\n"),
            "hello",
            Next,
        )
    });
    [refused.to_vec(), ignored.to_vec(), spelled.to_vec()].concat()
}

/// Fields that go on in the next line (RFC 9112, 5.2).
fn folded() -> Vec<Vector> {
    let folds = [
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding:\r\n\tchunked",
        "Transfer-Encoding:\n chunked",
        "Transfer-Encoding: \r\n chunked",
        "Transfer-Encoding: chunked\r\n ",
        "Transfer-Encoding: chunked\r\n\t",
        "Transfer-Encoding: chunked\r\n , identity",
        "Transfer-Encoding: chun\r\n ked",
        "Transfer-Encoding\r\n : chunked",
        "Transfer-\r\n Encoding: chunked",
        "X: y\r\n Transfer-Encoding: chunked",
        "X: y\r\n\tTransfer-Encoding: chunked",
        "X:\r\n Transfer-Encoding: chunked",
        "Content-Length:\r\n 5",
        "Content-Length: 5\r\n 0",
        "Content-Length: 5\r\n\t",
        "Connection: close\r\n ",
    ];
    folds.map(|fold| refused(format!("a fold, {fold:?}"), post(&format!("{fold}\r\n"), NOTHING))).to_vec()
}
