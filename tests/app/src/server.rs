//! The accept loop and the life of one connection.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use crate::behaviour::Behaviour;
use crate::deafness::Deafness;
use crate::error::AppError;
use crate::request::Request;
use crate::response::Response;
use crate::routes::{self, Answer};
use crate::websocket;

/// Serves until the process is ended; one thread for each connection.
pub(crate) fn run(listener: TcpListener, behaviour: Behaviour) -> ExitCode {
    let address = match listener.local_addr() {
        Ok(address) => address,
        Err(error) => return fail(&error),
    };
    let app = Arc::new(App { behaviour, address, deafness: Deafness::default() });
    let mut listener = listener;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                let app = Arc::clone(&app);
                thread::spawn(move || {
                    if let Err(AppError::Malformed(what)) = app.serve(&stream) {
                        println!("malformed request: {what}");
                    }
                });
            }
            Err(error) => println!("accept: {error}"),
        }
        if let Some(begun) = app.deafness.wanted() {
            drop(listener);
            begun.last();
            listener = match TcpListener::bind(address) {
                Ok(listener) => listener,
                Err(error) => return fail(&error),
            };
            app.deafness.end();
        }
    }
}

fn fail(error: &std::io::Error) -> ExitCode {
    println!("cannot listen: {error}");
    ExitCode::FAILURE
}

/// What all connections share.
struct App {
    behaviour: Behaviour,
    address: SocketAddr,
    deafness: Deafness,
}

impl App {
    fn serve(&self, stream: &TcpStream) -> Result<(), AppError> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        let mut writer = stream;
        while let Some(request) = Request::read(&mut reader, &mut writer)? {
            // Whoever hears no new client should not be reached over an old connection either.
            let keep_alive = request.wants_keep_alive() && !self.deafness.is_on();
            match routes::answer(&request, &self.behaviour) {
                Answer::Whole(response) => response.write(&mut writer, keep_alive)?,
                Answer::Events { count, every } => routes::events(&mut writer, count, every)?,
                Answer::Bytes(length) => routes::bytes(&mut writer, length)?,
                Answer::WebSocket => return websocket::serve(&request, &mut reader, &mut writer),
                Answer::Deaf(until) => {
                    self.deafness.begin(until, self.address);
                    Response::text(200, "deaf\n").write(&mut writer, false)?;
                    return Ok(());
                }
                Answer::Exit(code) => std::process::exit(code),
            }
            writer.flush()?;
            if !keep_alive {
                return Ok(());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn start() -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || run(listener, Behaviour::default()));
        address
    }

    fn exchange(request: &[u8]) -> String {
        let mut stream = TcpStream::connect(start()).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }

    #[test]
    fn two_requests_share_a_connection() {
        let answer = exchange(b"GET /up HTTP/1.1\r\nHost: a\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("HTTP/1.1 404 Not Found\r\n"), "{answer}");
    }

    #[test]
    fn a_body_comes_back_however_it_was_framed() {
        let answer = exchange(
            b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\
              POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        );
        assert!(answer.contains("\r\n\r\nhello"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nabcde"), "{answer}");
    }

    #[test]
    fn a_deaf_app_refuses_connections_until_it_is_told_to_hear() {
        let address = start();
        let file = std::env::temp_dir().join(format!("paas-test-app-hears-{}", std::process::id()));
        let ask = |path: &str| {
            let mut stream = TcpStream::connect(address)?;
            write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).map(|_| answer)
        };
        assert!(ask(&format!("/deaf?until={}", file.display())).unwrap().ends_with("deaf\n"));
        assert_eq!(ask("/up").unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
        std::fs::write(&file, "").unwrap();
        let begin = std::time::Instant::now();
        while ask("/up").is_err() {
            assert!(begin.elapsed().as_secs() < 20, "it stays deaf");
            thread::sleep(std::time::Duration::from_millis(5));
        }
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn websocket_frames_are_echoed() {
        let mut request = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            .to_vec();
        request.extend_from_slice(&[0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2]);
        request.extend_from_slice(&[0x88, 0x80, 0, 0, 0, 0]);
        let mut stream = TcpStream::connect(start()).unwrap();
        stream.write_all(&request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 101 "));
        let accept = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
        assert!(
            answer.windows(accept.len()).any(|window| window == accept),
            "the example of RFC 6455, section 1.3"
        );
        assert!(answer.ends_with(&[0x81, 2, b'h', b'i', 0x88, 0]));
    }
}
