use paas_domain::{KeyId, KeyName};
use paas_store::{Access, ErrorKind, Key, PublicKey, StoreError, Wanted};

use crate::support::{DOMAIN, Place, app_name, refused};

const LINES: [&str; 3] = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB1iZdhOSHv1/Ac9PXW/0gntxwQluhvXIIlaxxJH3Ryp ann@laptop",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIChOr/AuXVXEpmnTVuxN4JSstuYuQhCvQCjlGs0kVekg bob",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINs0U8murlJxlZbP0tqNQxNLLQYxGHfYnLE4d6jGSr2Q",
];

fn public_key(number: usize) -> PublicKey {
    PublicKey::parse(LINES[number]).unwrap()
}

fn name(text: &str) -> KeyName {
    KeyName::new(text).unwrap()
}

fn apps(names: &[&str]) -> Access {
    Access::Apps(names.iter().map(|name| app_name(name)).collect())
}

fn find(place: &Place, key: &Key) -> Key {
    place.store.find_key(key.id).unwrap().unwrap()
}

#[test]
fn keys_are_let_in_found_and_shut_out() {
    let place = Place::new();
    let bob = place.store.add_key(&name("bob"), &public_key(1), &Access::Admin).unwrap();
    let ann = place.store.add_key(&name("ann"), &public_key(0), &Access::Admin).unwrap();
    assert_eq!((&ann.public_key, &ann.fingerprint), (&public_key(0), &public_key(0).fingerprint()));
    let place = place.reopen();
    assert_eq!(find(&place, &ann), ann);
    assert_eq!(place.store.list_keys().unwrap(), [ann.clone(), bob.clone()]);
    place.store.remove_key(&ann.name).unwrap();
    assert_eq!(place.store.find_key(ann.id).unwrap(), None);
    assert_eq!(place.store.list_keys().unwrap(), [bob]);
    refused(place.store.remove_key(&ann.name), ErrorKind::NotFound);
    assert_eq!(place.store.find_key(KeyId(4711)).unwrap(), None);
    let again = place.store.add_key(&ann.name, &public_key(0), &Access::Admin).unwrap();
    assert!(again.id > ann.id, "an old forced command never becomes somebody else's");
}

#[test]
fn a_key_and_its_name_are_taken_once() {
    let place = Place::new();
    place.store.add_key(&name("ann"), &public_key(0), &Access::Admin).unwrap();
    let error =
        refused(place.store.add_key(&name("bob"), &public_key(0), &Access::Admin), ErrorKind::Conflict);
    assert!(matches!(&error, StoreError::KeyTaken(owner) if *owner == name("ann")), "{error:?}");
    let error =
        refused(place.store.add_key(&name("ann"), &public_key(1), &Access::Admin), ErrorKind::Conflict);
    assert!(matches!(&error, StoreError::KeyNameTaken(owner) if *owner == name("ann")), "{error:?}");
    // Another comment does not make it another key.
    let same = PublicKey::parse(&LINES[0].replace("ann@laptop", "eve")).unwrap();
    refused(place.store.add_key(&name("eve"), &same, &Access::Admin), ErrorKind::Conflict);
    assert_eq!(place.store.list_keys().unwrap().len(), 1);
}

#[test]
fn a_key_is_bound_to_apps_whatever_they_are_called() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let error = refused(
        place.store.add_key(&name("ann"), &public_key(0), &apps(&["blog", "other"])),
        ErrorKind::NotFound,
    );
    assert!(matches!(&error, StoreError::NoApp(app) if app.as_str() == "other"), "{error:?}");
    assert!(place.store.list_keys().unwrap().is_empty(), "all or nothing");
    let ann = place.store.add_key(&name("ann"), &public_key(0), &apps(&["shop", "blog", "shop"])).unwrap();
    assert_eq!(ann.access, apps(&["blog", "shop"]));
    let bob = place.store.add_key(&name("bob"), &public_key(1), &apps(&["shop"])).unwrap();
    let eve = place.store.add_key(&name("eve"), &public_key(2), &apps(&[])).unwrap();
    assert_eq!(eve.access, apps(&[]));
    place.store.rename_app(shop.id, &app_name("store"), DOMAIN).unwrap();
    assert_eq!(find(&place, &ann).access, apps(&["blog", "store"]));
    place.store.set_wanted(blog.id, Wanted::Destroyed { volumes: false }).unwrap();
    place.store.delete_app(blog.id, DOMAIN).unwrap();
    assert_eq!(find(&place, &ann).access, apps(&["store"]));
    place.store.set_wanted(shop.id, Wanted::Destroyed { volumes: false }).unwrap();
    place.store.delete_app(shop.id, DOMAIN).unwrap();
    // The person stays known, and may use nothing: also not a new app of the old name.
    place.app("blog");
    assert_eq!(find(&place, &bob).access, apps(&[]));
    assert_eq!(find(&place, &ann).access, apps(&[]));
    place.store.remove_key(&ann.name).unwrap();
    assert_eq!(place.store.list_keys().unwrap().len(), 2);
}
