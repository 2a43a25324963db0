//! Certificates that an app's people bring.

use paas_certs::{AddError, Clock as _, NameState, RemoveCertificateError};
use paas_domain::Secret;
use rcgen::{CertificateParams, KeyPair};

use crate::support::{World, days};

/// A self-signed chain and its key in one text.
fn pem(world: &World, names: &[&str], lifetime: std::time::Duration) -> Secret {
    let key = KeyPair::generate().unwrap();
    let mut params =
        CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    params.not_before = world.clock.now() - days(1);
    params.not_after = world.clock.now() + lifetime;
    Secret::new(params.self_signed(&key).unwrap().pem() + &key.serialize_pem())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_wins_while_it_is_good_and_is_replaced_in_time_when_it_is_forgotten() {
    let world = World::new(days(90)).await;
    let blog = world.app("blog");
    let www = world.domain(&blog, "www.example.org");
    let life = world.life();
    let covered = life.keeper.add(&blog, &pem(&world, &["*.example.org"], days(30))).unwrap();
    assert_eq!(covered, std::slice::from_ref(&www));
    life.settle().await;
    let added = world.served("www.example.org").await.unwrap();
    assert!(added.trusted);
    assert_eq!(world.authority.orders(), 1, "only the base domain's");
    life.pass(&world, days(20)).await;
    assert_eq!(world.served("www.example.org").await.unwrap(), added);
    life.pass(&world, days(11)).await;
    let after = world.served("www.example.org").await.unwrap();
    assert!(after.trusted && after.fingerprint != added.fingerprint);
    assert_eq!(life.status("www.example.org").issuer.as_deref(), Some("Fake Authority"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_is_refused_with_the_reason() {
    let world = World::new(days(90)).await;
    let blog = world.app("blog");
    world.domain(&blog, "www.example.org");
    let life = world.life();
    let other = life.keeper.add(&blog, &pem(&world, &["www.example.com"], days(30))).unwrap_err();
    assert!(
        matches!(other, AddError::CoversNothing { .. }) && other.to_string().contains("domains:add blog")
    );
    let ended = pem(&world, &["www.example.org"], days(1));
    world.clock.advance(days(2));
    assert!(matches!(life.keeper.add(&blog, &ended), Err(AddError::Pair(_))));
    let two = [pem(&world, &["www.example.org"], days(9)), pem(&world, &["www.example.org"], days(9))];
    let certificate = two[0].expose().split_inclusive("-----END CERTIFICATE-----\n").next().unwrap();
    let key = &two[1].expose()[two[1].expose().find("-----BEGIN PRIVATE").unwrap()..];
    assert!(matches!(
        life.keeper.add(&blog, &Secret::new(certificate.to_owned() + key)),
        Err(AddError::Pair(_))
    ));
    assert!(matches!(life.keeper.add(&blog, &Secret::new("hello")), Err(AddError::Pair(_))));
    assert_eq!(world.store.added_certificates().unwrap(), []);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_is_removed_by_the_name_it_is_for() {
    let world = World::new(days(90)).await;
    let blog = world.app("blog");
    let (www, api) = (world.domain(&blog, "www.example.org"), world.domain(&blog, "api.example.org"));
    let life = world.life();
    assert!(matches!(life.keeper.remove(&blog, None), Err(RemoveCertificateError::None(_))));
    for name in [&www, &api] {
        life.keeper.add(&blog, &pem(&world, &[name.as_str()], days(30))).unwrap();
    }
    life.settle().await;
    assert!(matches!(life.keeper.remove(&blog, None), Err(RemoveCertificateError::Several { .. })));
    let other = paas_domain::Hostname::new("other.example.org").unwrap();
    assert!(matches!(life.keeper.remove(&blog, Some(&other)), Err(RemoveCertificateError::NotFor { .. })));
    let before = world.served("www.example.org").await.unwrap();
    life.keeper.remove(&blog, Some(&www)).unwrap();
    life.settle().await;
    let after = world.served("www.example.org").await.unwrap();
    assert!(after.trusted && after.fingerprint != before.fingerprint);
    assert_eq!(life.status("www.example.org").state, NameState::Valid);
    life.keeper.remove(&blog, None).unwrap();
    assert_eq!(world.store.added_certificates().unwrap(), []);
    world.end().await;
}
