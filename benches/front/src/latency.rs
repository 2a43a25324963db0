use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

use crate::{HOST, error::BenchError, sample::Spread, server::Server};

/// In one turn.
const REQUESTS: usize = 3_000;

/// What each server adds to a request that has the machine for itself, beside the backend asked directly.
pub(crate) async fn run(backend: &Server, servers: &[&Server], rounds: usize) -> Result<(), BenchError> {
    println!(
        "\none connection, a request at a time: medians in µs, and what is added to the direct connection"
    );
    let (mut direct, mut through) = (Vec::new(), vec![Vec::new(); servers.len()]);
    for _ in 0..rounds {
        direct.push(median(backend.http).await?);
        for (server, medians) in servers.iter().zip(&mut through) {
            medians.push(median(server.http).await?);
        }
    }
    let base = Spread::of(direct.iter().copied());
    println!("{:10} {:>6.1} ({:.1}–{:.1})", "direct", base.median, base.least, base.most);
    for (server, medians) in servers.iter().zip(&through) {
        let all = Spread::of(medians.iter().copied());
        let added = Spread::of(medians.iter().zip(&direct).map(|(through, direct)| through - direct));
        println!(
            "{:10} {:>6.1} ({:.1}–{:.1}), adds {:.1} ({:.1}–{:.1})",
            server.name, all.median, all.least, all.most, added.median, added.least, added.most
        );
    }
    Ok(())
}

/// Of one turn, in µs.
async fn median(address: SocketAddr) -> Result<f64, BenchError> {
    let failed = |error| BenchError::File("a connection".into(), error);
    let mut stream = TcpStream::connect(address).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let mut times = Vec::with_capacity(REQUESTS);
    let mut answer = [0; 4096];
    for _ in 0..REQUESTS {
        let begin = Instant::now();
        stream.write_all(request.as_bytes()).await.map_err(failed)?;
        let mut length = 0;
        while !answer[..length].ends_with(b"\r\n\r\nok") {
            let count = stream.read(&mut answer[length..]).await.map_err(failed)?;
            if count == 0 {
                return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
            }
            length += count;
        }
        times.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    Ok(Spread::of(times).median)
}
