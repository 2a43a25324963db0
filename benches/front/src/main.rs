//! The proxy beside nginx, HAProxy and Caddy: the same certificate, the same backend, the same client, in turns. Prints what it
//! measures; it judges nothing.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what it measures is what it prints")]

mod certificate;
mod error;
mod idle;
mod latency;
mod load;
mod many_hosts;
mod options;
mod peers;
mod ports;
mod rounds;
mod routes;
mod sample;
mod server;
mod table;
mod work;

use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::{error::BenchError, options::Options};

/// The one hostname everybody serves.
const HOST: &str = "front.test";
/// The one whose requests go to who reads them to their end.
const UPLOADS: &str = "upload.front.test";

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    // Ending by a signal drops the servers, and with them their processes.
    let outcome = tokio::select! {
        outcome = run(&options) => outcome,
        () = stopped() => Err(BenchError::Stopped),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error::chain(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<(), BenchError> {
    rounds::run(options).await?;
    if options.hosts > 0 {
        many_hosts::run(options).await?;
    }
    Ok(())
}

async fn stopped() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
