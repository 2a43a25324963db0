use std::{path::Path, sync::Arc};

use rustls::{RootCertStore, pki_types::ServerName};

use crate::{
    certificate::Authority,
    error::BenchError,
    load::{Handshakes, Kind, Version},
    options::Options,
    peers::Ours,
    rounds::shake,
    sample::{Sample, Spread},
};

/// The proxy with many hostnames beside the proxy with one: memory for each, and handshakes.
pub(crate) async fn run(options: &Options) -> Result<(), BenchError> {
    let Some((_, file)) = options.proxies.first() else { return Ok(()) };
    let authority = Authority::new()?;
    let one = loaded(&authority, file, 1).await?;
    let many = loaded(&authority, file, options.hosts).await?;
    let (alone, among) = (one.ours.server.resident()?, many.ours.server.resident()?);
    let each = among.saturating_sub(alone) / options.hosts;
    println!("\n{} hostnames with a certificate each, beside 1", options.hosts);
    println!("resident: {} KiB with 1, {} KiB with {}", alone / 1024, among / 1024, options.hosts);
    println!(
        "a hostname: {each} bytes, {} of them its chain, {} beyond it",
        many.chain_bytes,
        each.saturating_sub(many.chain_bytes)
    );
    let roots = authority.roots()?;
    let (mut ones, mut manys) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        ones.push(turn(&one, &roots, options).await?);
        manys.push(turn(&many, &roots, options).await?);
    }
    let rates = |samples: &[Sample]| Spread::of(samples.iter().map(Sample::per_cpu_second));
    let ratio =
        Spread::of(manys.iter().zip(&ones).map(|(many, one)| many.per_cpu_second() / one.per_cpu_second()));
    println!(
        "full TLS 1.3 handshakes per CPU-second: {:.0} with 1, {:.0} with {}, ratio {:.3} ({:.3}–{:.3})",
        rates(&ones).median,
        rates(&manys).median,
        options.hosts,
        ratio.median,
        ratio.least,
        ratio.most
    );
    Ok(())
}

struct Loaded {
    ours: Ours,
    names: Arc<Vec<ServerName<'static>>>,
    chain_bytes: usize,
}

/// A proxy that found its certificates at its start.
async fn loaded(authority: &Authority, file: &Path, hosts: usize) -> Result<Loaded, BenchError> {
    let ours = Ours::empty("paas", file).await?;
    let mut names = Vec::new();
    let mut chain_bytes = 0;
    for n in 0..hosts {
        let host = format!("host-{n}.front.test");
        let certificate = authority.issue(&host)?;
        ours.put_certificate(&host, &certificate).await?;
        chain_bytes = certificate.chain_bytes;
        names.extend(ServerName::try_from(host));
    }
    Ok(Loaded { ours: ours.restart(file).await?, names: Arc::new(names), chain_bytes })
}

async fn turn(loaded: &Loaded, roots: &RootCertStore, options: &Options) -> Result<Sample, BenchError> {
    let load = Handshakes {
        kind: Kind::Full,
        version: Version::Tls13,
        roots: roots.clone(),
        address: loaded.ours.server.https,
        names: Arc::clone(&loaded.names),
    };
    shake(&load, &loaded.ours.server, options.turn()).await
}
