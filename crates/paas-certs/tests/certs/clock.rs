//! Clocks that jump.

use paas_certs::{Clock as _, NameState};

use crate::support::{World, days, hours, minutes};

/// Ten names with certificates of 90 days, of an authority whose clock is right whatever ours shows.
async fn world() -> World {
    let world = World::new(days(90)).await;
    let blog = world.app("blog");
    for number in 0..9 {
        world.domain(&blog, &format!("www{number}.example.org"));
    }
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_forward_and_back_orders_nothing() {
    let world = world().await;
    let life = world.life();
    life.settle().await;
    for _ in 0..3 {
        world.clock.advance(days(1));
        life.settle().await;
        world.clock.turn_back(days(1) + hours(1));
        life.settle().await;
        world.clock.advance(hours(1));
    }
    assert_eq!(world.authority.orders(), 10);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_years_forward_are_no_storm_and_are_forgotten_when_they_are_over() {
    let mut world = world().await;
    // Its clock stays where it is.
    let authority_clock = crate::support::FakeClock::new();
    world.authority = crate::support::FakeAuthority::new(&authority_clock, days(90));
    let life = world.life();
    life.settle().await;
    assert_eq!(world.authority.orders(), 10);
    let served = world.served("www1.example.org").await.unwrap();
    world.clock.advance(days(3650));
    let begin = world.clock.now();
    let mut waited = minutes(0);
    // Not `pass`: everything the authority signs has ended, by this clock.
    while waited < days(2) {
        let wait = life.settle().await;
        world.clock.advance(wait);
        waited += wait;
    }
    let storm = world.authority.orders() - 10;
    assert!(storm <= 10 * 3, "{storm} orders of 10 names in two days");
    let sentence = life.status("www1.example.org").sentence.unwrap();
    assert!(sentence.contains("clock"), "{sentence}");
    let passed = world.clock.now() - begin;
    world.clock.turn_back(days(3650) + std::time::Duration::try_from(passed).unwrap());
    let orders = world.authority.orders();
    life.settle().await;
    assert_eq!(world.authority.orders(), orders, "the old ones are good again");
    assert_eq!(life.status("www1.example.org").state, NameState::Valid);
    assert_eq!(world.served("www1.example.org").await.unwrap(), served);
    // And what was to be waited for in that future holds nobody back.
    world.clock.advance(days(70));
    authority_clock.advance(days(70));
    life.settle().await;
    assert_eq!(world.authority.orders(), orders + 10);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weeks_ahead_of_the_authority_are_an_order_a_day_at_most() {
    let mut world = world().await;
    let authority_clock = crate::support::FakeClock::new();
    world.authority = crate::support::FakeAuthority::new(&authority_clock, days(90));
    // What it signs is good by our clock, and due at once.
    world.clock.advance(days(75));
    let life = world.life();
    let mut waited = minutes(0);
    while waited < days(2) {
        let wait = life.settle().await.max(minutes(1));
        world.clock.advance(wait);
        authority_clock.advance(wait);
        waited += wait;
    }
    let orders = world.authority.orders();
    assert!((10..=10 * 4).contains(&orders), "{orders} orders of 10 names in two days");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_that_always_wants_it_renewed_now_is_obeyed_once_a_day() {
    let world = world().await;
    let life = world.life();
    for _ in 0..48 {
        life.settle().await;
        let now = world.clock.now();
        world.authority.advise(now - hours(2), now - hours(1));
        world.clock.advance(hours(1));
    }
    let orders = world.authority.orders();
    assert!((20..=10 * 3).contains(&orders), "{orders} orders of 10 names in two days");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_authority_signs_anew_what_it_signed_for_the_future() {
    let world = World::new(days(90)).await;
    let blog = world.app("blog");
    world.domain(&blog, "blog.test");
    world.clock.advance(days(3650));
    let life = world.life();
    life.settle().await;
    let ahead = world.served("blog.test").await.unwrap();
    let root = life.keeper.root().unwrap();
    world.clock.turn_back(days(3650));
    life.settle().await;
    let now = world.served("blog.test").await.unwrap();
    assert!(now.not_after < ahead.not_after && now.not_after > world.clock.now());
    assert_ne!(life.keeper.root().unwrap(), root, "the root was for the future too");
    world.end().await;
}
