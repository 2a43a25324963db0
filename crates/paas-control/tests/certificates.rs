//! Certificates and how they are shown.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod support;

use paas_control::wire::{
    AddCertificate, CertificateState, ErrorKind, RemoveCertificate, RenewCertificate, SettingsChange,
    TakesEffect,
};
use paas_domain::Secret;
use paas_store::Access;
use rcgen::{CertificateParams, KeyPair};
use support::*;

/// A certificate of its own with its key.
fn pem(names: &[&str]) -> AddCertificate {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_after = time::OffsetDateTime::now_utc() + time::Duration::days(90);
    AddCertificate { pem: Secret::new(params.self_signed(&key).unwrap().pem() + &key.serialize_pem()) }
}

#[tokio::test]
async fn an_apps_names_are_listed_with_their_certificates() {
    let world = World::new();
    let blog = world.deployed("blog");
    let shop = world.app("shop");
    let bound = world.key("bound", &Access::Apps(vec![shop.name.clone()]));
    let server = Server::start_with(world);
    let root = server.root();
    root.add_domain(&blog.name, &host("www.example.com")).await.unwrap();
    root.add_domain(&blog.name, &host("www.example.test")).await.unwrap();
    root.add_domain(&shop.name, &host("shop.example.com")).await.unwrap();
    let names = root.domains(&blog.name).await.unwrap();
    let seen: Vec<_> =
        names.iter().map(|name| (name.hostname.as_str(), name.own, name.certificate.state)).collect();
    assert_eq!(
        seen,
        [
            ("blog.example.org", true, CertificateState::Ordering),
            ("www.example.com", false, CertificateState::Ordering),
            ("www.example.test", false, CertificateState::Own),
        ]
    );
    assert!(names[2].certificate.sentence.as_ref().unwrap().contains("certs:ca"));
    let all = root.certificates().await.unwrap();
    assert_eq!(all.len(), 5, "with the server's own name");
    let hers = server.with_key(bound).certificates().await.unwrap();
    let hers: Vec<_> = hers.iter().map(|name| (name.hostname.as_str(), name.app.is_some())).collect();
    assert_eq!(hers, [("example.org", false), ("shop.example.com", true)], "no other app's names");
    let ca = root.root_certificate().await.unwrap().certificate;
    assert!(ca.starts_with("-----BEGIN CERTIFICATE-----") && !ca.contains("PRIVATE"));
    assert_eq!(root.root_certificate().await.unwrap().certificate, ca);
}

#[tokio::test]
async fn a_certificate_is_added_shown_and_removed() {
    let world = World::new();
    let blog = world.app("blog");
    let server = Server::start_with(world);
    let root = server.root();
    root.add_domain(&blog.name, &host("www.example.com")).await.unwrap();
    let other = refusal(root.add_certificate(&blog.name, &pem(&["www.example.net"])).await);
    assert!(other.kind == ErrorKind::Refused && other.message.contains("domains:add blog"), "{other:?}");
    let garbage =
        refusal(root.add_certificate(&blog.name, &AddCertificate { pem: Secret::new("hunter2") }).await);
    assert!(garbage.kind == ErrorKind::Refused && !garbage.message.contains("hunter2"), "{garbage:?}");
    let added = root.add_certificate(&blog.name, &pem(&["*.example.com"])).await.unwrap();
    assert_eq!(added.hostnames, [host("www.example.com")]);
    let names = root.domains(&blog.name).await.unwrap();
    let certificate = &names[0].certificate;
    assert_eq!((certificate.state, certificate.days_left), (CertificateState::Valid, Some(89)));
    assert_eq!(root.app(&blog.name).await.unwrap().urls[1], "https://www.example.com");
    let which = RemoveCertificate { hostname: Some(host("www.example.net")) };
    assert_eq!(refusal(root.remove_certificate(&blog.name, &which).await).kind, ErrorKind::NotFound);
    root.remove_certificate(&blog.name, &RemoveCertificate::default()).await.unwrap();
    assert_eq!(
        refusal(root.remove_certificate(&blog.name, &RemoveCertificate::default()).await).kind,
        ErrorKind::NotFound
    );
    let names = root.domains(&blog.name).await.unwrap();
    assert_eq!(names[0].certificate.state, CertificateState::Ordering);
    assert_eq!(root.app(&blog.name).await.unwrap().urls[1], "http://www.example.com");
}

#[tokio::test]
async fn a_renewal_is_for_names_that_an_authority_signs() {
    let world = World::new();
    let blog = world.app("blog");
    let server = Server::start_with(world);
    let root = server.root();
    root.add_domain(&blog.name, &host("www.example.test")).await.unwrap();
    let nothing = refusal(root.renew_certificate(&blog.name, &RenewCertificate::default()).await);
    assert!(nothing.kind == ErrorKind::Refused && nothing.hints[0].contains("domains"), "{nothing:?}");
    root.add_domain(&blog.name, &host("www.example.com")).await.unwrap();
    let renewed = root.renew_certificate(&blog.name, &RenewCertificate::default()).await.unwrap();
    assert_eq!(renewed.hostnames, [host("www.example.com")]);
    let other = RenewCertificate { hostname: Some(host("shop.example.com")), anew: true };
    assert_eq!(refusal(root.renew_certificate(&blog.name, &other).await).kind, ErrorKind::Refused);
}

#[tokio::test]
async fn how_visitors_come_takes_effect_at_once() {
    let world = World::new();
    let blog = world.deployed("blog");
    let proxy = world.proxy.clone();
    let server = Server::start_with(world);
    let set =
        |name: &str, value: &str| SettingsChange { set: [(name.to_owned(), Some(value.to_owned()))].into() };
    let root = server.root();
    let saved = root.change_settings(&blog.name, &set("hsts_days", "2")).await.unwrap();
    assert_eq!((saved.changed, saved.takes_effect), (true, TakesEffect::Now));
    root.change_settings(&blog.name, &set("https_redirect", "off")).await.unwrap();
    let policy = proxy.service(&format!("app-{}", blog.id)).unwrap().https;
    assert_eq!((policy.redirect, policy.hsts_seconds), (false, Some(172_800)));
    let bad = refusal(root.change_settings(&blog.name, &set("https_redirect", "perhaps")).await);
    assert_eq!(bad.kind, ErrorKind::Refused);
}
