//! The proxy alone, for measurements: `proxy STATE_DIR HTTP_ADDRESS HTTPS_ADDRESS ADMIN_SOCKET [--http3]`. Ends on Ctrl-C.

#![allow(clippy::print_stdout)]

use std::{env, error::Error, path::PathBuf};

use paas_proxy::{AdminSocket, HandOver, Limits, ProxyConfig, run};
use tokio_util::sync::CancellationToken;

/// The program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [directory, http, https, admin, rest @ ..] = args.as_slice() else {
        return Err("give STATE_DIR HTTP_ADDRESS HTTPS_ADDRESS ADMIN_SOCKET".into());
    };
    let (directory, https) = (PathBuf::from(directory), https.parse::<std::net::SocketAddr>()?);
    let config = ProxyConfig {
        http: vec![http.parse()?],
        https: vec![https],
        https_public_port: https.port(),
        http3: rest.iter().any(|flag| flag == "--http3"),
        certificates: directory.join("certs"),
        hand_over: HandOver::default(),
        inherited: Vec::new(),
        inherited_udp: Vec::new(),
        admin: AdminSocket::new(admin),
        state_file: directory.join("table.json"),
        access_logs: directory.join("access"),
        limits: Limits::default(),
    };
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        stop.cancel();
    });
    run(config, shutdown, |ready| println!("ready {ready:?}")).await?;
    Ok(())
}
