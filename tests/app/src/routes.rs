//! What each path answers.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use crate::behaviour::Behaviour;
use crate::request::Request;
use crate::response::Response;
use crate::{files, json};

const BLOCK: [u8; 16 * 1024] = [b'x'; 16 * 1024];

/// How a request is answered.
#[derive(Debug)]
pub(crate) enum Answer {
    /// By one response.
    Whole(Response),
    /// By server-sent events, one every `every`.
    Events { count: u64, every: Duration },
    /// By this many bytes in chunks.
    Bytes(usize),
    /// By a WebSocket that echoes.
    WebSocket,
    /// By one response, as soon as the port is closed; it is opened again when this file is there.
    Deaf(String),
    /// Not at all: the process ends with this code.
    Exit(i32),
}

/// The answer to a request.
pub(crate) fn answer(request: &Request, behaviour: &Behaviour) -> Answer {
    let number = |name: &str, default: u64| {
        request.parameter(name).and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    match request.path.as_str() {
        "/events" | "/sse" => {
            return Answer::Events {
                count: number("count", 5),
                every: Duration::from_millis(number("ms", 100)),
            };
        }
        "/bytes" => return Answer::Bytes(usize::try_from(number("n", 1024)).unwrap_or(0)),
        "/ws" => return Answer::WebSocket,
        "/deaf" => return Answer::Deaf(request.parameter("until").unwrap_or_default()),
        "/exit" => return Answer::Exit(i32::try_from(number("code", 1)).unwrap_or(1)),
        "/slow" => thread::sleep(Duration::from_millis(number("ms", 1000))),
        "/id" => thread::sleep(Duration::from_millis(number("ms", 0))),
        "/job" => return Answer::Whole(job(request, behaviour, Duration::from_millis(number("ms", 0)))),
        "/log" => println!("{}", request.parameter("text").unwrap_or_default()),
        _ => {}
    }
    Answer::Whole(response(request, behaviour))
}

fn response(request: &Request, behaviour: &Behaviour) -> Response {
    match request.path.as_str() {
        "/" | "/slow" | "/log" => Response::text(200, version(behaviour)).with("X-Release", release()),
        "/up" => up(behaviour),
        "/env" => Response::json(json::environment()),
        "/headers" => Response::json(json::headers(request)),
        path if path.starts_with("/target") => Response::text(200, request.target.clone()),
        "/echo" => Response::bytes(request.body.clone()).with("X-Method", request.method.clone()),
        "/id" => Response::json(json::identity(&version(behaviour))),
        "/write" => file(files::write(&name(request), &request.parameter("text").unwrap_or_default())),
        "/append" => file(files::append(&name(request), &request.parameter("text").unwrap_or_default())),
        "/read" => file(files::read(&name(request))),
        _ => Response::text(404, "nothing here\n"),
    }
}

/// Leaves a line in the volume for each time it is asked, then takes its time.
fn job(request: &Request, behaviour: &Behaviour, takes: Duration) -> Response {
    let line = format!("{} {}", request.parameter("id").unwrap_or_default(), version(behaviour));
    let written = files::append("jobs", &line);
    thread::sleep(takes);
    file(written.map(|_| version(behaviour)))
}

fn up(behaviour: &Behaviour) -> Response {
    match behaviour.text("up").as_deref() {
        None => Response::text(200, "up\n"),
        Some("redirect") => Response::text(302, "elsewhere\n").with("Location", "/login"),
        Some(status) => Response::text(status.parse().unwrap_or(500), format!("up says {status}\n")),
    }
}

fn file(result: io::Result<String>) -> Response {
    match result {
        Ok(text) => Response::text(200, text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Response::text(404, format!("{error}\n")),
        Err(error) => Response::text(500, format!("{error}\n")),
    }
}

fn name(request: &Request) -> String {
    request.parameter("name").unwrap_or_default()
}

fn version(behaviour: &Behaviour) -> String {
    format!("version {}\n", behaviour.text("version").unwrap_or_default())
}

fn release() -> String {
    std::env::var("PAAS_RELEASE").unwrap_or_default()
}

/// Writes `count` server-sent events, each flushed on its own.
pub(crate) fn events(writer: &mut impl Write, count: u64, every: Duration) -> io::Result<()> {
    writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    for number in 0..count {
        write_chunk(writer, format!("data: {number}\n\n").as_bytes())?;
        thread::sleep(every);
    }
    writer.write_all(b"0\r\n\r\n")
}

/// Writes `length` bytes in chunks.
pub(crate) fn bytes(writer: &mut impl Write, length: usize) -> io::Result<()> {
    writer.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    )?;
    let mut left = length;
    while left > 0 {
        let block = left.min(BLOCK.len());
        write_chunk(writer, &BLOCK[..block])?;
        left -= block;
    }
    writer.write_all(b"0\r\n\r\n")
}

fn write_chunk(writer: &mut impl Write, data: &[u8]) -> io::Result<()> {
    write!(writer, "{:x}\r\n", data.len())?;
    writer.write_all(data)?;
    writer.write_all(b"\r\n")?;
    writer.flush()
}
