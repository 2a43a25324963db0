//! One request (RFC 9112).

use std::io::{BufRead, Read, Write};

use crate::body;
use crate::error::AppError;
use crate::query;

const HEAD_LIMIT: u64 = 128 * 1024;

/// A request, read whole.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The target of the request line as it came.
    pub(crate) target: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) version: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The next request of a connection; `None` when the peer closed it between two requests.
    pub(crate) fn read(reader: &mut impl BufRead, writer: &mut impl Write) -> Result<Option<Self>, AppError> {
        let mut head = reader.by_ref().take(HEAD_LIMIT);
        let Some(line) = read_line(&mut head)? else { return Ok(None) };
        let mut words = line.split(' ');
        let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next()) else {
            return Err(AppError::Malformed("request line"));
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: method.to_owned(),
            target: target.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            version: version.to_owned(),
            headers: read_headers(&mut head)?,
            body: Vec::new(),
        };
        if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        request.body = body::read(&request, reader)?;
        Ok(Some(request))
    }

    /// The first header of this name, without regard to case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        query::parameter(&self.query, name)
    }

    /// Whether another request may follow on this connection.
    pub(crate) fn wants_keep_alive(&self) -> bool {
        let connection = self.header("connection").unwrap_or_default();
        let says = |word: &str| connection.split(',').any(|token| token.trim().eq_ignore_ascii_case(word));
        if self.version == "HTTP/1.0" { says("keep-alive") } else { !says("close") }
    }
}

fn read_headers(reader: &mut impl BufRead) -> Result<Vec<(String, String)>, AppError> {
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?.ok_or(AppError::Malformed("the head ends too early"))?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line.split_once(':').ok_or(AppError::Malformed("header without a colon"))?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

/// A line without its end; `None` at the end of the stream.
pub(crate) fn read_line(reader: &mut impl BufRead) -> Result<Option<String>, AppError> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    while matches!(line.last(), Some(b'\n' | b'\r')) {
        line.pop();
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}
