//! `Content-Length` beside `Transfer-Encoding` (CL.TE, TE.CL): two lengths, which are believed by different readers (RFC 9112, 6.3).

use super::vector::{Vector, canary_length, post, refused};

const CHUNKS: &str = "5\r\nhello\r\n0\r\n\r\n";

pub fn vectors() -> Vec<Vector> {
    let whole = CHUNKS.len().to_string();
    let with_canary = (CHUNKS.len() + canary_length()).to_string();
    let lengths = ["0", "1", "3", "4", "5", "6", &whole, &with_canary, "1000000"];
    let mut vectors = Vec::new();
    for length in lengths {
        for coding in ["chunked", "Chunked"] {
            let length = format!("Content-Length: {length}\r\n");
            let coding = format!("Transfer-Encoding: {coding}\r\n");
            for fields in [
                format!("{length}{coding}"),
                format!("{coding}{length}"),
                format!("{length}X-A: 1\r\n{coding}{length}"),
            ] {
                vectors.push(refused(both(&fields), post(&fields, CHUNKS)));
            }
        }
    }
    // A coding that is not understood makes no length believable.
    for coding in ["gzip", "identity", "xchunked", "chunked, identity", "identity, chunked", "chunked;", ""] {
        for fields in [
            format!("Content-Length: 5\r\nTransfer-Encoding: {coding}\r\n"),
            format!("Transfer-Encoding: {coding}\r\nContent-Length: 5\r\n"),
        ] {
            vectors.push(refused(both(&fields), post(&fields, CHUNKS)));
        }
    }
    // Neither does a length that is none.
    for length in ["+5", "5, 5", "x", ""] {
        let fields = format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n");
        vectors.push(refused(both(&fields), post(&fields, CHUNKS)));
        let fields = format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n");
        vectors.push(refused(both(&fields), post(&fields, CHUNKS)));
    }
    vectors
}

fn both(fields: &str) -> String {
    format!("both, {fields:?}")
}
