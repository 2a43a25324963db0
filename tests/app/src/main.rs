//! A web app whose every misbehaviour is a switch: the end-to-end tests deploy it, then look at what the platform does.
//!
//! It needs the standard library alone, so one `rustc` call makes a static binary that runs `FROM scratch`.
//! How it behaves is read from `/behaviour` ([`behaviour::Behaviour`]), so that one commit changes one switch.
//!
//! ```text
//! app            the web process: HTTP/1.1 on 0.0.0.0:$PORT
//! app worker     waits for ever (or ends, by the `worker_exit` switch)
//! app release    appends a line to `$DATA_DIR/releases`, then ends with the `release_exit` switch's code
//! ```
#![allow(clippy::print_stdout, reason = "an app's log is its standard output")]

mod base64;
mod behaviour;
mod body;
mod deafness;
mod error;
mod files;
mod json;
mod query;
mod request;
mod response;
mod routes;
mod server;
mod sha1;
mod start;
mod told;
mod websocket;

use std::process::ExitCode;

use behaviour::Behaviour;

fn main() -> ExitCode {
    let behaviour = Behaviour::load();
    match std::env::args().nth(1).as_deref() {
        None | Some("web") => start::web(behaviour),
        Some("worker") => start::worker(&behaviour),
        Some("release") => start::release(&behaviour),
        Some(other) => {
            println!("unknown process type {other:?}; known: web, worker, release");
            ExitCode::from(2)
        }
    }
}
