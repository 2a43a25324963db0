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

/// Requests over HTTP/1.1 on 64 connections that are kept. Gives how many there were and how long they took.
pub(crate) async fn http1(address: SocketAddr, time: Duration) -> Result<(u64, Duration), BenchError> {
    let program = Program::new("wrk")
        .arg("-c64")
        .arg("-t1")
        .arg("-d")
        .value(format!("{}s", time.as_secs()))
        .arg("-H")
        .value(format!("Host: {HOST}"))
        .value(format!("http://{address}/"));
    let output = output(program).await?;
    let failed = || BenchError::Requests { program: "wrk", output: output.clone() };
    let good = !output.contains("Non-2xx") && !output.contains("Socket errors");
    let line = output.lines().find_map(|line| line.trim().split_once(" requests in ")).filter(|_| good);
    let read = line.and_then(|(count, rest)| {
        let time = rest.split(',').next().and_then(duration)?;
        count.trim().parse().ok().map(|count| (count, time))
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
