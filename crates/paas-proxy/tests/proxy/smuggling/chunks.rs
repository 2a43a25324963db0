//! Bodies in chunks: sizes, extensions, line ends, trailers.

use super::vector::{
    Then::{Next, Swallowed},
    Vector, broken, passed, post,
};

pub fn vectors() -> Vec<Vector> {
    [sizes(), line_ends(), extensions(), trailers()].concat()
}

fn chunked(body: &str) -> bytes::Bytes {
    post("Transfer-Encoding: chunked\r\n", body)
}

fn sizes() -> Vec<Vector> {
    let bad = [
        "-5",
        "+5",
        "0x5",
        "0X5",
        "x5",
        "5h",
        "5 5",
        "5,5",
        "5.0",
        "5_0",
        "g",
        "\"5\"",
        "",
        " ",
        " 5",
        "\t5",
        "5\0",
        "\u{0}5",
        "5\u{b}",
        "\u{665}",
        "%35",
        "10000000000000005",
        "ffffffffffffffff0",
        "FFFFFFFFFFFFFFFFFFFFFFFF",
        // Larger than anything: what comes is all of it.
        "ffffffffffffffff",
        "7fffffffffffffff",
        "100000005",
        "6",
        "4",
        "1",
        "a",
        "5 ",
        "5\t",
    ];
    let bad = bad.map(|size| {
        broken(format!("chunk size is {size:?}"), chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n")))
    });
    let good = ["5", "05", "0000000000000005"].map(|size| {
        passed(
            format!("chunk size is {size:?}"),
            chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n")),
            "hello",
            Next,
        )
    });
    let hexadecimal = ["a", "A", "0a"].map(|size| {
        passed(
            format!("chunk size is {size:?}, of ten bytes"),
            chunked(&format!("{size}\r\nhellohello\r\n0\r\n\r\n")),
            "hellohello",
            Next,
        )
    });
    let last = ["00", "000000000", "0000000000000000"].map(|size| {
        passed(format!("the last size is {size:?}"), chunked(&format!("{size}\r\n\r\n")), "", Next)
    });
    [bad.to_vec(), good.to_vec(), hexadecimal.to_vec(), last.to_vec()].concat()
}

fn line_ends() -> Vec<Vector> {
    let bad = [
        "5\nhello\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "5\r\rhello\r\n0\r\n\r\n",
        "5\n\rhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "5\r\nhello\r\r0\r\n\r\n",
        "5\r\nhello\n\r0\r\n\r\n",
        "5\r\nhello\r\n\r\n0\r\n\r\n",
        "\r\n5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\n\r\n",
        "5\r\nhello\r\n0\r\r\n",
        "5\r\nhello\r\n0\n\n",
        "5\r\nhello\r\n0\r\n\n",
        "5\r\nhello\r\n0\r\nA: b\n\r\n",
        "5\r\nhello\r\n0\r\n\r\r\n",
        "5\r\nhello\r\n0\r\n\rX",
        "5\r\nhello\r\n0",
        "5\r\nhello\r\n0\r\n",
        "5\r\nhello\r\n",
        "5\r\nhello",
        "5\r\n",
        "5",
    ];
    bad.map(|body| broken(format!("chunks end their lines so: {body:?}"), chunked(body))).to_vec()
}

fn extensions() -> Vec<Vector> {
    let good = [";", ";a", ";a=b", "; a=\"b\"", " ;a", ";a;b=c", ";0", ";\u{e9}"];
    let good = good.map(|extension| {
        passed(
            format!("chunk extension is {extension:?}"),
            chunked(&format!("5{extension}\r\nhello\r\n0{extension}\r\n\r\n")),
            "hello",
            Next,
        )
    });
    let long = ";".to_owned() + &"a".repeat(20_000);
    let bad = [";a\nb", ";\n", ";a\rb", ";\r", "\n;a", "\r;a", &long];
    let bad = bad.map(|extension| {
        broken(
            format!("chunk extension is {:?}", extension.get(..8).unwrap_or(extension)),
            chunked(&format!("5{extension}\r\nhello\r\n0\r\n\r\n")),
        )
    });
    [good.to_vec(), bad.to_vec()].concat()
}

fn trailers() -> Vec<Vector> {
    let dropped = [
        "Content-Length: 40",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: identity",
        "Host: b.test",
        "Connection: close",
        "Content-Length: 40\r\nTransfer-Encoding: chunked",
        "X-Sum: 1",
        "Authorization: x",
        "X-Forwarded-For: 6.6.6.6",
    ];
    let dropped = dropped.iter().flat_map(|&fields| {
        ["", "Trailer: Content-Length, Transfer-Encoding, Host, X-Sum\r\n"].map(|announced| {
            passed(
                format!("trailers are {fields:?}, announced {announced:?}"),
                post(
                    &format!("{announced}Transfer-Encoding: chunked\r\n"),
                    &format!("5\r\nhello\r\n0\r\n{fields}\r\n\r\n"),
                ),
                "hello",
                Next,
            )
        })
    });
    let bad = ["X : 1", " X: 1", "X", "X\0: 1", "X: 1\0", ": 1", "X: 1\r\n folded", "X: 1\rY: 2", "X Y: 1"];
    let bad = bad.map(|fields| {
        broken(format!("trailers are {fields:?}"), chunked(&format!("5\r\nhello\r\n0\r\n{fields}\r\n\r\n")))
    });
    let swallowed = passed(
        "a trailer takes in the first line of the canary",
        chunked("5\r\nhello\r\n0\r\nX: "),
        "hello",
        Swallowed,
    );
    dropped.chain(bad).chain([swallowed]).collect()
}
