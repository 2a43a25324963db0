//! A WebSocket client (RFC 6455) with one message at a time.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;

use crate::http::Http;

const IS_MASKED: u8 = 0x80;
const LENGTH_IS_U16: u8 = 0x7E;
const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

/// An open WebSocket to an app.
#[derive(Debug)]
pub struct WebSocket {
    reader: BufReader<TcpStream>,
}

impl WebSocket {
    /// Shakes hands with `/ws` of an app; panics when it is refused.
    #[track_caller]
    pub fn open(http: Http, app: &str) -> Self {
        let mut connection = http.connect().unwrap_or_else(|error| panic!("a WebSocket to {app}: {error}"));
        let headers = [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        connection.write_head("GET", &http.host(app), "/ws", &headers).expect("the handshake can be sent");
        let head = connection.read_head().unwrap_or_else(|error| panic!("a WebSocket to {app}: {error}"));
        assert_eq!(head.status, 101, "{head:?}");
        assert_eq!(head.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head:?}");
        Self { reader: connection.into_reader() }
    }

    /// Sends a text message of at most 64 KiB.
    pub fn send(&mut self, text: &str) -> std::io::Result<()> {
        self.write_frame(0x81, text.as_bytes())
    }

    /// Sends a close frame.
    pub fn close(&mut self, payload: &[u8]) -> std::io::Result<()> {
        self.write_frame(0x88, payload)
    }

    /// The next message: its opcode and its payload.
    pub fn receive(&mut self) -> std::io::Result<(u8, Vec<u8>)> {
        let [first, second] = self.read_array()?;
        let length = match second {
            LENGTH_IS_U16 => u64::from(u16::from_be_bytes(self.read_array()?)),
            127 => u64::from_be_bytes(self.read_array()?),
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).map_err(std::io::Error::other)?];
        self.reader.read_exact(&mut payload)?;
        Ok((first & 0x0F, payload))
    }

    /// Sends a text and panics unless the same text comes back.
    #[track_caller]
    pub fn echoes(&mut self, text: &str) {
        self.send(text).expect("the message can be sent");
        let (opcode, payload) = self.receive().expect("a message comes back");
        assert_eq!((opcode, String::from_utf8_lossy(&payload).as_ref()), (1, text));
    }

    fn write_frame(&mut self, first: u8, payload: &[u8]) -> std::io::Result<()> {
        let mut frame = vec![first];
        if let Ok(short @ 0..126) = u8::try_from(payload.len()) {
            frame.push(IS_MASKED | short);
        } else {
            frame.push(IS_MASKED | LENGTH_IS_U16);
            frame.extend(u16::try_from(payload.len()).map_err(std::io::Error::other)?.to_be_bytes());
        }
        frame.extend(MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.reader.get_mut().write_all(&frame)
    }

    fn read_array<const N: usize>(&mut self) -> std::io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
