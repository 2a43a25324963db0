//! Rows changed behind the store's back are refused, not used.

use paas_domain::AppId;
use paas_store::{ErrorKind, StoreError};
use rusqlite::{Connection, params};

use crate::support::{Place, refused, set};

fn sealed(db: &Connection, app: AppId, name: &str) -> Vec<u8> {
    let sql = "SELECT sealed FROM config_vars WHERE app_id = ?1 AND name = ?2";
    db.query_row(sql, params![app.0, name], |row| row.get(0)).unwrap()
}

fn put(db: &Connection, app: AppId, name: &str, sealed: &[u8]) {
    let sql = "UPDATE config_vars SET sealed = ?3 WHERE app_id = ?1 AND name = ?2";
    assert_eq!(db.execute(sql, params![app.0, name, sealed]).unwrap(), 1);
}

#[test]
fn values_of_one_app_cannot_be_swapped() {
    let place = Place::new();
    let app = place.app("blog");
    place.store.change_config(app.id, &[set("A", "1"), set("B", "2")]).unwrap();
    let db = place.raw();
    let (a, b) = (sealed(&db, app.id, "A"), sealed(&db, app.id, "B"));
    put(&db, app.id, "A", &b);
    put(&db, app.id, "B", &a);
    let error = refused(place.store.config(app.id), ErrorKind::Internal);
    assert!(matches!(&error, StoreError::Unsealable { what } if what == "the config var A"), "{error:?}");
    put(&db, app.id, "A", &a);
    put(&db, app.id, "B", &b);
    assert_eq!(place.store.config(app.id).unwrap().len(), 2);
}

#[test]
fn a_value_of_another_app_is_refused() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    place.store.change_config(blog.id, &[set("TOKEN", "blog's")]).unwrap();
    place.store.change_config(shop.id, &[set("TOKEN", "shop's")]).unwrap();
    let db = place.raw();
    put(&db, shop.id, "TOKEN", &sealed(&db, blog.id, "TOKEN"));
    refused(place.store.config(shop.id), ErrorKind::Internal);
    assert_eq!(place.store.config(blog.id).unwrap().len(), 1, "the other app is not hurt");
}

#[test]
fn a_cut_or_flipped_value_is_refused() {
    let place = Place::new();
    let app = place.app("blog");
    place.store.change_config(app.id, &[set("A", "a value")]).unwrap();
    let db = place.raw();
    let whole = sealed(&db, app.id, "A");
    for damaged in
        [vec![], whole[..10].to_vec(), whole[..whole.len() - 1].to_vec(), [&whole[..], b"x"].concat()]
    {
        put(&db, app.id, "A", &damaged);
        refused(place.store.config(app.id), ErrorKind::Internal);
    }
    for position in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[position] ^= 0x10;
        put(&db, app.id, "A", &flipped);
        refused(place.store.config(app.id), ErrorKind::Internal);
    }
    put(&db, app.id, "A", &whole);
    assert_eq!(place.store.config(app.id).unwrap().len(), 1);
}

#[test]
fn a_snapshot_opens_only_as_its_own_release() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let (one, two) = (place.push(&blog, "sha256:a"), place.push(&blog, "sha256:b"));
    let other = place.push(&shop, "sha256:c");
    let db = place.raw();
    let copy =
        "UPDATE releases SET sealed_spec = (SELECT sealed_spec FROM releases WHERE id = ?1) WHERE id = ?2";
    db.execute(copy, params![one.id.0, two.id.0]).unwrap();
    db.execute(copy, params![one.id.0, other.id.0]).unwrap();
    for release in [two.id, other.id] {
        let error = refused(place.store.get_release(release), ErrorKind::Internal);
        assert!(matches!(error, StoreError::Unsealable { .. }), "{error:?}");
    }
    assert_eq!(place.store.get_release(one.id).unwrap(), one);
    // The list needs no key.
    assert_eq!(place.store.list_releases(blog.id).unwrap().len(), 2);
    // Nor can a release be moved as a whole.
    db.execute("UPDATE releases SET app_id = ?1, version = 9 WHERE id = ?2", params![shop.id.0, one.id.0])
        .unwrap();
    refused(place.store.get_release(one.id), ErrorKind::Internal);
}
