use std::{net::SocketAddr, time::Duration};

use paas_program::{Program, Stream};

use crate::{HOST, error::BenchError};

/// Requests over HTTP/2 and TLS, 64 connections with 16 streams each. Gives how many there were and how long they took.
pub(crate) async fn http2(address: SocketAddr, requests: u64) -> Result<(u64, Duration), BenchError> {
    let program = Program::new("h2load")
        .arg("-c64")
        .arg("-m16")
        .arg("-t1")
        .option("--requests=", requests.to_string())
        .option("--connect-to=", address.to_string())
        .value(format!("https://{HOST}:{}/", address.port()));
    let output = output(program).await?;
    let failed = || BenchError::Requests { program: "h2load", output: output.clone() };
    let good = output.contains(&format!(" {requests} succeeded, 0 failed, 0 errored"))
        && output.contains(&format!("{requests} 2xx"));
    let time = between(&output, "finished in ", ",").and_then(duration);
    time.filter(|_| good).map(|time| (requests, time)).ok_or_else(failed)
}

/// What wrk asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    Small,
    /// On a connection of its own.
    Once,
    /// An answer of 1 MiB.
    Down,
    /// A request of 1 MiB.
    Up,
}

/// What wrk saw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wrk {
    pub(crate) count: u64,
    pub(crate) wall: Duration,
    pub(crate) p99: Duration,
}

const UPLOAD: &str = "wrk.method = 'POST'\nwrk.body = string.rep('x', 1048576)\n";

/// Requests over HTTP/1.1 on 64 connections.
pub(crate) async fn http1(
    address: SocketAddr,
    host: &str,
    ask: Ask,
    time: Duration,
) -> Result<Wrk, BenchError> {
    let mut program = Program::new("wrk")
        .arg("-c64")
        .arg("-t1")
        .arg("--latency")
        .arg("-d")
        .value(format!("{}s", time.as_secs()))
        .arg("-H")
        .value(format!("Host: {host}"));
    let script =
        tempfile::NamedTempFile::new().map_err(|error| BenchError::File("a script".into(), error))?;
    match ask {
        Ask::Small | Ask::Down => {}
        Ask::Once => program = program.arg("-H").arg("Connection: close"),
        Ask::Up => {
            std::fs::write(&script, UPLOAD)
                .map_err(|error| BenchError::File(script.path().to_owned(), error))?;
            program = program.arg("-s").value(script.path());
        }
    }
    let path = match ask {
        Ask::Small | Ask::Once => "",
        Ask::Down => "mebibyte",
        Ask::Up => "upload",
    };
    let output = output(program.value(format!("http://{address}/{path}"))).await?;
    let failed = || BenchError::Requests { program: "wrk", output: output.clone() };
    let good = !output.contains("Non-2xx") && !output.contains("Socket errors");
    let line = output.lines().find_map(|line| line.trim().split_once(" requests in ")).filter(|_| good);
    let p99 = output.lines().find_map(|line| line.trim().strip_prefix("99%")).and_then(duration);
    let read = line.zip(p99).and_then(|((count, rest), p99)| {
        let wall = rest.split(',').next().and_then(duration)?;
        Some(Wrk { count: count.trim().parse().ok()?, wall, p99 })
    });
    read.ok_or_else(failed)
}

async fn output(program: Program) -> Result<String, BenchError> {
    let output = program.stderr(Stream::Inherit).output().await?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

/// `2.31s`, `812.50ms`, as both programs print times.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.trim().split_at(text.trim().find(|c: char| c.is_ascii_alphabetic())?);
    let number: f64 = number.parse().ok()?;
    let seconds = match unit {
        "us" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        "m" => number * 60.0,
        _ => return None,
    };
    Some(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_unit() {
        assert_eq!(duration("2.5s"), Some(Duration::from_millis(2500)));
        assert_eq!(duration(" 812.50ms"), Some(Duration::from_micros(812_500)));
        assert_eq!(duration("90"), None);
        assert_eq!(duration("1h"), None);
    }
}
