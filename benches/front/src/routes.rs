use std::{net::SocketAddr, path::Path};

use paas_proxy::{ServiceSpec, TargetProtocol, TargetSpec};
use tokio::time::Instant;

use crate::{
    HOST,
    error::BenchError,
    load::Ask,
    options::Options,
    peers::{Ours, service},
    rounds::ask_for,
    sample::{Sample, Spread},
};

const APPS: usize = 1_000;
const HOSTS: usize = 10;
const CHANGES: usize = 50;

/// The proxy with ten thousand routes of a thousand apps beside the proxy with one: requests, changes, and its start from disk.
pub(crate) async fn run(options: &Options, backend: SocketAddr) -> Result<(), BenchError> {
    for (name, file) in &options.proxies {
        let one = Ours::small(name, file, backend).await?;
        let many = filled(name, file, backend).await?;
        println!("\n{name}: {} routes of {APPS} apps beside 1", APPS * HOSTS);
        let host = format!("h7.a{}.test", APPS / 2);
        let (mut alone, mut among) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            alone.push(ask_for(Ask::Small, HOST, &one.server, options.turn()).await?);
            among.push(ask_for(Ask::Small, &host, &many.server, options.turn()).await?);
        }
        let ratio = |figure: fn(&Sample) -> f64| {
            Spread::of(among.iter().zip(&alone).map(|(among, alone)| figure(among) / figure(alone)))
        };
        for (what, ratio) in
            [("by the clock", ratio(Sample::per_second)), ("per CPU-second", ratio(Sample::per_cpu_second))]
        {
            println!(
                "requests, {what}: {:.3} ({:.3}–{:.3}) of those with one route",
                ratio.median, ratio.least, ratio.most
            );
        }
        let mut times = Vec::new();
        for n in 0..CHANGES {
            // Another address each time, as a deploy brings it.
            let mut spec = app(n % 7, backend);
            spec.targets.push(target(&format!("new-{n}"), backend));
            let begin = Instant::now();
            many.client.put_service(&spec).await?;
            times.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        let change = Spread::of(times);
        println!(
            "one change, on disk and in force: {:.2} ms ({:.2}–{:.2})",
            change.median, change.least, change.most
        );
        let mut starts = Vec::new();
        let mut many = many;
        for _ in 0..options.rounds {
            let (again, took) = many.timed_restart(file, &host).await?;
            many = again;
            starts.push(took.as_secs_f64() * 1e3);
        }
        let start = Spread::of(starts);
        println!(
            "from its start to the first 200 of one of the routes: {:.1} ms ({:.1}–{:.1})",
            start.median, start.least, start.most
        );
    }
    Ok(())
}

async fn filled(name: &str, file: &Path, backend: SocketAddr) -> Result<Ours, BenchError> {
    let ours = Ours::empty(name, file).await?;
    for n in 0..APPS {
        ours.client.put_service(&app(n, backend)).await?;
    }
    Ok(ours)
}

fn app(n: usize, backend: SocketAddr) -> ServiceSpec {
    ServiceSpec {
        name: format!("app-{n}"),
        hosts: (0..HOSTS).map(|host| format!("h{host}.a{n}.test")).collect(),
        targets: vec![target(&format!("backend-{n}"), backend)],
        ..service(backend)
    }
}

fn target(id: &str, address: SocketAddr) -> TargetSpec {
    TargetSpec { id: id.to_owned(), address, protocol: TargetProtocol::Http1 }
}
