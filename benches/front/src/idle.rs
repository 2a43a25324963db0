use std::{io, net::SocketAddr, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
};

use crate::{
    HOST,
    error::BenchError,
    load::Ask,
    options::Options,
    peers::Ours,
    rounds::ask_for,
    sample::{Sample, Spread},
};

/// After so long nothing of an idle connection changes any more.
const SETTLE: Duration = Duration::from_secs(10);

/// Kept connections that have had an answer: what each takes, and what they cost those that are busy.
pub(crate) async fn run(options: &Options, backend: SocketAddr) -> Result<(), BenchError> {
    let failed = |error| BenchError::File("the limit of open files".into(), error);
    more_files(options.idle as u64 + 1_000).map_err(failed)?;
    for (name, file) in &options.proxies {
        let ours = Ours::small(name, file, backend).await?;
        // So that what busy connections took before is not counted.
        ask_for(Ask::Small, HOST, &ours.server, options.turn()).await?;
        let before = ours.server.resident()?;
        let mut idle = open(ours.server.http, options.idle).await?;
        let bytes = |now: usize| now.saturating_sub(before) / options.idle.max(1);
        let at_once = bytes(ours.server.resident()?);
        // A resting connection gives back what its last request needed, and the allocator what nobody needs, some seconds later.
        tokio::time::sleep(SETTLE).await;
        let each = bytes(ours.server.resident()?);
        println!(
            "\n{name}: {} idle connections take {each} bytes each ({at_once} right after their answers)",
            options.idle
        );
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            with.push(ask_for(Ask::Small, HOST, &ours.server, options.turn()).await?);
            drop(idle);
            without.push(ask_for(Ask::Small, HOST, &ours.server, options.turn()).await?);
            idle = open(ours.server.http, options.idle).await?;
        }
        let ratio = |figure: fn(&Sample) -> f64| {
            Spread::of(with.iter().zip(&without).map(|(with, without)| figure(with) / figure(without)))
        };
        for (what, ratio) in
            [("by the clock", ratio(Sample::per_second)), ("per CPU-second", ratio(Sample::per_cpu_second))]
        {
            println!(
                "64 busy connections beside them, {what}: {:.3} ({:.3}–{:.3}) of without them",
                ratio.median, ratio.least, ratio.most
            );
        }
    }
    Ok(())
}

/// Connections that each had one answer.
async fn open(address: SocketAddr, count: usize) -> Result<Vec<tokio::net::TcpStream>, BenchError> {
    let failed = |error| BenchError::File("an idle connection".into(), error);
    let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let mut idle = Vec::with_capacity(count);
    let mut answer = [0; 4096];
    for number in 0..count {
        let socket = TcpSocket::new_v4().map_err(failed)?;
        // Other addresses than the busy ones', so that no client has all the connections, or runs out of ports.
        let place = u8::try_from(number % 16).unwrap_or_default();
        socket.bind(([127, 0, 2, place + 1], 0).into()).map_err(failed)?;
        let mut stream = socket.connect(address).await.map_err(failed)?;
        stream.write_all(request.as_bytes()).await.map_err(failed)?;
        if stream.read(&mut answer).await.map_err(failed)? == 0 {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        }
        idle.push(stream);
    }
    Ok(idle)
}

fn more_files(wanted: u64) -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < wanted) {
        let wanted = maximum.map_or(wanted, |maximum| maximum.min(wanted));
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })?;
    }
    Ok(())
}
