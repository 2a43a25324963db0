use std::{sync::Arc, thread, time::Duration};

use rustls::{RootCertStore, pki_types::ServerName};
use tokio::time::Instant;

use crate::{
    HOST, UPLOADS,
    certificate::Authority,
    error::BenchError,
    idle, latency,
    load::{self, Ask, Handshakes, Kind, Version, Wrk},
    options::Options,
    peers::{self, Peer, Site, backend, sink},
    routes,
    sample::Sample,
    server::Server,
    table::{self, Row},
    work::Work,
};

/// Before each turn, so that nobody is measured while it opens its first connections.
const WARM_UP: Duration = Duration::from_millis(200);
const WARM_UP_REQUESTS: u64 = 5000;

/// Everybody's turns, round by round, so that what else the machine does meets all.
pub(crate) async fn run(options: &Options) -> Result<(), BenchError> {
    let authority = Authority::new()?;
    let certificate = authority.issue(HOST)?;
    let backend = backend().await?;
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let uploads = sink().await?;
    let site = Site { certificate: &certificate, backend: backend.server.http, uploads, threads };
    let peers = peers::start(options, &site).await?;
    println!(
        "{threads} threads each; {} rounds; the backend is one process of nginx, `return 200`",
        options.rounds
    );
    let roots = authority.roots()?;
    for &work in &options.only {
        match work {
            Work::Latency => {
                let servers: Vec<&Server> = peers.iter().map(|peer| &peer.server).collect();
                latency::run(&backend.server, &servers, options.rounds).await?;
                continue;
            }
            Work::Idle => {
                idle::run(options, site.backend).await?;
                continue;
            }
            Work::Routes => {
                routes::run(options, site.backend).await?;
                continue;
            }
            _ => {}
        }
        let mut rows = peers.iter().map(|peer| Row::new(&peer.server)).collect::<Result<Vec<_>, _>>()?;
        for _ in 0..options.rounds {
            for (Peer { server, .. }, row) in peers.iter().zip(&mut rows) {
                server.forget_peak()?;
                row.samples.push(turn(work, server, &roots, options).await?);
                row.peaks.push(server.peak()?);
            }
        }
        table::print(work, &rows);
    }
    Ok(())
}

async fn turn(
    work: Work,
    server: &Server,
    roots: &RootCertStore,
    options: &Options,
) -> Result<Sample, BenchError> {
    let handshakes = match work {
        Work::Full => Some((Kind::Full, Version::Tls13)),
        Work::Resumed => Some((Kind::Resumed, Version::Tls13)),
        Work::Full12 => Some((Kind::Full, Version::Tls12)),
        Work::Resumed12 => Some((Kind::Resumed, Version::Tls12)),
        _ => None,
    };
    if let Some((kind, version)) = handshakes {
        let names = ServerName::try_from(HOST).into_iter().collect();
        let address = server.https;
        let load = Handshakes { kind, version, roots: roots.clone(), address, names: Arc::new(names) };
        return shake(&load, server, options.turn()).await;
    }
    let ask = match work {
        Work::H2 => {
            load::http2(server.https, WARM_UP_REQUESTS).await?;
            let before = server.cpu()?;
            let (count, wall) = load::http2(server.https, options.requests).await?;
            return Ok(Sample { count, wall, cpu: server.cpu()?.saturating_sub(before), p99: None });
        }
        Work::Connect => Ask::Once,
        Work::Down => Ask::Down,
        Work::Up => Ask::Up,
        _ => Ask::Small,
    };
    let host = if work == Work::Up { UPLOADS } else { HOST };
    ask_for(ask, host, server, options.turn()).await
}

/// One turn of requests over HTTP/1.1.
pub(crate) async fn ask_for(
    ask: Ask,
    host: &str,
    server: &Server,
    time: Duration,
) -> Result<Sample, BenchError> {
    load::http1(server.http, host, ask, Duration::from_secs(1)).await?;
    let before = server.cpu()?;
    let Wrk { count, wall, p99 } = load::http1(server.http, host, ask, time).await?;
    Ok(Sample { count, wall, cpu: server.cpu()?.saturating_sub(before), p99: Some(p99) })
}

/// One turn of handshakes.
pub(crate) async fn shake(load: &Handshakes, server: &Server, time: Duration) -> Result<Sample, BenchError> {
    load.run(WARM_UP).await?;
    let (before, begin) = (server.cpu()?, Instant::now());
    let count = load.run(time).await?;
    let (wall, cpu) = (begin.elapsed(), server.cpu()?.saturating_sub(before));
    Ok(Sample { count, wall, cpu, p99: None })
}
