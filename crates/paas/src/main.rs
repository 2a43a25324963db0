//! The `paas` binary: the server's two processes, what sshd and git start, and the command line.

mod cli;
mod commands;
mod config;
mod context;
mod dotenv;
mod error;
mod output;
mod password_prompt;
mod server;

use std::{env, process::ExitCode};

use error::CliError;

/// The proxy allocates some dozens of times for each request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // git starts the hooks by links to this binary: the name says which.
    let hook = env::args_os().next().and_then(paas_git::hook_name);
    let result = match hook {
        Some(hook) => server::hook::run(hook),
        None => cli::run(&env::args_os().collect::<Vec<_>>()),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            error.print();
            error.exit_code()
        }
    }
}

/// The runtime of everything but the two servers: one thread is enough to wait for an answer.
fn small_runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| CliError::ours(&error))
}
