use paas_domain::{AppId, Hostname, Secret};
use paas_store::{
    Certificate, CertificateSource, ErrorKind, Pair, Problem, RenewalAdvice, StoreError, Tries, Validity,
    Wanted,
};

use crate::support::{DOMAIN, Place, refused};

const DIRECTORY: &str = "https://acme.example/directory";

fn host(text: &str) -> Hostname {
    Hostname::new(text).unwrap()
}

fn pair(key: &str) -> Pair {
    Pair { chain: format!("chain of {key}"), key: Secret::new(key) }
}

fn validity(fingerprint: &str) -> Validity {
    Validity {
        fingerprint: fingerprint.into(),
        issuer: "An Authority".into(),
        not_before: 1_000,
        not_after: 9_000,
    }
}

fn certificate(name: &str, source: CertificateSource, fingerprint: &str) -> Certificate {
    Certificate {
        hostname: host(name),
        source,
        directory: (source == CertificateSource::Acme).then(|| DIRECTORY.to_owned()),
        validity: validity(fingerprint),
        obtained_at: 1_500,
        trusted: source == CertificateSource::Acme,
        advice: None,
    }
}

fn tries(name: &str, failures: u32) -> Tries {
    let problem = Problem { kind: "no_dns".into(), sentence: "There is no record.".into() };
    Tries {
        hostname: host(name),
        failures,
        checks: 2,
        tried_at: 5,
        next_try: 65,
        held_until: 0,
        problem: Some(problem),
    }
}

#[test]
fn a_name_has_one_certificate_from_each_source_and_the_newest_replaces_it() {
    let place = Place::new();
    let store = &place.store;
    let www = host("www.example.com");
    assert_eq!(store.certificates().unwrap(), []);
    let own = certificate("www.example.com", CertificateSource::Own, "aa");
    let old = certificate("www.example.com", CertificateSource::Acme, "bb");
    let mut new = certificate("www.example.com", CertificateSource::Acme, "cc");
    new.advice = Some(RenewalAdvice { renew_at: Some(7_000), ask_at: 2_000 });
    store.put_certificate(&own, &pair("key-own")).unwrap();
    store.put_certificate(&old, &pair("key-old")).unwrap();
    store.put_certificate(&new, &pair("key-new")).unwrap();
    assert_eq!(store.certificates().unwrap(), [new.clone(), own.clone()]);
    let found = |source| store.certificate_pair(&www, source).unwrap();
    assert_eq!(found(CertificateSource::Acme), Some(pair("key-new")));
    assert_eq!(found(CertificateSource::Own), Some(pair("key-own")));
    let advice = RenewalAdvice { renew_at: None, ask_at: 3_000 };
    store.set_renewal_advice(&www, advice).unwrap();
    assert_eq!(store.certificates().unwrap()[0].advice, Some(advice));
    store.delete_certificate(&www, CertificateSource::Acme).unwrap();
    assert_eq!(store.certificates().unwrap(), [own]);
    assert_eq!(found(CertificateSource::Acme), None);
}

#[test]
fn a_certificate_from_an_authority_ends_its_order_and_the_memory_of_failures() {
    let place = Place::new();
    let store = &place.store;
    let (www, other) = (host("www.example.com"), host("other.example.com"));
    for name in [&www, &other] {
        store.begin_order(name, DIRECTORY, &Secret::new("key-new")).unwrap();
        store.put_tries(&tries(name.as_str(), 1)).unwrap();
    }
    let order = store.find_order(&www).unwrap().unwrap();
    assert_eq!((order.url, order.key), (None, Secret::new("key-new")));
    store.set_order_url(&www, "https://acme.example/order/1").unwrap();
    assert_eq!(store.find_order(&www).unwrap().unwrap().url.as_deref(), Some("https://acme.example/order/1"));
    let own = certificate("www.example.com", CertificateSource::Own, "aa");
    store.put_certificate(&own, &pair("key-own")).unwrap();
    assert_eq!(store.ordered_names().unwrap(), [other.clone(), www.clone()], "an own one ends nothing");
    let got = certificate("www.example.com", CertificateSource::Acme, "bb");
    store.put_certificate(&got, &pair("key-new")).unwrap();
    assert_eq!(store.ordered_names().unwrap(), std::slice::from_ref(&other));
    assert_eq!(store.certificate_tries().unwrap(), [tries("other.example.com", 1)]);
    store.put_tries(&tries("other.example.com", 4)).unwrap();
    assert_eq!(store.certificate_tries().unwrap(), [tries("other.example.com", 4)]);
    let held = Tries { held_until: 90, ..tries("other.example.com", 4) };
    store.put_tries(&held).unwrap();
    store.try_again_at(&other, 70).unwrap();
    assert_eq!(
        store.certificate_tries().unwrap()[0].next_try,
        90,
        "no command shortens what the authority asked for"
    );
    store.try_again_at(&other, 95).unwrap();
    assert_eq!(store.certificate_tries().unwrap()[0].next_try, 95);
    store.forget_tries(&other).unwrap();
    store.drop_order(&other).unwrap();
    assert_eq!((store.certificate_tries().unwrap(), store.ordered_names().unwrap()), (vec![], vec![]));
}

#[test]
fn an_added_certificate_belongs_to_its_app_and_goes_with_it() {
    let place = Place::new();
    let store = &place.store;
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let names = ["www.example.com".to_owned(), "*.example.com".to_owned()];
    store.add_certificate(blog.id, &names, &validity("aa"), &pair("key-a")).unwrap();
    store.add_certificate(blog.id, &names, &validity("bb"), &pair("key-b")).unwrap();
    store.add_certificate(shop.id, &names[..1], &validity("cc"), &pair("key-c")).unwrap();
    let added = store.added_certificates().unwrap();
    let seen: Vec<_> = added.iter().map(|one| (one.app, one.validity.fingerprint.as_str())).collect();
    assert_eq!(seen, [(blog.id, "bb"), (shop.id, "cc")], "the same names replace");
    assert_eq!(added[0].names, ["*.example.com", "www.example.com"]);
    assert_eq!(store.added_pair(added[0].id).unwrap(), Some(pair("key-b")));
    refused(store.remove_added_certificate(shop.id, added[0].id), ErrorKind::NotFound);
    store.remove_added_certificate(shop.id, added[1].id).unwrap();
    refused(store.add_certificate(AppId(4711), &names, &validity("dd"), &pair("key-d")), ErrorKind::NotFound);
    store.set_wanted(blog.id, Wanted::Destroyed { volumes: false }).unwrap();
    refused(store.add_certificate(blog.id, &names, &validity("dd"), &pair("key-d")), ErrorKind::Conflict);
    store.delete_app(blog.id, DOMAIN).unwrap();
    assert_eq!(store.added_certificates().unwrap(), []);
}

#[test]
fn a_name_is_trusted_while_a_trusted_certificate_for_it_is_good() {
    let place = Place::new();
    let store = &place.store;
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let trusted = |app: &paas_store::App, name: &str, now| {
        store.has_trusted_certificate(app.id, &host(name), now).unwrap()
    };
    store.put_certificate(&certificate("own.example.com", CertificateSource::Own, "aa"), &pair("a")).unwrap();
    store
        .put_certificate(&certificate("got.example.com", CertificateSource::Acme, "bb"), &pair("b"))
        .unwrap();
    store.add_certificate(blog.id, &["*.example.org".to_owned()], &validity("cc"), &pair("c")).unwrap();
    assert!(!trusted(&blog, "own.example.com", 5_000));
    for (now, expected) in [(1_000, true), (8_999, true), (9_000, false)] {
        assert_eq!(trusted(&blog, "got.example.com", now), expected, "{now}");
        assert_eq!(trusted(&blog, "www.example.org", now), expected, "{now}");
    }
    assert!(!trusted(&shop, "www.example.org", 5_000), "it is another app's");
    assert!(!trusted(&blog, "a.www.example.org", 5_000) && !trusted(&blog, "example.org", 5_000));
}

#[test]
fn accounts_and_the_own_authority_are_kept() {
    let place = Place::new();
    let store = &place.store;
    assert_eq!(store.acme_account(DIRECTORY).unwrap(), None);
    store.save_acme_account(DIRECTORY, &Secret::new("{\"key\":1}")).unwrap();
    assert_eq!(store.acme_account("https://other.example/directory").unwrap(), None);
    assert_eq!(store.own_authority().unwrap(), None);
    store.save_own_authority(&pair("key-root"), None).unwrap();
    store.save_own_authority(&pair("key-second"), None).unwrap();
    let place = place.reopen();
    assert_eq!(place.store.acme_account(DIRECTORY).unwrap(), Some(Secret::new("{\"key\":1}")));
    assert_eq!(place.store.own_authority().unwrap(), Some(pair("key-root")));
    place.store.forget_acme_account(DIRECTORY, &Secret::new("another")).unwrap();
    assert!(place.store.acme_account(DIRECTORY).unwrap().is_some(), "it is another by now");
    place.store.forget_acme_account(DIRECTORY, &Secret::new("{\"key\":1}")).unwrap();
    place.store.save_own_authority(&pair("key-new"), Some(&pair("key-root"))).unwrap();
    assert_eq!(place.store.own_authority().unwrap(), Some(pair("key-new")));
    assert_eq!(place.store.acme_account(DIRECTORY).unwrap(), None);
}

#[test]
fn a_key_of_another_name_is_refused() {
    let place = Place::new();
    let store = &place.store;
    for name in ["a.example.com", "b.example.com"] {
        store.put_certificate(&certificate(name, CertificateSource::Acme, name), &pair(name)).unwrap();
    }
    let swap = "UPDATE certificates SET sealed_key = (SELECT sealed_key FROM certificates WHERE hostname = 'b.example.com')";
    place.raw().execute(swap, []).unwrap();
    let error =
        refused(store.certificate_pair(&host("a.example.com"), CertificateSource::Acme), ErrorKind::Internal);
    assert!(matches!(&error, StoreError::Unsealable { what } if what.contains("a.example.com")), "{error:?}");
    assert!(store.certificate_pair(&host("b.example.com"), CertificateSource::Acme).unwrap().is_some());
}
