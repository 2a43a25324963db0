//! Names that go while something is under way for them.

use std::time::Duration;

use paas_domain::AppName;
use paas_store::Wanted;

use crate::support::{Call, World, days};

#[derive(Clone, Copy)]
enum Gone {
    DomainRemoved,
    AppDestroyed,
    AppRenamed,
}

async fn goes_while_it_is_ordered(gone: Gone, held: fn(&Call) -> bool) {
    let world = World::new(days(90)).await;
    let blog = world.app("blog");
    let www = world.domain(&blog, "www.example.org");
    world.deployed(&blog);
    world.authority.hold(held);
    let life = world.life();
    life.keeper.round().await.unwrap();
    // The base domain's, the app's own and the added name: each has come to the held call.
    tokio::time::timeout(Duration::from_secs(30), async {
        while world.authority.calls().iter().filter(|call| held(call)).count() < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let name = match gone {
        Gone::DomainRemoved => {
            world.store.remove_domain(blog.id, &www, |_| true).unwrap();
            "www.example.org"
        }
        Gone::AppDestroyed => {
            world.store.set_wanted(blog.id, Wanted::Destroyed { volumes: false }).unwrap();
            "www.example.org"
        }
        Gone::AppRenamed => {
            world.store.rename_app(blog.id, &AppName::new("news").unwrap(), "example.org").unwrap();
            "blog.apps.paas-tests.org"
        }
    };
    life.keeper.round().await.unwrap();
    world.authority.release();
    life.settle().await;
    assert_eq!(world.served(name).await, None);
    assert_eq!(world.store.ordered_names().unwrap(), []);
    if matches!(gone, Gone::AppRenamed) {
        assert!(world.served("news.apps.paas-tests.org").await.unwrap().trusted);
    }
    let of_it = || {
        world
            .authority
            .calls()
            .iter()
            .filter(|call| matches!(call, Call::NewOrder { host, .. } if host == name))
            .count()
    };
    let before = of_it();
    life.pass(&world, days(120)).await;
    assert_eq!(of_it(), before, "nothing is renewed for a name that is gone");
    assert_eq!(world.store.certificate_tries().unwrap(), [], "and nothing is remembered of it for ever");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_removed_while_it_is_ordered() {
    goes_while_it_is_ordered(Gone::DomainRemoved, |call| matches!(call, Call::NewOrder { .. })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_removed_while_its_order_is_completed() {
    goes_while_it_is_ordered(Gone::DomainRemoved, |call| matches!(call, Call::Complete { .. })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_destroyed_while_its_order_is_completed() {
    goes_while_it_is_ordered(Gone::AppDestroyed, |call| matches!(call, Call::Complete { .. })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_renamed_while_its_order_is_completed() {
    goes_while_it_is_ordered(Gone::AppRenamed, |call| matches!(call, Call::Complete { .. })).await;
}
