use std::{sync::Arc, thread, time::Duration};

use rustls::{RootCertStore, pki_types::ServerName};
use tokio::time::Instant;

use crate::{
    HOST,
    certificate::Authority,
    error::BenchError,
    load::{self, Handshakes, Kind, Version},
    options::Options,
    peers::{self, Site, backend},
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
    let site = Site { certificate: &certificate, backend: backend.server.http, threads };
    let peers = peers::start(options, &site).await?;
    println!(
        "{threads} threads each; {} rounds; the backend is one process of nginx, `return 200`",
        options.rounds
    );
    let roots = authority.roots()?;
    for &work in &options.only {
        let mut rows: Vec<Row> =
            peers.iter().map(|peer| Row { server: peer.server.name.clone(), samples: Vec::new() }).collect();
        for _ in 0..options.rounds {
            for (peer, row) in peers.iter().zip(&mut rows) {
                row.samples.push(turn(work, &peer.server, &roots, options).await?);
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
        Work::H2 | Work::H1 => None,
    };
    if let Some((kind, version)) = handshakes {
        let names = ServerName::try_from(HOST).into_iter().collect();
        let address = server.https;
        let load = Handshakes { kind, version, roots: roots.clone(), address, names: Arc::new(names) };
        return shake(&load, server, options.turn()).await;
    }
    let (count, wall, cpu) = if work == Work::H2 {
        load::http2(server.https, WARM_UP_REQUESTS).await?;
        let before = server.cpu()?;
        let (count, wall) = load::http2(server.https, options.requests).await?;
        (count, wall, server.cpu()?.saturating_sub(before))
    } else {
        load::http1(server.http, Duration::from_secs(1)).await?;
        let before = server.cpu()?;
        let (count, wall) = load::http1(server.http, options.turn()).await?;
        (count, wall, server.cpu()?.saturating_sub(before))
    };
    Ok(Sample { count, wall, cpu })
}

/// One turn of handshakes.
pub(crate) async fn shake(load: &Handshakes, server: &Server, time: Duration) -> Result<Sample, BenchError> {
    load.run(WARM_UP).await?;
    let (before, begin) = (server.cpu()?, Instant::now());
    let count = load.run(time).await?;
    Ok(Sample { count, wall: begin.elapsed(), cpu: server.cpu()?.saturating_sub(before) })
}
