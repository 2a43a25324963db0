//! A keeper that ends at every call to the authority, before and after it, and the next life.

use std::time::Duration;

use paas_certs::NameState;

use crate::support::{Call, World, days, minutes};

const HOST: &str = "apps.paas-tests.org";

/// The keeper ends while the call is under way: the authority may have acted on it, and nobody has the answer.
async fn ends_during(held: fn(&Call) -> bool, orders: usize) {
    let world = World::new(days(90)).await;
    world.authority.hold(held);
    let life = world.life();
    let keeper = life.keeper.clone();
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { keeper.run(stop).await }
    });
    tokio::time::timeout(Duration::from_secs(30), async {
        while !world.authority.calls().iter().any(held) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    stop.cancel();
    running.await.unwrap();
    drop(life);
    world.authority.release();
    // A crash loop: none of these lives asks for more.
    let calls = world.authority.calls().len();
    for _ in 0..20 {
        world.life().settle().await;
    }
    assert_eq!(world.authority.calls().len(), calls, "a crash counts as a try that failed");
    world.clock.advance(minutes(1));
    let life = world.life();
    life.settle().await;
    assert_eq!(life.status(HOST).state, NameState::Valid);
    assert_eq!(world.authority.orders(), orders);
    assert_eq!(
        (world.store.ordered_names().unwrap(), world.store.certificate_tries().unwrap()),
        (vec![], vec![])
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn during_the_making_of_the_account() {
    ends_during(|call| *call == Call::Register, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn during_the_order() {
    // Nobody knows where the first order is, so there is a second.
    ends_during(|call| matches!(call, Call::NewOrder { .. }), 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn during_its_completion() {
    ends_during(|call| matches!(call, Call::Complete { .. }), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn during_the_question_when_to_renew() {
    let world = World::new(days(90)).await;
    world.authority.hold(|call| *call == Call::RenewalWindow);
    let life = world.life();
    life.keeper.round().await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), async {
        while !world.authority.calls().contains(&Call::RenewalWindow) {
            life.keeper.round().await.unwrap();
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    drop(life);
    world.authority.release();
    let life = world.life();
    life.settle().await;
    assert_eq!(world.authority.orders(), 1);
    assert_eq!(life.status(HOST).state, NameState::Valid);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_the_authority_has_forgotten_is_made_anew_at_once() {
    let world = World::new(days(90)).await;
    let host = paas_domain::Hostname::new(HOST).unwrap();
    let key = paas_acme::generate_key().unwrap();
    world.store.begin_order(&host, "https://authority.example/directory", &key).unwrap();
    world.store.set_order_url(&host, "https://authority.example/order/of-last-year").unwrap();
    let life = world.life();
    life.settle().await;
    assert_eq!((life.status(HOST).state, world.authority.orders()), (NameState::Valid, 1));
    world.end().await;
}
