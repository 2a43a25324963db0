//! What certificates, foreign names and bodies cost in memory, as the kernel counts it. Each test must have a process of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub)]

mod bodies;
#[path = "../proxy/support/mod.rs"]
#[allow(dead_code, unused_imports)]
mod support;

use std::{fs, path::Path, sync::Arc};

use rustls::{ClientConfig, client::Resumption};

use support::{Certified, Client, TestProxy, limits};

const HOSTS: usize = 10_000;

/// Bytes of memory this process occupies.
fn resident() -> usize {
    memory("VmRSS:")
}

/// A line of what the kernel says of this process (proc(5)), in bytes.
fn memory(line: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|found| found.strip_prefix(line)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// Files as the proxy writes them, all of one certificate: each is read into memory of its own.
fn fill(directory: &Path, certified: &Certified) {
    fs::create_dir_all(directory).unwrap();
    for n in 0..HOSTS {
        let host = format!("host-{n}.example.test");
        let saved = serde_json::json!({
            "format": 1, "host": host, "trusted": true,
            "chain": certified.spec.chain, "key": certified.spec.key.expose(),
        });
        fs::write(directory.join(format!("{host}.json")), saved.to_string()).unwrap();
    }
}

#[tokio::test]
async fn a_hostname_costs_at_most_four_kib_beyond_its_chain() {
    let mut certified = Certified::new("host.example.test");
    let intermediate = Certified::new("an authority of the usual size");
    certified.spec.chain += &intermediate.spec.chain;
    let chain = certified.leaf.len() + intermediate.leaf.len();
    let proxy = TestProxy::start().await;
    let directory = proxy.stop().await;
    fill(&directory.path().join("certs"), &certified);
    let before = resident();
    let proxy = TestProxy::start_in(directory, limits()).await.unwrap();
    let each = (resident() - before) / HOSTS;
    println!("{each} bytes for each hostname, {chain} of them its chain");
    assert!(Client::new(&[]).leaf(proxy.https, "host-9999.example.test").await == certified.leaf);
    assert!(each > chain, "the certificates are not in memory");
    assert!(each <= chain + 4096, "{each} bytes for each hostname, {chain} of them its chain");
}

#[tokio::test]
async fn foreign_names_leave_nothing_behind() {
    let rounds = if std::env::var("PAAS_TEST_ALL").is_ok_and(|value| value == "1") { 10_000 } else { 1_000 };
    let proxy = TestProxy::start().await;
    let mut config = ClientConfig::clone(&Client::new(&["http/1.1"]).0);
    config.resumption = Resumption::disabled();
    let client = Client(Arc::new(config));
    let unknown = client.leaf(proxy.https, "foreign.test").await;
    let shake = async |n: usize| {
        assert!(client.leaf(proxy.https, &format!("foreign-{n}.test")).await == unknown);
    };
    for n in 0..200 {
        shake(n).await;
    }
    let before = resident();
    for n in 0..rounds {
        shake(n).await;
    }
    let grown = resident().saturating_sub(before);
    println!("{grown} bytes more after {rounds} handshakes");
    assert!(grown < 2 * 1024 * 1024, "{grown} bytes more after {rounds} handshakes");
    assert_eq!(proxy.client.certificates().await.unwrap(), []);
}
