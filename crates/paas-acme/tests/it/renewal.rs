//! Renewal information (RFC 9773), which the shim adds to Pebble.

use std::time::Duration;

use paas_acme::{AcmeErrorKind, Authority, RenewalWindow};
use paas_acme_testkit::{Fault, Pebble, Shim, Step};
use serde_json::json;
use time::macros::datetime;

use crate::support::{Customer, HTTP, host, with_shim};

const NAME: &str = "www.example.org";

async fn with_certificate() -> Option<(Pebble, Shim, Customer, String)> {
    let (pebble, shim, customer) = with_shim().await?;
    let order = customer.order(NAME).await.unwrap();
    let chain = customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap();
    Some((pebble, shim, customer, chain))
}

#[tokio::test]
async fn an_authority_without_renewal_information_has_no_window() {
    let Some((_pebble, shim, customer, chain)) = with_certificate().await else { return };
    assert_eq!(customer.authority.renewal_window(&customer.account, &chain).await.unwrap(), None);
    // And an order that replaces is made without.
    customer.authority.new_order(&customer.account, &host(NAME), Some(&chain)).await.unwrap();
    assert_eq!((shim.orders(), shim.replaced().len()), (2, 0));
}

#[tokio::test]
async fn a_window_is_read_and_an_order_says_what_it_replaces() {
    let Some((pebble, shim, customer, chain)) = with_certificate().await else { return };
    let (start, end) = (datetime!(2026-03-01 00:00 UTC), datetime!(2026-03-02 12:00 UTC));
    shim.renew_between(start, end, 21600);
    let window = customer.authority.renewal_window(&customer.account, &chain).await.unwrap();
    let expected = RenewalWindow {
        start,
        end,
        check_again_after: Duration::from_hours(6),
        explanation: Some("https://ca.example/why".into()),
    };
    assert_eq!(window, Some(expected));

    let order = customer.authority.new_order(&customer.account, &host(NAME), Some(&chain)).await.unwrap();
    let replaced = shim.replaced();
    assert_eq!((shim.orders(), replaced.len()), (2, 1));
    let (authority_key, serial) = replaced[0].split_once('.').unwrap();
    assert!(!authority_key.is_empty() && !serial.is_empty(), "{replaced:?}");
    customer.complete(&order, NAME, HTTP, &pebble.responder).await.unwrap();
}

#[tokio::test]
async fn a_certificate_replaced_before_is_ordered_without_saying_so() {
    let Some((_pebble, shim, customer, chain)) = with_certificate().await else { return };
    shim.renew_between(datetime!(2026-03-01 00:00 UTC), datetime!(2026-03-02 00:00 UTC), 60);
    shim.fail(Step::NewOrder, Fault::problem(409, "alreadyReplaced", "it has a replacement order"));
    customer.authority.new_order(&customer.account, &host(NAME), Some(&chain)).await.unwrap();
    assert_eq!((shim.orders(), shim.replaced().len()), (2, 0));
    // A limit is no reason to try the other way.
    shim.fail(Step::NewOrder, Fault::problem(429, "rateLimited", "enough"));
    let error = customer.authority.new_order(&customer.account, &host(NAME), Some(&chain)).await.unwrap_err();
    assert_eq!((error.kind(), shim.orders()), (AcmeErrorKind::RateLimited, 2));
}

#[tokio::test]
async fn how_soon_to_ask_again_stays_sensible() {
    let Some((_pebble, shim, customer, chain)) = with_certificate().await else { return };
    for (asked, taken) in [(1, Duration::from_mins(1)), (10_000_000, Duration::from_hours(24))] {
        shim.renew_between(datetime!(2026-03-01 00:00 UTC), datetime!(2026-03-02 00:00 UTC), asked);
        let window = customer.authority.renewal_window(&customer.account, &chain).await.unwrap().unwrap();
        assert_eq!(window.check_again_after, taken);
    }
}

#[tokio::test]
async fn renewal_information_on_a_bad_day() {
    let Some((_pebble, shim, customer, chain)) = with_certificate().await else { return };
    shim.renew_between(datetime!(2026-03-01 00:00 UTC), datetime!(2026-03-02 00:00 UTC), 60);
    let backwards =
        json!({ "suggestedWindow": { "start": "2026-03-02T00:00:00Z", "end": "2026-03-01T00:00:00Z" } });
    for (fault, kind) in [
        (Fault::page(503).after("30"), AcmeErrorKind::Busy),
        (Fault::CutBefore, AcmeErrorKind::Unreachable),
        (Fault::page(200), AcmeErrorKind::Protocol),
        (Fault::json(&backwards), AcmeErrorKind::Protocol),
    ] {
        shim.fail(Step::RenewalInfo, fault);
        let error = customer.authority.renewal_window(&customer.account, &chain).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    shim.fail(Step::RenewalInfo, Fault::problem(404, "malformed", "no such certificate"));
    assert_eq!(customer.authority.renewal_window(&customer.account, &chain).await.unwrap(), None);
}
