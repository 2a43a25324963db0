//! What each process type does from start to end.

use std::fs::File;
use std::net::TcpListener;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use crate::behaviour::Behaviour;
use crate::{files, server, told};

const DEFAULT_PORT: u16 = 3000;
/// The exit code of a process that finds its lock taken.
const LOCKED: u8 = 9;
const A_LONG_TIME: Duration = Duration::from_hours(24);

/// The web process.
pub(crate) fn web(behaviour: Behaviour) -> ExitCode {
    announce(&behaviour, "web");
    if let Some(code) = behaviour.code("exit_at_once") {
        return ExitCode::from(code);
    }
    let _lock = match lock(&behaviour, "") {
        Ok(lock) => lock,
        Err(code) => return code,
    };
    thread::sleep(behaviour.millis("start_delay_ms"));
    if let Some(file) = behaviour.text("listen_when") {
        told::wait_for(&file);
    }
    if behaviour.is_on("never_listen") {
        println!("busy with something else than listening");
        wait_for_ever();
    }
    let address = behaviour.text("listen_on").unwrap_or_else(|| "0.0.0.0".to_owned());
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(DEFAULT_PORT);
    match TcpListener::bind((address.as_str(), port)) {
        Ok(listener) => {
            println!("listening on {address}:{port}");
            server::run(listener, behaviour)
        }
        Err(error) => {
            println!("cannot listen on {address}:{port}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A process type that receives no request.
pub(crate) fn worker(behaviour: &Behaviour) -> ExitCode {
    announce(behaviour, "worker");
    // The web process has the lock of its version; a worker has another, beside it.
    let _lock = match lock(behaviour, "-worker") {
        Ok(lock) => lock,
        Err(code) => return code,
    };
    if let Some(code) = behaviour.code("worker_exit") {
        thread::sleep(behaviour.millis("worker_delay_ms"));
        println!("worker: giving up with {code}");
        return ExitCode::from(code);
    }
    wait_for_ever();
}

/// The release command: it leaves a trace in the volume, so that a test can count how often it ran.
pub(crate) fn release(behaviour: &Behaviour) -> ExitCode {
    let version = behaviour.text("version").unwrap_or_default();
    // It must be alone: neither process of another version may be there.
    let _locks = match (lock(behaviour, ""), lock(behaviour, "-worker")) {
        (Ok(web), Ok(worker)) => (web, worker),
        (Err(code), _) | (_, Err(code)) => return code,
    };
    println!("release command of version {version}");
    if let Err(error) = files::append("releases", &format!("{version}\n")) {
        println!("cannot write the trace: {error}");
        return ExitCode::FAILURE;
    }
    thread::sleep(behaviour.millis("release_ms"));
    behaviour.code("release_exit").map_or(ExitCode::SUCCESS, ExitCode::from)
}

/// The lock of a process type, when the app is to have one.
fn lock(behaviour: &Behaviour, suffix: &str) -> Result<Option<File>, ExitCode> {
    let Some(name) = behaviour.text("lock") else { return Ok(None) };
    files::lock(&format!("{name}{suffix}")).map(Some).map_err(|error| {
        println!("another version is alive: {error}");
        ExitCode::from(LOCKED)
    })
}

fn announce(behaviour: &Behaviour, process: &str) {
    println!("test app {process}, version {}", behaviour.text("version").unwrap_or_default());
    for line in behaviour.text("start_lines").unwrap_or_default().split('|').filter(|line| !line.is_empty()) {
        println!("{line}");
    }
    if let Some(name) = behaviour.text("print_secret") {
        println!("the secret {name} is {}", std::env::var(&name).unwrap_or_default());
    }
}

fn wait_for_ever() -> ! {
    loop {
        thread::sleep(A_LONG_TIME);
    }
}
