use std::{path::PathBuf, time::Duration};

use clap::Parser;

use crate::work::Work;

/// Measures the proxy beside nginx, HAProxy and Caddy.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// A build of the proxy's example as NAME=FILE. The first is what the ratios are of; give more to compare builds.
    #[arg(long = "proxy", required = true, value_parser = named_file)]
    pub(crate) proxies: Vec<(String, PathBuf)>,
    /// What to measure.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "full,resumed,full12,resumed12,h2,h1,connect,down,up,latency,idle,routes",
        value_enum
    )]
    pub(crate) only: Vec<Work>,
    /// Whom to measure beside the proxy.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "nginx,haproxy,caddy",
        value_parser = ["nginx", "haproxy", "caddy", "none"]
    )]
    pub(crate) peers: Vec<String>,
    /// How often everybody has a turn.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// How many seconds a turn of handshakes or of HTTP/1.1 lasts.
    #[arg(long, default_value_t = 2)]
    pub(crate) seconds: u64,
    /// How many requests a turn of HTTP/2 has.
    #[arg(long, default_value_t = 50_000)]
    pub(crate) requests: u64,
    /// How many hostnames the proxy serves in the comparison with one; 0 leaves it out.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) hosts: usize,
    /// How many connections idle beside the busy ones.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) idle: usize,
}

impl Options {
    /// How long a turn lasts.
    pub(crate) fn turn(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("give NAME=FILE")?;
    let file = std::path::absolute(file).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), file))
}
