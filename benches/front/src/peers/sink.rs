use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::error::BenchError;

const BUFFER: usize = 256 * 1024;

/// What everybody forwards uploads to: reads a request to its end, then answers. Lives as long as this process.
pub(crate) async fn sink() -> Result<SocketAddr, BenchError> {
    let failed = |error| BenchError::File("a port for uploads".into(), error);
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                // The client ends a turn in the middle of uploads; it tells of those that fail before.
                let _ = serve(stream).await;
            });
        }
    });
    Ok(address)
}

/// Requests whose length is told.
async fn serve(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(BUFFER, stream);
    loop {
        let Some(length) = length(&mut stream).await? else { return Ok(()) };
        let mut left = length;
        while left > 0 {
            let count = stream.fill_buf().await?.len().min(left);
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            stream.consume(count);
            left -= count;
        }
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await?;
    }
}

/// The length of the next request's body; `None` at the end of the connection.
async fn length(stream: &mut BufReader<TcpStream>) -> io::Result<Option<usize>> {
    let (mut line, mut length) = (String::new(), None);
    loop {
        line.clear();
        if stream.take(64 * 1024).read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let text = line.trim_end();
        if text.is_empty() {
            return length.map(Some).ok_or(io::ErrorKind::InvalidData.into());
        }
        if let Some((name, value)) = text.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
}
