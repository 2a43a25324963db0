use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use super::{
    http2::{Http2Vector, block},
    refusals,
    vector::{Expect, Then, Vector, canary, tagged},
};
use crate::support::{RawHttp2, frame, kind};

/// Longer than any of this takes.
const PATIENCE: Duration = Duration::from_secs(8);
const END_STREAM: u8 = 0x01;
const END_HEADERS: u8 = 0x04;

/// Sends a vector and its canary. Says what the client saw that should not be.
pub async fn over_http1(proxy: SocketAddr, vector: &Vector, tag: &str) -> Result<(), String> {
    timeout(PATIENCE, exchange(proxy, vector, tag))
        .await
        .unwrap_or_else(|_| Err("nothing more happens".to_owned()))
}

async fn exchange(proxy: SocketAddr, vector: &Vector, tag: &str) -> Result<(), String> {
    let stream = TcpStream::connect(proxy).await.map_err(|error| error.to_string())?;
    let mut wire = BufReader::new(stream);
    let bytes = [tagged(&vector.bytes, tag), tagged(canary().as_bytes(), tag)].concat();
    // The proxy may have closed before it was all sent.
    let _ = wire.write_all(&bytes).await;
    match &vector.expect {
        Expect::Refused => refused(&rest(&mut wire).await, &vector.name),
        Expect::Broken | Expect::CanaryAlone => {
            let _ = wire.shutdown().await;
            let bytes = rest(&mut wire).await;
            // Who does not send a request to its end does not want the answer.
            if bytes.is_empty() { Ok(()) } else { refused(&bytes, &vector.name) }
        }
        Expect::Passed { method, then, .. } => {
            good(&mut wire, *method == "HEAD").await?;
            match then {
                Then::Next => good(&mut wire, false).await,
                Then::Closed => ended(&mut wire).await,
                Then::Swallowed => {
                    let after = format!("GET /after-{tag} HTTP/1.1\r\nHost: a.test\r\n\r\n");
                    wire.write_all(after.as_bytes()).await.map_err(|error| error.to_string())?;
                    good(&mut wire, false).await
                }
            }
        }
    }
}

/// What comes until the connection ends.
async fn rest(wire: &mut BufReader<TcpStream>) -> String {
    let mut bytes = Vec::new();
    let _ = wire.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One answer that says what is wrong and that the connection ends, and nothing else.
fn refused(text: &str, name: &str) -> Result<(), String> {
    let status = refusals::status(name);
    let is_right = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
        let length = crate::support::header(head, "content-length").and_then(|length| length.parse().ok());
        head.starts_with(&format!("HTTP/1.1 {status} "))
            && crate::support::header(head, "connection") == Some("close")
            && length == Some(body.len())
    });
    if is_right { Ok(()) } else { Err(format!("not refused with {status}, but answered {text:?}")) }
}

async fn ended(wire: &mut BufReader<TcpStream>) -> Result<(), String> {
    let text = rest(wire).await;
    if text.is_empty() { Ok(()) } else { Err(format!("goes on with {text:?}")) }
}

/// One answer, 200, read to its end.
async fn good(wire: &mut BufReader<TcpStream>, is_head: bool) -> Result<(), String> {
    let head = loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let count = wire.read_line(&mut head).await.map_err(|error| error.to_string())?;
            if count == 0 {
                return Err(format!("closed within the header {head:?}"));
            }
        }
        if !head.starts_with("HTTP/1.1 100 ") {
            break head;
        }
    };
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        return Err(format!("answered {head:?}"));
    }
    let length = crate::support::header(&head, "content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; if is_head { 0 } else { length.unwrap_or(0) }];
    wire.read_exact(&mut body).await.map_err(|error| error.to_string())?;
    if length.is_none() && crate::support::header(&head, "transfer-encoding").is_some() && !is_head {
        let mut line = String::new();
        while line != "0\r\n" {
            line.clear();
            if wire.read_line(&mut line).await.map_err(|error| error.to_string())? == 0 {
                return Err("closed within the body".to_owned());
            }
        }
        wire.read_line(&mut line).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Sends a vector of frames on a connection of its own.
pub async fn over_http2(proxy: SocketAddr, vector: &Http2Vector, tag: &str) -> Result<(), String> {
    let mut client = RawHttp2::connect(proxy).await;
    let header = block(&vector.fields, tag);
    let ends = |last: bool| if last { END_STREAM } else { 0 };
    let alone = vector.body.is_none() && vector.trailers.is_none();
    let mut bytes = frame(kind::HEADERS, END_HEADERS | ends(alone), 1, &header);
    if let Some(body) = &vector.body {
        bytes.extend(frame(kind::DATA, ends(vector.trailers.is_none()), 1, &tagged(body, tag)));
    }
    if let Some(trailers) = &vector.trailers {
        bytes.extend(frame(kind::HEADERS, END_HEADERS | END_STREAM, 1, &block(trailers, tag)));
    }
    let _ = client.send(&bytes).await;
    let outcome = timeout(PATIENCE, async {
        while let Some(frame) = client.next().await {
            match frame.kind {
                kind::HEADERS => return Some(frame.payload),
                kind::RST_STREAM | kind::GOAWAY => return None,
                _ => {}
            }
        }
        None
    });
    let Ok(answer) = outcome.await else { return Err("nothing more happens".to_owned()) };
    match (answer, &vector.expect) {
        (Some(block), Expect::Passed { .. }) if has_status(&block, 200) => Ok(()),
        // What is no HTTP/2 is answered with a reset, and so is what breaks off.
        (None, Expect::Refused | Expect::Broken | Expect::CanaryAlone) => Ok(()),
        (Some(block), Expect::Refused | Expect::Broken | Expect::CanaryAlone)
            if has_status(&block, refusals::status(&vector.name)) =>
        {
            Ok(())
        }
        (answer, _) => Err(format!("answered {answer:?}")),
    }
}

/// Whether a header block begins with this status (RFC 7541, appendix A; what is not there comes as a literal).
fn has_status(block: &[u8], status: u16) -> bool {
    let begin: &[u8] = match status {
        200 => &[0x88],
        400 => &[0x8c],
        404 => &[0x8d],
        501 => &[0x48, 0x82, 0x6c, 0x01],
        _ => panic!("how {status} begins is not known here"),
    };
    block.starts_with(begin)
}
