use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
};

/// Answers for every fake container: each address of the pool is a loopback address.
pub struct HealthServer {
    port: u16,
    reply: Arc<Mutex<&'static str>>,
}

impl HealthServer {
    pub fn start() -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let reply = Arc::new(Mutex::new("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
        let shared = Arc::clone(&reply);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let mut request = [0; 2048];
                let _ = stream.read(&mut request);
                let reply = *shared.lock().unwrap();
                let _ = stream.write_all(reply.as_bytes());
            }
        });
        Self { port, reply }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn answer(&self, reply: &'static str) {
        *self.reply.lock().unwrap() = reply;
    }
}
