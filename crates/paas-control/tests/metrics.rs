//! What Prometheus is shown.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use paas_control::{serve_metrics, wire::ErrorKind};
use paas_proxy::{
    CertificateEnd, ListenerMetrics, ListenerProtocol, ProxyMetrics, RequestMetrics, UpstreamMetrics,
};
use paas_store::Access;
use support::*;
use time::OffsetDateTime;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// The samples of an exposition by their name and labels; panics at anything that Prometheus would not take (text format 0.0.4).
fn samples(text: &str) -> BTreeMap<String, f64> {
    let name = |name: &str| {
        let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        assert!(name.bytes().next().is_some_and(letter), "{name}");
        assert!(name.bytes().all(|byte| letter(byte) || byte.is_ascii_digit()), "{name}");
        name.to_owned()
    };
    let (mut samples, mut families) = (BTreeMap::new(), BTreeMap::new());
    let (mut helped, mut current) = (BTreeSet::new(), String::new());
    assert!(text.ends_with('\n') && !text.contains("\n\n"));
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (family, sentence) = help.split_once(' ').unwrap();
            assert!(helped.insert(name(family)) && !sentence.is_empty(), "{line}");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (family, kind) = kind.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(helped.contains(family), "{line}");
            assert!(families.insert(name(family), kind.to_owned()).is_none(), "{line}");
            family.clone_into(&mut current);
        } else {
            assert!(!line.starts_with('#'), "{line}");
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (metric, labels) = match series.split_once('{') {
                Some((metric, labels)) => (metric, labels.strip_suffix('}').unwrap()),
                None => (series, ""),
            };
            for label in labels.split_terminator(',') {
                let (label, value) = label.split_once('=').unwrap();
                name(label);
                let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap();
                assert!(!value.contains(['"', '\\']), "{line}");
            }
            let suffixes: &[&str] = match families[&current].as_str() {
                "histogram" => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            assert!(suffixes.iter().any(|suffix| name(metric) == format!("{current}{suffix}")), "{line}");
            assert_eq!(families[&current] == "counter", metric.ends_with("_total"), "{line}");
            assert!(samples.insert(series.to_owned(), value.parse().unwrap()).is_none(), "{line}");
        }
    }
    samples
}

fn counted(services: &[(&str, RequestMetrics)]) -> ProxyMetrics {
    ProxyMetrics {
        started_at: OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap(),
        generation: 7,
        services: services.iter().map(|(service, read)| ((*service).to_owned(), read.clone())).collect(),
        unknown: RequestMetrics { ended: [0, 0, 0, 9, 0], ..RequestMetrics::default() },
        listeners: vec![ListenerMetrics {
            address: "[::]:443".parse().unwrap(),
            protocol: ListenerProtocol::Https,
            open: 2,
            accepted: 3,
            refused: 0,
        }],
        handshakes_failed: 4,
        upstream: UpstreamMetrics { connects: 5, unreachable: 1, retries: 2 },
        certificates: vec![CertificateEnd {
            host: "blog.example.org".into(),
            not_after: OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap(),
        }],
        access_log_dropped: 6,
    }
}

#[tokio::test]
async fn apps_stand_under_their_names_and_everything_is_readable() {
    let world = World::new();
    let blog = world.deployed("blog");
    let read = RequestMetrics {
        ended: [1, 20, 3, 4, 5],
        durations: [10, 10, 5, 0, 0, 0, 0, 0, 0, 0, 0, 7],
        duration_sum_us: 1_500_000,
        in_flight: 2,
        bytes_in: 30,
        bytes_out: 40,
    };
    let service = paas_deploy::service_name(blog.id);
    world.proxy.set_metrics(counted(&[(&service, read), ("app-999", RequestMetrics::default())]));
    let server = Server::start_with(world);
    let samples = samples(&server.root().metrics().await.unwrap());
    for (series, value) in [
        (r#"paas_info{version="1.2.3"}"#, 1.0),
        ("paas_apps", 1.0),
        (r#"paas_deploys{state="done"}"#, 1.0),
        ("paas_proxy_up", 1.0),
        (r#"paas_requests_total{app="blog",code="2xx"}"#, 20.0),
        (r#"paas_requests_total{app="(unknown)",code="4xx"}"#, 9.0),
        (r#"paas_request_duration_seconds_bucket{app="blog",le="0.005"}"#, 10.0),
        (r#"paas_request_duration_seconds_bucket{app="blog",le="0.025"}"#, 25.0),
        (r#"paas_request_duration_seconds_bucket{app="blog",le="10"}"#, 25.0),
        (r#"paas_request_duration_seconds_bucket{app="blog",le="+Inf"}"#, 32.0),
        (r#"paas_request_duration_seconds_count{app="blog"}"#, 32.0),
        (r#"paas_request_duration_seconds_sum{app="blog"}"#, 1.5),
        (r#"paas_requests_in_flight{app="blog"}"#, 2.0),
        (r#"paas_request_bytes_total{app="blog"}"#, 30.0),
        (r#"paas_response_bytes_total{app="blog"}"#, 40.0),
        (r#"paas_proxy_connections_open{listener="[::]:443",protocol="https"}"#, 2.0),
        ("paas_proxy_config_generation", 7.0),
        ("paas_proxy_start_time_seconds", 1_700_000_000.0),
        ("paas_proxy_upstream_retries_total", 2.0),
        ("paas_proxy_access_log_dropped_lines_total", 6.0),
        (r#"paas_certificate_not_after_seconds{host="blog.example.org"}"#, 1_800_000_000.0),
    ] {
        assert_eq!(samples.get(series), Some(&value), "{series} in {samples:#?}");
    }
    assert!(!samples.keys().any(|series| series.contains("app-")), "{samples:#?}");
}

#[tokio::test]
async fn a_proxy_that_is_away_is_a_figure_and_no_failure() {
    let world = World::new();
    world.app("blog");
    world.proxy.set_away(true);
    let server = Server::start_with(world);
    let samples = samples(&server.root().metrics().await.unwrap());
    assert_eq!((samples["paas_proxy_up"], samples["paas_apps"]), (0.0, 1.0));
}

#[tokio::test]
async fn only_admins_see_what_all_apps_do() {
    let world = World::new();
    let blog = world.app("blog");
    let (admin, bound) = (world.key("ann", &Access::Admin), world.key("bob", &Access::Apps(vec![blog.name])));
    let server = Server::start_with(world);
    assert!(server.with_key(admin).metrics().await.is_ok());
    assert_eq!(refusal(server.with_key(bound).metrics().await).kind, ErrorKind::Refused);
}

#[tokio::test]
async fn an_address_of_its_own_answers_metrics_and_nothing_else() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let serving = tokio::spawn(serve_metrics(listener, world.state.clone(), stop.clone()));
    let ask = async |request: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        soon(stream.read_to_string(&mut text)).await.unwrap();
        text
    };
    let answer = ask("GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    samples(body);
    for request in ["GET /v1/apps", "POST /metrics", "GET /"] {
        let answer = ask(&format!("{request} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 404 ") || answer.starts_with("HTTP/1.1 405 "), "{answer}");
    }
    stop.cancel();
    soon(serving).await.unwrap();
}

#[tokio::test]
async fn a_reader_who_never_asks_holds_up_nobody() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let serving = tokio::spawn(serve_metrics(listener, world.state.clone(), stop.clone()));
    let mut silent = Vec::new();
    for begun in ["", "GET /met"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        silent.push(stream);
    }
    let mut asking = TcpStream::connect(address).await.unwrap();
    asking.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    soon(asking.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    stop.cancel();
    soon(serving).await.unwrap();
    for mut stream in silent {
        soon(stream.read_u8()).await.unwrap_err();
    }
}
