//! What an authority does on a bad day, scripted by the shim.

use std::time::Duration;

use paas_acme::{AcmeErrorKind, Authority};
use paas_acme_testkit::{Fault, Step};
use serde_json::json;
use time::{Duration as Span, OffsetDateTime};

use crate::support::{HTTP, authority, with_shim};

const NAME: &str = "www.example.org";

#[tokio::test]
async fn a_limit_says_until_when() {
    let Some((_pebble, shim, customer)) = with_shim().await else { return };
    let detail =
        "too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s";
    shim.fail(Step::NewOrder, Fault::problem(429, "rateLimited", detail).after("3600"));
    let error = customer.order(NAME).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry_after()),
        (AcmeErrorKind::RateLimited, Some(Duration::from_hours(1)))
    );
    let sentence = error.to_string();
    assert!(sentence.contains("accepts no more requests for www.example.org until 20"), "{sentence}");
    assert!(sentence.contains(" UTC: too many certificates (5)"), "{sentence}");
    assert_eq!(shim.orders(), 0);
}

#[tokio::test]
async fn a_limit_may_say_so_in_its_text_alone() {
    let Some((_pebble, shim, customer)) = with_shim().await else { return };
    let until = OffsetDateTime::now_utc() + Span::hours(34);
    let (date, time) = (until.date(), until.time().replace_nanosecond(0).unwrap());
    let detail = format!(
        "too many failed authorizations (5), retry after {date} {:02}:{:02}:{:02} UTC: see https://ca.example/limits",
        time.hour(),
        time.minute(),
        time.second()
    );
    shim.fail(Step::NewOrder, Fault::problem(429, "rateLimited", &detail));
    let error = customer.order(NAME).await.unwrap_err();
    let wait = error.retry_after().unwrap();
    assert!(wait <= Duration::from_hours(34) && wait > Duration::from_hours(33), "{wait:?}");
}

#[tokio::test]
async fn a_busy_authority_is_left_alone_as_long_as_it_asks() {
    let Some((_pebble, shim, customer)) = with_shim().await else { return };
    shim.fail(Step::NewOrder, Fault::page(503).after("120"));
    let error = customer.order(NAME).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (AcmeErrorKind::Busy, Some(Duration::from_mins(2))));
    assert!(
        error
            .to_string()
            .contains("cannot serve requests at the moment (HTTP 503) and asks to wait until 20"),
        "{error}"
    );

    // An HTTP-date, on the first request of all.
    let until = OffsetDateTime::now_utc() + Span::minutes(10);
    shim.fail(Step::Directory, Fault::page(503).after(&http_date(until)));
    let error = customer.order(NAME).await.unwrap_err();
    let wait = error.retry_after().unwrap();
    assert_eq!(error.kind(), AcmeErrorKind::Busy);
    assert!(wait <= Duration::from_mins(10) && wait > Duration::from_mins(9), "{wait:?}");

    shim.fail(Step::NewNonce, Fault::page(500));
    let error = customer.order(NAME).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (AcmeErrorKind::Busy, None));
    assert_eq!(shim.orders(), 0);
    assert!(!shim.has_faults());
}

fn http_date(at: OffsetDateTime) -> String {
    let (weekday, month) = (at.weekday().to_string(), at.month().to_string());
    format!(
        "{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
        &weekday[..3],
        at.day(),
        &month[..3],
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

#[tokio::test]
async fn a_refused_nonce_is_replaced_and_the_order_made_once() {
    let Some((_pebble, shim, customer)) = with_shim().await else { return };
    shim.fail_times(11, Step::NewOrder, &Fault::BadNonce);
    customer.order(NAME).await.unwrap();
    assert_eq!((shim.orders(), shim.requests(Step::NewOrder)), (1, 12));
}

#[tokio::test]
async fn nonces_that_are_always_refused_come_to_an_end() {
    let Some((_pebble, shim, customer)) = with_shim().await else { return };
    shim.fail_times(100, Step::NewOrder, &Fault::BadNonce);
    let error = customer.order(NAME).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Protocol, "{error}");
    assert_eq!((shim.orders(), shim.requests(Step::NewOrder)), (0, 60));
}

#[tokio::test]
async fn a_connection_that_breaks_is_told_from_one_that_never_was() {
    let Some((mut pebble, shim, customer)) = with_shim().await else { return };
    for fault in [Fault::CutBefore, Fault::HalfBody] {
        shim.fail(Step::NewOrder, fault);
        let error = customer.order(NAME).await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (AcmeErrorKind::Unreachable, None));
        assert!(error.to_string().ends_with("broke in the middle of a request"), "{error}");
    }
    // The half that came back was of an order that exists; nothing was repeated by itself.
    assert_eq!((shim.orders(), shim.requests(Step::NewOrder)), (1, 2));
    pebble.stop().await;
    let direct = authority(pebble.settings());
    let error = direct.register().await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Unreachable);
    let sentence = error.to_string();
    assert!(sentence.starts_with("this server cannot connect to the authority at 127."), "{sentence}");
    assert!(sentence.ends_with(": Connection refused (os error 111)"), "{sentence}");
}

/// To give up would take the proof away while the authority looks at it.
#[tokio::test]
async fn a_look_that_is_lost_is_repeated() {
    let Some((pebble, shim, customer)) = with_shim().await else { return };
    let order = customer.order(NAME).await.unwrap();
    shim.fail(Step::Authorization, Fault::CutBefore);
    shim.fail(Step::Authorization, Fault::page(503).after("0"));
    shim.fail(Step::Authorization, Fault::HalfBody);
    customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap();
    assert_eq!((shim.orders(), shim.requests(Step::Challenge)), (1, 1));
    assert!(!shim.has_faults());
}

#[tokio::test]
async fn a_wait_that_does_not_fit_is_handed_on() {
    let Some((pebble, shim, customer)) = with_shim().await else { return };
    let order = customer.order(NAME).await.unwrap();
    shim.fail(Step::Authorization, Fault::page(503).after("900"));
    let error = customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (AcmeErrorKind::Busy, Some(Duration::from_mins(15))));
    assert_eq!(pebble.responder.shown(), 0);
    customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap();
}

#[tokio::test]
async fn problems_become_sentences() {
    let Some((_pebble, shim, customer)) = with_shim().await else { return };
    for (problem, kind, sentence) in [
        (
            Fault::problem(403, "caa", "CAA record for example.org prevents issuance"),
            AcmeErrorKind::Refused,
            "a CAA record does not allow the authority at",
        ),
        (
            Fault::problem(403, "userActionRequired", "Terms of service have changed"),
            AcmeErrorKind::Account,
            "wants something done for this server's account first: Terms of service have changed",
        ),
        (
            Fault::problem(403, "unauthorized", "An account with the provided public key is deactivated."),
            AcmeErrorKind::Account,
            "does not accept this server's account: An account with the provided public key is deactivated",
        ),
        (
            Fault::problem(
                400,
                "rejectedIdentifier",
                "The ACME server refuses to issue a certificate for this domain name",
            ),
            AcmeErrorKind::Refused,
            "does not sign certificates for www.example.org: The ACME server refuses",
        ),
        (
            Fault::problem(500, "serverInternal", "Error creating new order"),
            AcmeErrorKind::Busy,
            "cannot serve requests at the moment (HTTP 500)",
        ),
        (
            Fault::problem(400, "invalidProfile", "no such profile"),
            AcmeErrorKind::Refused,
            "does not offer the certificate profile that is configured: no such profile",
        ),
        (
            Fault::problem(400, "malformed", "it is\nbroken\u{1b}[2J"),
            AcmeErrorKind::Protocol,
            "did not accept a request about www.example.org: it is broken [2J",
        ),
        (
            Fault::page(404),
            AcmeErrorKind::Protocol,
            "did not accept a request about www.example.org: HTTP 404",
        ),
        (Fault::page(200), AcmeErrorKind::Protocol, "answered with something that is not ACME"),
    ] {
        shim.fail(Step::NewOrder, problem);
        let error = customer.order(NAME).await.unwrap_err();
        let shown = error.to_string();
        assert_eq!(error.kind(), kind, "{shown}");
        assert!(shown.contains(sentence), "{shown}");
        assert!(!shown.contains('\n') && !shown.contains("urn:"), "{shown}");
    }
}

/// The errors of challenges, as public authorities word them and Pebble does not.
#[tokio::test]
async fn failed_validations_become_sentences() {
    let Some((pebble, shim, customer)) = with_shim().await else { return };
    for (problem, detail, kind, sentence) in [
        (
            "dns",
            "DNS problem: NXDOMAIN looking up A for www.example.org - check that a DNS record exists",
            AcmeErrorKind::Validation,
            "found no usable DNS record for www.example.org: DNS problem: NXDOMAIN",
        ),
        (
            "connection",
            "192.0.2.1: Fetching http://www.example.org/: Connection refused",
            AcmeErrorKind::Validation,
            "could not connect to www.example.org on port 80: 192.0.2.1: Fetching",
        ),
        (
            "tls",
            "remote error: tls: handshake failure",
            AcmeErrorKind::Validation,
            "could not make a TLS connection to www.example.org: ",
        ),
        (
            "unauthorized",
            "Invalid response from http://www.example.org/: 404",
            AcmeErrorKind::Validation,
            "got an answer that is not this server's from www.example.org: Invalid response",
        ),
        (
            "caa",
            "CAA record for www.example.org prevents issuance",
            AcmeErrorKind::Refused,
            "a CAA record does not allow the authority at",
        ),
        (
            "serverInternal",
            "Remote PerformValidation RPC failed",
            AcmeErrorKind::Busy,
            "failed while it checked www.example.org: Remote",
        ),
    ] {
        let order = customer.order(NAME).await.unwrap();
        let error = json!({ "type": format!("urn:ietf:params:acme:error:{problem}"), "detail": detail });
        let challenge = json!({ "type": "http-01", "url": "https://ca.example/1", "token": "t", "status": "invalid", "error": error });
        let authorization = json!({ "status": "invalid", "identifier": { "type": "dns", "value": NAME }, "challenges": [challenge] });
        shim.fail(Step::Authorization, Fault::json(&authorization));
        let error = customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap_err();
        let shown = error.to_string();
        assert_eq!(error.kind(), kind, "{shown}");
        assert!(shown.contains(sentence), "{shown}");
    }
    assert_eq!(pebble.responder.presented(), 0);
}

#[tokio::test]
async fn a_certificate_that_is_not_ours_is_not_taken() {
    let Some((pebble, shim, customer)) = with_shim().await else { return };
    pebble.dns.point("other.example.org", pebble.address());
    let other = customer.order("other.example.org").await.unwrap();
    let chain = customer.complete(&other, "other.example.org", HTTP, &pebble.responder).await.unwrap();
    let order = customer.order(NAME).await.unwrap();
    shim.fail(Step::Certificate, Fault::Answer { status: 200, retry_after: None, body: chain });
    let error = customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Protocol, "{error}");
    assert!(
        error.to_string().ends_with("signed another name or key than www.example.org asked for"),
        "{error}"
    );

    shim.fail(Step::Certificate, Fault::Answer { status: 200, retry_after: None, body: "x".repeat(2 << 20) });
    let error = customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Protocol, "{error}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "an answer of more than 1048576 bytes");
    customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap();
}

#[tokio::test]
async fn a_solver_that_cannot_is_quoted() {
    let Some((pebble, shim, customer)) = with_shim().await else { return };
    let order = customer.order(NAME).await.unwrap();
    pebble.responder.refuse("the proxy is away");
    let error = customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap_err();
    assert_eq!(error.kind(), AcmeErrorKind::Solver);
    assert_eq!(error.to_string(), "the proof for www.example.org could not be shown: the proxy is away");
    assert_eq!(shim.requests(Step::Challenge), 0);
}
