//! A WebSocket (RFC 6455) that sends every message back.

use std::io::{BufRead, Read, Write};

use crate::error::AppError;
use crate::request::Request;
use crate::response::Response;
use crate::{base64, sha1};

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const FRAME_LIMIT: u64 = 16 * 1024 * 1024;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// Shakes hands and echoes frames until the peer closes.
pub(crate) fn serve(
    request: &Request,
    reader: &mut impl BufRead,
    writer: &mut impl Write,
) -> Result<(), AppError> {
    let is_upgrade = request.header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    let (true, Some(key)) = (is_upgrade, request.header("sec-websocket-key")) else {
        Response::text(400, "this path wants a WebSocket\n").write(writer, false)?;
        return Ok(());
    };
    let accept = base64::encode(&sha1::digest(format!("{key}{GUID}").as_bytes()));
    write!(
        writer,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )?;
    writer.flush()?;
    while let Some((first, payload)) = read_frame(reader)? {
        match first & 0x0F {
            CLOSE => {
                write_frame(writer, first, &payload)?;
                return Ok(());
            }
            PING => write_frame(writer, (first & 0xF0) | PONG, &payload)?,
            PONG => {}
            _ => write_frame(writer, first, &payload)?,
        }
    }
    Ok(())
}

fn read_frame(reader: &mut impl BufRead) -> Result<Option<(u8, Vec<u8>)>, AppError> {
    if reader.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let [first, second] = read_array(reader)?;
    let length = match second & 0x7F {
        126 => u64::from(u16::from_be_bytes(read_array(reader)?)),
        127 => u64::from_be_bytes(read_array(reader)?),
        short => u64::from(short),
    };
    if length > FRAME_LIMIT || second & 0x80 == 0 {
        return Err(AppError::Malformed("a client's frame is masked and at most 16 MiB"));
    }
    let mask: [u8; 4] = read_array(reader)?;
    let mut payload = Vec::new();
    reader.take(length).read_to_end(&mut payload)?;
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Ok(Some((first, payload)))
}

fn read_array<const N: usize>(reader: &mut impl Read) -> Result<[u8; N], AppError> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn write_frame(writer: &mut impl Write, first: u8, payload: &[u8]) -> Result<(), AppError> {
    let mut frame = vec![first];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ 0..126), _) => frame.push(short),
        (_, Ok(medium)) => {
            frame.push(126);
            frame.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    writer.write_all(&frame)?;
    writer.flush()?;
    Ok(())
}
