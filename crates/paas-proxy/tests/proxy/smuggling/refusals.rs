//! How a client is told that its request is refused: with 400, but for the vectors here.

/// Vectors by their names, and the status of their answer.
const OTHERS: &[(u16, &[&str])] = &[
    // A good number, of more bytes than a service takes.
    (
        413,
        &[
            r#"length is "4294967301""#,
            r#"length is "9223372036854775807""#,
            r#"length is "9223372036854775808""#,
            r#"length is "18446744073709551615""#,
        ],
    ),
    // The end of the body can be found, as `chunked` comes last; what is within cannot be read (RFC 9112, 6.1).
    (
        501,
        &[
            r#"coding is "gzip, chunked""#,
            r#"coding is "gzip,chunked""#,
            r#"coding is "identity, chunked""#,
            r#"coding is "chunked, chunked""#,
            r#"coding is "chunked,chunked""#,
            r#"coding is ",chunked""#,
            r#"coding is ", chunked""#,
            r#"codings are "chunked" and "chunked""#,
            r#"codings are "chunked" and "Chunked""#,
            r#"codings are "identity" and "chunked""#,
            r#"codings are "gzip" and "chunked""#,
            r#"codings are "" and "chunked""#,
            r#"codings are "x" and "chunked""#,
        ],
    ),
    // Good requests to be a proxy for any place, which we are not.
    (
        405,
        &[
            r#"the request line is "CONNECT a.test:80 HTTP/1.1""#,
            r#"the request line is "CONNECT a.test HTTP/1.1""#,
            r#"the request line is "CONNECT /{tag} HTTP/1.1""#,
            r#"the request line is "CONNECT http://a.test/{tag} HTTP/1.1""#,
        ],
    ),
    // RFC 9220, 3.
    (501, &["HTTP/2: CONNECT for another protocol"]),
    // HTTP/2 asks for no host: it is one that nobody knows.
    (404, &["HTTP/2: neither :authority nor host"]),
];

/// The status of the answer to a vector that is refused.
pub fn status(name: &str) -> u16 {
    OTHERS.iter().find(|(_, names)| names.contains(&name)).map_or(400, |(status, _)| *status)
}

/// The vectors that are not answered with 400.
pub fn others() -> impl Iterator<Item = &'static str> {
    OTHERS.iter().flat_map(|(_, names)| *names).copied()
}
