use paas_domain::{AppId, Hostname};
use paas_store::{ErrorKind, StoreError, Wanted};

use crate::support::{DOMAIN, Place, refused};

fn host(text: &str) -> Hostname {
    Hostname::new(text).unwrap()
}

#[test]
fn a_hostname_leads_to_one_app() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    assert!(store.add_domain(blog.id, &host("www.example.com"), |_| false).unwrap());
    assert!(!store.add_domain(blog.id, &host("WWW.example.com"), |_| false).unwrap(), "it did already");
    assert!(store.add_domain(blog.id, &host("*.example.com"), |_| false).unwrap());
    let error = refused(store.add_domain(shop.id, &host("www.example.com"), |_| false), ErrorKind::Conflict);
    assert!(matches!(&error, StoreError::DomainTaken { app, .. } if *app == blog.name), "{error:?}");
    assert!(store.add_domain(shop.id, &host("example.com"), |_| false).unwrap());
    assert_eq!(store.domains(blog.id).unwrap(), [host("*.example.com"), host("www.example.com")]);
    assert_eq!(store.domains(shop.id).unwrap(), [host("example.com")]);
    let all = store.all_domains().unwrap();
    assert_eq!(
        all,
        [
            (host("*.example.com"), blog.id),
            (host("example.com"), shop.id),
            (host("www.example.com"), blog.id)
        ]
    );
}

#[test]
fn only_its_own_hostname_can_be_taken_from_an_app() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let www = host("www.example.com");
    place.store.add_domain(blog.id, &www, |_| false).unwrap();
    refused(place.store.remove_domain(shop.id, &www, |_| true), ErrorKind::NotFound);
    refused(place.store.remove_domain(blog.id, &host("example.com"), |_| true), ErrorKind::NotFound);
    refused(place.store.add_domain(AppId(4711), &www, |_| false), ErrorKind::NotFound);
    assert_eq!(place.store.domains(blog.id).unwrap(), std::slice::from_ref(&www));
    place.store.remove_domain(blog.id, &www, |_| true).unwrap();
    refused(place.store.remove_domain(blog.id, &www, |_| true), ErrorKind::NotFound);
    assert!(place.store.add_domain(shop.id, &www, |_| false).unwrap(), "it is free again");
}

#[test]
fn a_hostname_is_free_when_its_app_is_gone_and_not_before() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let www = host("www.example.com");
    place.store.add_domain(blog.id, &www, |_| false).unwrap();
    place.store.rename_app(blog.id, &crate::support::app_name("news"), DOMAIN).unwrap();
    place.store.set_wanted(blog.id, Wanted::Destroyed { volumes: false }).unwrap();
    let error = refused(place.store.add_domain(shop.id, &www, |_| false), ErrorKind::Conflict);
    assert!(error.to_string().contains("news"), "{error}");
    place.store.delete_app(blog.id, DOMAIN).unwrap();
    assert!(place.store.add_domain(shop.id, &www, |_| false).unwrap());
}
