use paas_acme::{
    AcmeErrorKind, AcmeSettings, Authority, CertificateFacts, ChallengeKind, DnsHook, ExternalAccount,
    check_pair,
};
use paas_acme_testkit::{Pebble, PebbleOptions};
use paas_domain::Secret;
use time::OffsetDateTime;

use crate::dns_hook::hook_script;
use crate::support::{Customer, HTTP, authority, host, with_pebble};

#[tokio::test]
async fn a_certificate_is_had_by_http() {
    let Some((pebble, customer)) = with_pebble().await else { return };
    let order = customer.order("www.example.org").await.unwrap();
    let chain = customer.complete(&order, "www.example.org", HTTP, &pebble.responder).await.unwrap();
    let facts = check_pair(&chain, &customer.key, OffsetDateTime::now_utc()).unwrap();
    assert_eq!(facts.names, ["www.example.org"]);
    assert!(facts.issuer.starts_with("Pebble Intermediate CA"), "{}", facts.issuer);
    assert_eq!((pebble.responder.presented(), pebble.responder.shown()), (1, 0));
}

#[tokio::test]
async fn a_certificate_is_had_by_tls() {
    let Some((pebble, customer)) = with_pebble().await else { return };
    let kinds = [ChallengeKind::TlsAlpn01];
    let facts = customer.obtain("www.example.org", &kinds, &pebble.responder).await.unwrap();
    assert!(facts.covers(&host("www.example.org")));
    assert_eq!(pebble.responder.presented(), 1);
    assert_eq!(pebble.responder.shown(), 0);
}

#[tokio::test]
async fn a_wildcard_is_had_by_a_dns_hook() {
    let Some((pebble, customer)) = with_pebble().await else { return };
    let records = tempfile::tempdir().unwrap();
    pebble.dns.txt_from(records.path());
    let hook = DnsHook::new(hook_script(&records)).with_resolver(Some(pebble.dns.address()));
    let facts = customer.obtain("*.example.org", &[ChallengeKind::Dns01], &hook).await.unwrap();
    assert_eq!(facts.names, ["*.example.org"]);
    let left = std::fs::read_to_string(records.path().join("_acme-challenge.example.org")).unwrap();
    assert_eq!(left, "", "the record was not removed");
}

#[tokio::test]
async fn a_wildcard_cannot_be_had_by_http() {
    let Some((pebble, customer)) = with_pebble().await else { return };
    let error = customer.obtain("*.example.org", HTTP, &pebble.responder).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Solver);
    let sentence = error.to_string();
    assert!(
        sentence.ends_with("offers dns-01 to check *.example.org, and this server can use http-01"),
        "{sentence}"
    );
}

#[tokio::test]
async fn an_external_account_is_bound() {
    let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let options =
        PebbleOptions { external_account: Some(("kid-1".into(), key.into())), ..PebbleOptions::default() };
    let Some(pebble) = Pebble::start_with(options).await else { return };
    pebble.dns.point("www.example.org", pebble.address());
    let error = authority(pebble.settings()).register().await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Account);
    assert!(error.to_string().contains("needs an account made on its site"), "{error}");

    let external = ExternalAccount { key_id: "kid-1".into(), hmac_key: Secret::new(key) };
    let settings = AcmeSettings { external_account: Some(external), ..pebble.settings() };
    let customer = Customer::of(settings).await;
    customer.obtain("www.example.org", HTTP, &pebble.responder).await.unwrap();
}

#[tokio::test]
async fn refused_nonces_and_fresh_authorizations_change_nothing() {
    let options = PebbleOptions { nonce_reject: 50, authz_reuse: 0, ..PebbleOptions::default() };
    let Some(pebble) = Pebble::start_with(options).await else { return };
    pebble.dns.point("www.example.org", pebble.address());
    let customer = Customer::of(pebble.settings()).await;
    for presented in 1..=3 {
        customer.obtain("www.example.org", HTTP, &pebble.responder).await.unwrap();
        assert_eq!(pebble.responder.presented(), presented);
    }
}

#[tokio::test]
async fn an_authorization_that_is_valid_is_not_proved_again() {
    let options = PebbleOptions { nonce_reject: 50, authz_reuse: 100, ..PebbleOptions::default() };
    let Some(pebble) = Pebble::start_with(options).await else { return };
    pebble.dns.point("www.example.org", pebble.address());
    let customer = Customer::of(pebble.settings()).await;
    for _ in 0..3 {
        customer.obtain("www.example.org", HTTP, &pebble.responder).await.unwrap();
    }
    assert_eq!((pebble.responder.presented(), pebble.responder.shown()), (1, 0));
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_explained() {
    let Some((pebble, customer)) = with_pebble().await else { return };
    let error = customer.obtain("nowhere.example.org", HTTP, &pebble.responder).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Validation);
    let sentence = error.to_string();
    // Pebble, unlike public authorities, has no problem type of its own for this.
    assert!(sentence.contains("could not connect to nowhere.example.org on port 80: "), "{sentence}");
    assert!(!sentence.contains('\n') && !sentence.contains("urn:"), "{sentence}");
    assert_eq!(pebble.responder.shown(), 0);
}

#[tokio::test]
async fn an_answer_of_somebody_else_is_explained() {
    let Some((pebble, customer)) = with_pebble().await else { return };
    let error = customer.obtain("www.example.org", HTTP, &Forgetful).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Validation);
    let sentence = error.to_string();
    assert!(
        sentence.contains("got an answer that is not this server's from www.example.org: "),
        "{sentence}"
    );
    assert_eq!(pebble.responder.presented(), 0);
}

/// Says that it presents, and does nothing.
struct Forgetful;

#[async_trait::async_trait]
impl paas_acme::Solver for Forgetful {
    async fn present(&self, _challenge: &paas_acme::Challenge) -> Result<(), paas_acme::SolveError> {
        Ok(())
    }

    async fn remove(&self, _challenge: &paas_acme::Challenge) {}
}

#[tokio::test]
async fn a_name_that_is_not_signed_is_explained() {
    let options = PebbleOptions { blocked: vec!["blocked.example.org".into()], ..PebbleOptions::default() };
    let Some(pebble) = Pebble::start_with(options).await else { return };
    let customer = Customer::of(pebble.settings()).await;
    let error = customer.order("blocked.example.org").await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Refused);
    assert!(error.to_string().contains("does not sign certificates for blocked.example.org: "), "{error}");
}

#[tokio::test]
async fn an_account_of_elsewhere_is_refused_without_a_request() {
    let Some((mut pebble, customer)) = with_pebble().await else { return };
    pebble.stop().await;
    let settings = AcmeSettings { directory: "https://ca.example/dir".into(), ..pebble.settings() };
    let other = authority(settings);
    let error = other.new_order(&customer.account, &host("www.example.org"), None).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::AccountGone);
    let damaged = Secret::new("{}x");
    let error = other.new_order(&damaged, &host("www.example.org"), None).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::AccountGone);
}

#[tokio::test]
async fn an_account_that_is_gone_is_told_from_an_order_that_is() {
    let Some((pebble, customer)) = with_pebble().await else { return };
    let order = customer.order("www.example.org").await.unwrap();
    let gone = format!("{order}-gone");
    let error = customer.complete(&gone, "www.example.org", HTTP, &pebble.responder).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::OrderGone, "{error}");

    let credentials: serde_json::Value = serde_json::from_str(customer.account.expose()).unwrap();
    let id = credentials["id"].as_str().unwrap();
    let unknown = Secret::new(customer.account.expose().replace(id, &format!("{id}0")));
    let error = customer.authority.new_order(&unknown, &host("www.example.org"), None).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::AccountGone, "{error}");
    let error = customer
        .authority
        .complete(&unknown, &order, &host("www.example.org"), &customer.key, HTTP, &pebble.responder)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::AccountGone, "{error}");
}

#[tokio::test]
async fn an_authority_with_another_root_is_not_talked_to() {
    let Some(pebble) = Pebble::start().await else { return };
    let root = Some(paas_acme_testkit::TestRoot::new().pem());
    let error = authority(AcmeSettings { root, ..pebble.settings() }).register().await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Unreachable);
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
}

#[tokio::test]
async fn what_a_public_authority_signs_is_read() {
    let Some((pebble, customer)) = with_pebble().await else { return };
    let order = customer.order("www.example.org").await.unwrap();
    let chain = customer.complete(&order, "www.example.org", HTTP, &pebble.responder).await.unwrap();
    let facts = CertificateFacts::read(&chain).unwrap();
    assert!(facts.not_before < facts.not_after);
    assert!(chain.matches("BEGIN CERTIFICATE").count() >= 2, "the chain has the intermediate");
}
