//! A year of a clock that runs fast.

use std::time::Duration;

use paas_certs::Clock as _;

use crate::support::{Call, World, days, hours};

async fn a_year(lifetime: Duration, orders: std::ops::RangeInclusive<usize>) {
    let world = World::new(lifetime).await;
    let blog = world.app("blog");
    world.domain(&blog, "www.example.org");
    let life = world.life();
    life.settle().await;
    life.pass(&world, days(365)).await;
    let per_name = world.authority.orders() / 2;
    assert!(orders.contains(&per_name), "{per_name} orders for a name in a year");
    for status in world.proxy.certificates().await.unwrap() {
        assert!(status.trusted);
    }
    let replacing = world
        .authority
        .calls()
        .iter()
        .filter(|call| matches!(call, Call::NewOrder { replaces: true, .. }))
        .count();
    assert_eq!(replacing, world.authority.orders() - 2, "all but the first replace another");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ninety_days_nothing_ends() {
    a_year(days(90), 6..=7).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_forty_five_days_nothing_ends() {
    a_year(days(45), 12..=14).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_and_sixty_hours_nothing_ends() {
    a_year(hours(160), 109..=124).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_that_wants_it_renewed_now_is_obeyed_within_hours_and_once() {
    let world = World::new(days(90)).await;
    let life = world.life();
    life.settle().await;
    world.clock.advance(days(10));
    let now = world.clock.now();
    world.authority.advise(now - hours(2), now - hours(1));
    life.pass(&world, hours(7)).await;
    assert_eq!(world.authority.orders(), 2);
    // The new one has a window of its own.
    let now = world.clock.now();
    world.authority.advise(now + days(55), now + days(60));
    life.pass(&world, days(50)).await;
    assert_eq!(world.authority.orders(), 2);
    life.pass(&world, days(12)).await;
    assert_eq!(world.authority.orders(), 3);
    world.end().await;
}
