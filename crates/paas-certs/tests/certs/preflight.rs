//! What our own look finds keeps the authority from being asked.

use std::{net::SocketAddr, time::Duration};

use paas_acme::{Preflight, PreflightSettings};
use paas_certs::NameState;
use tokio::net::UdpSocket;

use crate::support::{World, days, hours};

/// A DNS server that knows no name.
async fn empty_dns() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 1500];
        loop {
            let (length, from) = socket.recv_from(&mut packet).await.unwrap();
            // The question as the answer: QR and RD set, RCODE 3 (RFC 1035 §4.1.1), no further records.
            packet[2] |= 0x80;
            packet[3] = (packet[3] & 0xf0) | 3;
            socket.send_to(&packet[..length], from).await.unwrap();
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_leads_elsewhere_for_two_days_costs_no_call() {
    let world = World::new(days(90)).await;
    let preflight = Preflight::new(PreflightSettings {
        resolver: Some(empty_dns().await),
        http_port: 80,
        https_port: 443,
        timeout: Duration::from_secs(5),
        caa_identities: Vec::new(),
        own_addresses: Vec::new(),
        private_allowed: true,
    })
    .unwrap();
    let life = world.life_with(Some(preflight));
    life.pass(&world, hours(48)).await;
    assert_eq!(world.authority.calls(), []);
    let status = life.status("apps.paas-tests.org");
    assert_eq!(status.state, NameState::Failing);
    let sentence = status.sentence.unwrap();
    assert!(sentence.contains("apps.paas-tests.org") && sentence.contains("DNS"), "{sentence}");
    assert!(!world.served("apps.paas-tests.org").await.unwrap().trusted);
    // When it is mended the certificate comes within the hour, without a person.
    drop(life);
    let mended = world.life();
    mended.pass(&world, hours(1)).await;
    assert_eq!((mended.status("apps.paas-tests.org").state, world.authority.orders()), (NameState::Valid, 1));
    world.end().await;
}
