//! The servers, each with the settings its makers or packagers would give it for this: the same number of threads, connections to
//! the backend kept alive, session tickets, the usual `X-Forwarded-*` fields, no access log.

mod backend;
mod caddy;
mod haproxy;
mod nginx;
mod ours;
mod sink;

use std::{fs, net::SocketAddr, path::PathBuf};

use tempfile::TempDir;

use crate::{certificate::Certificate, error::BenchError, options::Options, server::Server};

pub(crate) use backend::backend;
pub(crate) use ours::{Ours, service};
pub(crate) use sink::sink;

/// What every server is given.
pub(crate) struct Site<'a> {
    pub(crate) certificate: &'a Certificate,
    pub(crate) backend: SocketAddr,
    /// For the uploads.
    pub(crate) uploads: SocketAddr,
    pub(crate) threads: usize,
}

/// A server with the directory it works in.
pub(crate) struct Peer {
    pub(crate) server: Server,
    _directory: TempDir,
}

/// Starts the builds of the proxy, then the peers.
pub(crate) async fn start(options: &Options, site: &Site<'_>) -> Result<Vec<Peer>, BenchError> {
    let mut peers = Vec::new();
    for (name, file) in &options.proxies {
        let ours = Ours::start(name, file, site).await?;
        peers.push(Peer { server: ours.server, _directory: ours.directory });
    }
    for name in &options.peers {
        let directory = directory()?;
        let path = directory.path().to_owned();
        let server = match name.as_str() {
            "nginx" => nginx::start(path, site).await?,
            "haproxy" => haproxy::start(path, site).await?,
            "caddy" => caddy::start(path, site).await?,
            _ => continue,
        };
        peers.push(Peer { server, _directory: directory });
    }
    Ok(peers)
}

fn directory() -> Result<TempDir, BenchError> {
    tempfile::tempdir().map_err(|error| BenchError::File(std::env::temp_dir(), error))
}

fn write(file: PathBuf, text: &str) -> Result<PathBuf, BenchError> {
    match fs::write(&file, text) {
        Ok(()) => Ok(file),
        Err(error) => Err(BenchError::File(file, error)),
    }
}

fn free() -> Result<SocketAddr, BenchError> {
    crate::ports::free().map_err(|error| BenchError::File("a free port".into(), error))
}
