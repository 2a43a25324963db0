use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use super::{
    http2::{Http2Vector, block},
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
        Expect::Refused => refused(&mut wire).await,
        Expect::Broken | Expect::CanaryAlone => {
            let _ = wire.shutdown().await;
            refused(&mut wire).await
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

/// At most one answer, that of an error, and the end.
async fn refused(wire: &mut BufReader<TcpStream>) -> Result<(), String> {
    let mut bytes = Vec::new();
    let _ = wire.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes);
    let status = text.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
    let is_refusal = status.is_none_or(|status| (400..500).contains(&status) || status == 501);
    if text.matches("HTTP/1.").count() <= 1 && is_refusal {
        Ok(())
    } else {
        Err(format!("answered {text:?}"))
    }
}

async fn ended(wire: &mut BufReader<TcpStream>) -> Result<(), String> {
    let mut bytes = Vec::new();
    let _ = wire.read_to_end(&mut bytes).await;
    if bytes.is_empty() { Ok(()) } else { Err(format!("goes on with {:?}", String::from_utf8_lossy(&bytes))) }
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
                // `:status: 200` is one byte (RFC 7541, appendix A); others are refusals here.
                kind::HEADERS => return Some(frame.payload.first() == Some(&0x88)),
                kind::RST_STREAM | kind::GOAWAY => return Some(false),
                _ => {}
            }
        }
        Some(false)
    });
    let is_good = outcome.await.unwrap_or(None);
    match (is_good, matches!(vector.expect, Expect::Passed { .. })) {
        (None, _) => Err("nothing more happens".to_owned()),
        (Some(true), false) => Err("answered 200".to_owned()),
        (Some(false), true) => Err("refused".to_owned()),
        _ => Ok(()),
    }
}
