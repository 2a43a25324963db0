//! A small HTTP/1.1 client that hides nothing: it never retries, never follows, and tells a reset from a refused connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::config::DOMAIN;
use crate::wait::eventually;

const TIMEOUT: Duration = Duration::from_mins(1);

/// A client of the proxy; apps are told apart by the `Host` header.
#[derive(Debug, Clone, Copy)]
pub struct Http {
    port: u16,
}

/// Why there was no whole answer.
#[derive(Debug)]
pub enum HttpError {
    /// No connection.
    Connect(io::Error),
    /// The connection broke before the first byte of an answer.
    NoAnswer(io::Error),
    /// The answer broke off, or was not HTTP.
    Broken(io::Error),
}

impl std::fmt::Display for HttpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect(error) => write!(f, "no connection: {error}"),
            Self::NoAnswer(error) => write!(f, "no answer: {error}"),
            Self::Broken(error) => write!(f, "the answer broke off: {error}"),
        }
    }
}

impl std::error::Error for HttpError {}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers as they came.
    pub headers: Vec<(String, String)>,
    /// The body, without its framing.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    /// The first header of this name, without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether the server ends the connection after this answer.
    pub fn is_last(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

impl Http {
    /// A client of whatever listens on a port of 127.0.0.1.
    pub fn on_port(port: u16) -> Self {
        Self { port }
    }

    /// The `Host` of an app; a name with a dot is a host already.
    pub fn host(self, app: &str) -> String {
        if app.contains('.') { app.to_owned() } else { format!("{app}.{DOMAIN}:{}", self.port) }
    }

    /// The URL at which an app answers.
    pub fn url(self, app: &str) -> String {
        format!("http://{}", self.host(app))
    }

    /// A new connection to the proxy.
    pub fn connect(self) -> Result<Connection, HttpError> {
        Connection::over(TcpStream::connect(("127.0.0.1", self.port)).map_err(HttpError::Connect)?)
    }

    /// GET on a connection of its own; panics without a whole answer.
    #[track_caller]
    pub fn get(self, app: &str, path: &str) -> Response {
        self.try_get(app, path).unwrap_or_else(|error| panic!("GET {path} of {app}: {error}"))
    }

    /// GET on a connection of its own.
    pub fn try_get(self, app: &str, path: &str) -> Result<Response, HttpError> {
        self.connect()?.send("GET", &self.host(app), path, &[("Connection", "close")], b"")
    }

    /// POST on a connection of its own; panics without a whole answer.
    #[track_caller]
    pub fn post(self, app: &str, path: &str, body: &[u8]) -> Response {
        let answer = self.connect().and_then(|mut connection| {
            connection.send("POST", &self.host(app), path, &[("Connection", "close")], body)
        });
        answer.unwrap_or_else(|error| panic!("POST {path} of {app}: {error}"))
    }

    /// Panics unless `/` answers with this version.
    #[track_caller]
    pub fn serves(self, app: &str, version: &str) {
        let answer = self.get(app, "/");
        assert_eq!((answer.status, answer.text()), (200, format!("version {version}\n")), "GET / of {app}");
    }

    /// Waits until `/` answers with this version.
    pub fn serves_within(self, app: &str, version: &str, deadline: Duration) {
        eventually(&format!("{app} serves version {version}"), deadline, || match self.try_get(app, "/") {
            Ok(answer) if answer.text() == format!("version {version}\n") => Ok(()),
            Ok(answer) => Err(format!("{} {}", answer.status, answer.text())),
            Err(error) => Err(error.to_string()),
        });
    }
}

/// One connection, which carries request after request.
#[derive(Debug)]
pub struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    /// Speaks HTTP over a stream that is there already.
    pub fn over(stream: TcpStream) -> Result<Self, HttpError> {
        stream.set_nodelay(true).map_err(HttpError::Connect)?;
        stream.set_read_timeout(Some(TIMEOUT)).map_err(HttpError::Connect)?;
        stream.set_write_timeout(Some(TIMEOUT)).map_err(HttpError::Connect)?;
        Ok(Self { reader: BufReader::new(stream) })
    }

    /// Sends one request and reads the whole answer.
    pub fn send(
        &mut self,
        method: &str,
        host: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Response, HttpError> {
        let mut message = head(method, host, path, headers);
        if !body.is_empty() {
            message.extend(format!("Content-Length: {}\r\n", body.len()).into_bytes());
        }
        message.extend_from_slice(b"\r\n");
        message.extend_from_slice(body);
        self.reader.get_mut().write_all(&message).map_err(HttpError::NoAnswer)?;
        self.read_response()
    }

    /// Reads the whole answer to a request that was sent by other means.
    pub fn receive(&mut self) -> Result<Response, HttpError> {
        self.read_response()
    }

    /// Sends the head of a request alone.
    pub(crate) fn write_head(
        &mut self,
        method: &str,
        host: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> io::Result<()> {
        let mut message = head(method, host, path, headers);
        message.extend_from_slice(b"\r\n");
        self.reader.get_mut().write_all(&message)
    }

    /// The stream below; nothing may have been read yet.
    pub fn into_stream(self) -> TcpStream {
        self.reader.into_inner()
    }

    /// The stream below, with what was read ahead.
    pub(crate) fn into_reader(self) -> BufReader<TcpStream> {
        self.reader
    }

    /// Reads the head of an answer.
    pub(crate) fn read_head(&mut self) -> Result<Response, HttpError> {
        let status_line = read_line(&mut self.reader).map_err(HttpError::NoAnswer)?;
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| broken(format!("status line {status_line:?}")))?;
        let mut headers = Vec::new();
        loop {
            let line = read_line(&mut self.reader).map_err(HttpError::Broken)?;
            if line.is_empty() {
                return Ok(Response { status, headers, body: Vec::new() });
            }
            let (name, value) = line.split_once(':').ok_or_else(|| broken(format!("header {line:?}")))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    fn read_response(&mut self) -> Result<Response, HttpError> {
        let mut response = self.read_head()?;
        response.body = self.read_body(&response).map_err(HttpError::Broken)?;
        Ok(response)
    }

    fn read_body(&mut self, head: &Response) -> io::Result<Vec<u8>> {
        if head.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            return self.read_chunks();
        }
        let mut body = Vec::new();
        match head.header("content-length") {
            Some(length) => {
                body.resize(length.parse().map_err(io::Error::other)?, 0);
                self.reader.read_exact(&mut body)?;
            }
            None => drop(self.reader.read_to_end(&mut body)?),
        }
        Ok(body)
    }

    fn read_chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(&read_line(&mut self.reader)?, 16).map_err(io::Error::other)?;
            let start = body.len();
            body.resize(start + size, 0);
            self.reader.read_exact(&mut body[start..])?;
            read_line(&mut self.reader)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
}

fn head(method: &str, host: &str, path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.into_bytes()
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_err(io::Error::other)
}

fn broken(what: String) -> HttpError {
    HttpError::Broken(io::Error::other(what))
}
