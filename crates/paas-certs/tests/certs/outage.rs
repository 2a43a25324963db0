//! The authority is away at the worst moment: when a certificate is due.

use std::time::Duration;

use paas_acme::AcmeErrorKind;

use crate::support::{World, days, hours};

async fn away_for(outage: Duration, lifetime: Duration, renewed_after: Duration) {
    let world = World::new(lifetime).await;
    let life = world.life();
    life.settle().await;
    let first = world.served("apps.paas-tests.org").await.unwrap();
    // Just before the certificate becomes due by itself.
    life.pass(&world, renewed_after).await;
    assert_eq!(world.authority.orders(), 1);
    world.authority.fail(Some((AcmeErrorKind::Unreachable, None)));
    life.pass(&world, outage).await;
    assert_eq!(world.served("apps.paas-tests.org").await.unwrap(), first, "the old one is served");
    let status = life.status("apps.paas-tests.org");
    assert!(status.sentence.unwrap().contains("could not be renewed"));
    world.authority.fail(None);
    life.pass(&world, days(1) + hours(1)).await;
    let second = world.served("apps.paas-tests.org").await.unwrap();
    assert!(second.trusted && second.not_after > first.not_after);
    // One a minute, ten, a hundred minutes later, then daily; more often only when little is left.
    let asked = world.authority.orders() - 2;
    assert!((5..=14).contains(&asked), "{asked} tries while the authority was away");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_week_does_not_end_a_certificate_of_ninety_days() {
    away_for(days(7), days(90), days(55)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_week_does_not_end_a_certificate_of_forty_five_days() {
    away_for(days(7), days(45), days(27)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_and_a_half_days_do_not_end_a_certificate_of_six_days() {
    away_for(hours(60), hours(160), hours(71)).await;
}
