//! A name's first certificate.

use paas_acme::AcmeErrorKind;
use paas_certs::{Clock as _, NameState};

use crate::support::{Call, World, days, hours, minutes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_name_has_one_at_once_and_a_trusted_one_soon() {
    let world = World::new(days(90)).await;
    let life = world.life();
    let blog = world.app("blog");
    world.authority.hold(|call| matches!(call, Call::NewOrder { .. }));
    world.domain(&blog, "www.example.org");
    life.keeper.round().await.unwrap();
    let own = world.served("www.example.org").await.unwrap();
    assert!(!own.trusted);
    assert_eq!(world.served("blog.apps.paas-tests.org").await, None, "it was not deployed");
    assert_eq!(life.status("www.example.org").state, NameState::Ordering);
    world.deployed(&blog);
    world.authority.release();
    life.settle().await;
    for name in ["www.example.org", "blog.apps.paas-tests.org", "apps.paas-tests.org"] {
        assert!(world.served(name).await.unwrap().trusted, "{name}");
        let status = life.status(name);
        assert_eq!((status.state, status.issuer.as_deref()), (NameState::Valid, Some("Fake Authority")));
        assert_eq!((status.problem, status.sentence), (None, None));
        let third = world.clock.now() + days(60);
        let next = status.next_try.unwrap();
        assert!(next <= third && next > third - days(5), "{next}");
    }
    assert_eq!(world.authority.orders(), 3);
    let registrations = world.authority.calls().iter().filter(|call| **call == Call::Register).count();
    assert_eq!(registrations, 1, "the account is made once");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_ordered_again_by_deploys_restarts_and_names_that_come_back() {
    let world = World::new(days(90)).await;
    let blog = world.app("blog");
    let www = world.domain(&blog, "www.example.org");
    world.deployed(&blog);
    world.life().settle().await;
    let orders = world.authority.orders();
    for _ in 0..20 {
        world.deployed(&blog);
        let life = world.life();
        life.settle().await;
        world.store.remove_domain(blog.id, &www, |_| true).unwrap();
        life.settle().await;
        assert_eq!(world.served("www.example.org").await, None);
        world.store.add_domain(blog.id, &www, |_| false).unwrap();
        life.settle().await;
        assert!(world.served("www.example.org").await.unwrap().trusted);
    }
    assert_eq!(world.authority.orders(), orders);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_no_public_authority_signs_stay_with_our_own() {
    let world = World::new(days(90)).await;
    let blog = world.app("blog");
    for name in ["blog.localhost", "blog.test", "intranet", "*.example.org"] {
        world.domain(&blog, name);
    }
    let life = world.life();
    life.pass(&world, days(200)).await;
    for name in ["blog.localhost", "blog.test", "intranet", "*.example.org"] {
        let status = life.status(name);
        assert_eq!((status.state, status.next_try), (NameState::Own, None), "{name}");
        assert!(status.sentence.as_ref().unwrap().contains("certs:ca"), "{status:?}");
        assert!(!world.served(name).await.unwrap().trusted);
    }
    assert!(life.status("*.example.org").sentence.unwrap().contains("dns_hook"));
    let asked = world.authority.calls().into_iter().filter_map(|call| match call {
        Call::NewOrder { host, .. } => Some(host),
        _ => None,
    });
    assert!(asked.into_iter().all(|host| host == "apps.paas-tests.org"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_authority_signs_private_names() {
    let world = World::new(days(90)).await;
    world.authority.make_private();
    let blog = world.app("blog");
    world.domain(&blog, "blog.internal");
    world.domain(&blog, "blog.localhost");
    world.life().settle().await;
    assert!(world.served("blog.internal").await.unwrap().trusted);
    assert!(!world.served("blog.localhost").await.unwrap().trusted, "every machine has one");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_waited_for_longer_and_longer_and_remembered() {
    let world = World::new(days(90)).await;
    world.authority.fail(Some((AcmeErrorKind::Validation, None)));
    let mut waits = Vec::new();
    for failures in 1..=6 {
        // Another life each time: what was waited for is in the store.
        let life = world.life();
        life.settle().await;
        assert_eq!(world.authority.calls().len(), failures, "one try, and none before its time");
        let status = life.status("apps.paas-tests.org");
        assert_eq!((status.state, status.problem.as_deref()), (NameState::Failing, Some("validation")));
        let wait = status.next_try.unwrap() - world.clock.now();
        waits.push(wait.whole_minutes());
        world.clock.advance(wait.try_into().unwrap());
    }
    assert_eq!(waits, [1, 10, 100, 24 * 60, 24 * 60, 24 * 60]);
    world.authority.fail(None);
    let life = world.life();
    life.settle().await;
    assert_eq!(life.status("apps.paas-tests.org").state, NameState::Valid);
    assert_eq!(world.store.certificate_tries().unwrap(), []);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retry_after_is_obeyed_and_shown_and_others_go_on() {
    let world = World::new(days(90)).await;
    let blog = world.app("blog");
    let life = world.life();
    life.settle().await;
    world.authority.fail(Some((AcmeErrorKind::RateLimited, Some(hours(34)))));
    world.domain(&blog, "www.example.org");
    life.settle().await;
    world.authority.fail(None);
    world.domain(&blog, "other.example.org");
    life.settle().await;
    assert_eq!(life.status("other.example.org").state, NameState::Valid);
    let status = life.status("www.example.org");
    assert_eq!(status.next_try, Some(world.clock.now() + hours(34)));
    world.clock.advance(minutes(34 * 60 - 1));
    let orders = world.authority.orders();
    life.settle().await;
    assert_eq!(world.authority.orders(), orders);
    world.clock.advance(minutes(1));
    life.settle().await;
    assert_eq!(life.status("www.example.org").state, NameState::Valid);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_may_try_at_once_and_anew() {
    let world = World::new(days(90)).await;
    let blog = world.app("blog");
    let life = world.life();
    life.settle().await;
    let host = world.domain(&blog, "www.example.org");
    world.authority.fail(Some((AcmeErrorKind::Unreachable, None)));
    let before = world.authority.orders();
    for _ in 0..4 {
        life.settle().await;
        assert!(life.keeper.renew(&host, false).unwrap());
    }
    assert_eq!(world.authority.orders(), before + 4);
    world.authority.fail(None);
    life.settle().await;
    let first = world.served(host.as_str()).await.unwrap();
    life.keeper.renew(&host, false).unwrap();
    life.settle().await;
    assert_eq!(world.served(host.as_str()).await.unwrap(), first, "it is good");
    assert!(!life.keeper.renew(&host, true).unwrap(), "at most once a day");
    world.clock.advance(days(1));
    assert!(life.keeper.renew(&host, true).unwrap());
    life.settle().await;
    assert_ne!(world.served(host.as_str()).await.unwrap().fingerprint, first.fingerprint);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_command_and_no_removal_shortens_what_the_authority_asked_for() {
    let world = World::new(days(90)).await;
    let blog = world.app("blog");
    let www = world.domain(&blog, "www.example.org");
    world.authority.fail(Some((AcmeErrorKind::RateLimited, Some(hours(34)))));
    let life = world.life();
    life.settle().await;
    world.authority.fail(None);
    let orders = world.authority.orders();
    for _ in 0..5 {
        life.keeper.renew(&www, true).unwrap();
        life.settle().await;
        world.store.remove_domain(blog.id, &www, |_| true).unwrap();
        life.settle().await;
        world.store.add_domain(blog.id, &www, |_| false).unwrap();
        life.settle().await;
    }
    assert_eq!(world.authority.orders(), orders);
    world.clock.advance(hours(34));
    life.settle().await;
    assert_eq!(life.status("www.example.org").state, NameState::Valid);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_that_answers_nobody_is_asked_by_nobody() {
    let world = World::new(days(90)).await;
    let blog = world.app("blog");
    let life = world.life();
    world.authority.fail(Some((AcmeErrorKind::Busy, Some(hours(2)))));
    life.settle().await;
    for number in 0..30 {
        world.domain(&blog, &format!("www{number}.example.org"));
    }
    world.authority.fail(None);
    let calls = world.authority.calls().len();
    life.settle().await;
    assert_eq!(world.authority.calls().len(), calls);
    world.clock.advance(hours(2));
    life.settle().await;
    assert_eq!(life.status("www29.example.org").state, NameState::Valid);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_the_proxy_refuses_keeps_no_other_waiting() {
    let world = World::new(days(90)).await;
    let blog = world.app("blog");
    // Longer than the proxy's files can be named, and first in the order of names.
    let label = "a".repeat(62);
    let long = format!("{label}.{label}.{label}.{}.org", "a".repeat(58));
    assert_eq!(long.len(), 251);
    world.domain(&blog, &long);
    world.domain(&blog, "www.example.org");
    let life = world.life();
    for _ in 0..3 {
        // The refusal is told, and everything else is done.
        let _ = life.keeper.round().await;
        life.keeper.settled().await;
    }
    assert!(world.served("www.example.org").await.unwrap().trusted);
    assert_eq!(world.served(&long).await, None);
    world.end().await;
}
