//! An order is taken up by its URL, whatever state a crash left it in.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use paas_acme::{
    AcmeAuthority, AcmeErrorKind, Authority, Challenge, ChallengeKind, Patience, SolveError, Solver,
    generate_key,
};
use paas_acme_testkit::{Fault, Pebble, Responder, Step};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::{Customer, HTTP, host, with_shim};

const NAME: &str = "www.example.org";

/// As after a crash: what was presented is still there.
#[tokio::test]
async fn an_order_is_taken_up_after_its_challenge_was_posted() {
    let Some((pebble, shim, customer)) = with_shim().await else { return };
    let order = customer.order(NAME).await.unwrap();
    shim.fail(Step::Challenge, Fault::CutAfter);
    let error = customer.complete(&order, NAME, HTTP, &Keeping(&pebble.responder)).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Unreachable, "{error}");
    assert_eq!(pebble.responder.shown(), 1);
    customer.complete(&order, NAME, HTTP, &Keeping(&pebble.responder)).await.unwrap();
    assert_eq!((pebble.responder.shown(), shim.orders()), (1, 1));
}

/// The authority is told once, however often we begin: the way it tries is shown, though we would prefer another, and not posted.
#[tokio::test]
async fn a_challenge_that_is_looked_at_already_is_not_posted_again() {
    let Some((_pebble, shim, customer)) = with_shim().await else { return };
    let order = customer.order(NAME).await.unwrap();
    let looking =
        json!({ "type": "http-01", "url": "https://ca.example/1", "token": "t", "status": "processing" });
    let other =
        json!({ "type": "tls-alpn-01", "url": "https://ca.example/2", "token": "t", "status": "pending" });
    shim.fail(Step::Authorization, Fault::json(&pending(&[&other, &looking])));
    let patience = Patience { whole: Duration::from_secs(3), ..crate::support::PATIENCE };
    let hasty = AcmeAuthority::with_patience(shim.settings(), patience).unwrap();
    let recorder = Recorder::default();
    let kinds = [ChallengeKind::TlsAlpn01, ChallengeKind::Http01];
    let ended =
        hasty.complete(&customer.account, &order, &host(NAME), &customer.key, &kinds, &recorder).await;
    assert_eq!(ended.unwrap_err().kind(), AcmeErrorKind::Busy);
    assert_eq!(*recorder.0.lock().unwrap(), [ChallengeKind::Http01]);
    assert_eq!(shim.requests(Step::Challenge), 0);
}

#[derive(Default)]
struct Recorder(Mutex<Vec<ChallengeKind>>);

#[async_trait]
impl Solver for Recorder {
    async fn present(&self, challenge: &Challenge) -> Result<(), SolveError> {
        self.0.lock().unwrap().push(challenge.proof.kind());
        Ok(())
    }

    async fn remove(&self, _challenge: &Challenge) {}
}

fn pending(challenges: &[&Value]) -> Value {
    json!({ "status": "pending", "identifier": { "type": "dns", "value": NAME }, "challenges": challenges })
}

#[tokio::test]
async fn looks_are_as_far_apart_as_the_authority_asks() {
    let Some((pebble, shim, customer)) = with_shim().await else { return };
    let order = customer.order(NAME).await.unwrap();
    let looking =
        json!({ "type": "http-01", "url": "https://ca.example/1", "token": "t", "status": "processing" });
    shim.fail_times(100, Step::Authorization, &Fault::json(&pending(&[&looking])).after("4"));
    let patience = Patience { whole: Duration::from_secs(6), ..crate::support::PATIENCE };
    let hasty = AcmeAuthority::with_patience(shim.settings(), patience).unwrap();
    let ended =
        hasty.complete(&customer.account, &order, &host(NAME), &customer.key, HTTP, &pebble.responder).await;
    let error = ended.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (AcmeErrorKind::Busy, Some(Duration::from_secs(4))));
    // At the beginning and after four seconds; the next would be too late.
    assert!(shim.requests(Step::Authorization) <= 2, "{}", shim.requests(Step::Authorization));
}

struct Keeping<'a>(&'a Responder);

#[async_trait]
impl Solver for Keeping<'_> {
    async fn present(&self, challenge: &Challenge) -> Result<(), SolveError> {
        self.0.present(challenge).await
    }

    async fn remove(&self, _challenge: &Challenge) {}
}

#[tokio::test]
async fn an_order_is_taken_up_when_it_is_ready() {
    let Some((pebble, shim, customer)) = with_shim().await else { return };
    let order = customer.order(NAME).await.unwrap();
    shim.fail(Step::Finalize, Fault::CutBefore);
    let error = customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Unreachable, "{error}");
    customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap();
    assert_eq!((pebble.responder.presented(), shim.orders(), shim.requests(Step::Finalize)), (1, 1, 2));
}

#[tokio::test]
async fn an_order_is_taken_up_after_its_signing_request() {
    let Some((pebble, shim, customer)) = with_shim().await else { return };
    let order = customer.order(NAME).await.unwrap();
    shim.fail(Step::Finalize, Fault::CutAfter);
    let error = customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Unreachable, "{error}");
    customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap();
    assert_eq!((pebble.responder.presented(), shim.orders(), shim.requests(Step::Finalize)), (1, 1, 1));
}

#[tokio::test]
async fn an_order_is_taken_up_when_only_the_download_is_left() {
    let Some((pebble, shim, customer)) = with_shim().await else { return };
    let order = customer.order(NAME).await.unwrap();
    shim.fail(Step::Certificate, Fault::HalfBody);
    let error = customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Unreachable, "{error}");
    let chain = customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap();
    assert_eq!(chain, customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap());
    assert_eq!((shim.orders(), shim.requests(Step::Finalize)), (1, 1));
}

#[tokio::test]
async fn an_order_finished_with_another_key_leads_nowhere() {
    let Some((pebble, _shim, customer)) = with_shim().await else { return };
    let order = customer.order(NAME).await.unwrap();
    customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap();
    let lost = Customer { key: generate_key().unwrap(), ..customer };
    let error = lost.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::OrderGone, "{error}");
}

#[tokio::test]
async fn an_order_that_failed_leads_nowhere() {
    let Some((pebble, shim, customer)) = with_shim().await else { return };
    pebble.dns.forget(NAME);
    let order = customer.order(NAME).await.unwrap();
    let error = customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Validation, "{error}");
    let posts = shim.requests(Step::Challenge);
    let error = customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::OrderGone, "{error}");
    assert_eq!(shim.requests(Step::Challenge), posts);
}

/// The challenge is presented, and then the one who waits is gone.
#[tokio::test]
async fn what_was_presented_is_removed_when_nobody_waits_any_more() {
    let Some((pebble, shim, customer)) = with_shim().await else { return };
    let order = customer.order(NAME).await.unwrap();
    let pebble = Arc::new(pebble);
    let stuck = Stuck { pebble: Arc::clone(&pebble), presented: Notify::new() };
    tokio::select! {
        ended = customer.complete(&order, NAME, HTTP, &stuck) => panic!("{ended:?}"),
        () = stuck.presented.notified() => {}
    }
    assert_eq!((pebble.responder.presented(), pebble.responder.shown()), (1, 0));
    customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap();
    assert_eq!(shim.orders(), 1);
}

struct Stuck {
    pebble: Arc<Pebble>,
    presented: Notify,
}

#[async_trait]
impl Solver for Stuck {
    async fn present(&self, challenge: &Challenge) -> Result<(), SolveError> {
        self.pebble.responder.present(challenge).await?;
        self.presented.notify_one();
        std::future::pending().await
    }

    async fn remove(&self, challenge: &Challenge) {
        self.pebble.responder.remove(challenge).await;
    }
}

#[tokio::test]
async fn an_order_that_takes_too_long_is_left_for_later() {
    let Some((pebble, shim, customer)) = with_shim().await else { return };
    let order = customer.order(NAME).await.unwrap();
    let patience = Patience { whole: Duration::from_secs(3), ..crate::support::PATIENCE };
    let hasty = AcmeAuthority::with_patience(shim.settings(), patience).unwrap();
    let pebble = Arc::new(pebble);
    let stuck = Stuck { pebble: Arc::clone(&pebble), presented: Notify::new() };
    let ended = hasty.complete(&customer.account, &order, &host(NAME), &customer.key, HTTP, &stuck).await;
    let error = ended.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Busy, "{error}");
    assert!(
        error
            .to_string()
            .ends_with("has not finished the order for www.example.org in time; it is taken up again later"),
        "{error}"
    );
    assert_eq!((pebble.responder.presented(), pebble.responder.shown()), (1, 0));
    customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap();
}
