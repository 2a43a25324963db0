use std::collections::BTreeMap;

use paas_domain::{AppId, ConfigKey, Secret};
use paas_store::{ErrorKind, StoreError};
use proptest::prelude::*;

use crate::support::{Place, config_key, refused, set, unset};

const LARGEST: usize = 64 << 10;

#[test]
fn values_come_back_byte_for_byte() {
    let place = Place::new();
    let app = place.app("blog");
    let largest: String = (0..LARGEST).map(|n| char::from(b' ' + u8::try_from(n % 95).unwrap())).collect();
    // 64 KiB of bytes, not of characters.
    let wide = "é".repeat(LARGEST / 2);
    let values = [
        ("EMPTY", ""),
        ("LINES", "-----BEGIN X-----\r\na\n\n b \n-----END X-----\n"),
        ("QUOTES", r#"'single' "double" `back` \ \n"#),
        ("DOLLAR", "$HOME ${HOME} $(id) $$ %s {{x}}"),
        ("UNICODE", "grüße 日本語 🚀 \u{200b}\u{feff} e\u{301}"),
        ("CONTROL", "\u{1}\t\u{7f}\u{1b}[31m"),
        ("SQL", "'); DROP TABLE config_vars; --"),
        ("LARGEST", &largest),
        ("WIDE", &wide),
    ];
    let changes: Vec<_> = values.iter().map(|(name, value)| set(name, value)).collect();
    assert!(place.store.change_config(app.id, &changes).unwrap());
    let place = place.reopen();
    let found = place.store.config(app.id).unwrap();
    assert_eq!(found.len(), values.len());
    for (name, value) in values {
        assert!(found[&config_key(name)].expose().as_bytes() == value.as_bytes(), "{name}");
    }
}

#[test]
fn changes_are_said_and_nothing_else_changes() {
    let place = Place::new();
    let (app, other) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    store.change_config(other.id, &[set("A", "theirs")]).unwrap();
    assert!(store.change_config(app.id, &[set("A", "1"), set("B", "2")]).unwrap());
    let row = |name: &str| -> Vec<u8> {
        let sql = "SELECT sealed FROM config_vars WHERE app_id = ?1 AND name = ?2";
        place.raw().query_row(sql, rusqlite::params![app.id.0, name], |row| row.get(0)).unwrap()
    };
    let before = (row("A"), row("B"));
    for nothing in [
        vec![],
        vec![set("A", "1")],
        vec![unset("C")],
        vec![set("A", "3"), set("A", "1")],
        vec![set("C", ""), unset("C")],
    ] {
        assert!(!store.change_config(app.id, &nothing).unwrap(), "{nothing:?}");
    }
    assert!(store.change_config(app.id, &[set("B", "3"), unset("C")]).unwrap());
    assert_eq!(row("A"), before.0, "an unchanged value is not written again");
    assert_ne!(row("B"), before.1);
    assert!(store.change_config(app.id, &[unset("A")]).unwrap());
    assert_eq!(store.config(app.id).unwrap(), BTreeMap::from([(config_key("B"), Secret::new("3"))]));
    assert_eq!(store.config(other.id).unwrap(), BTreeMap::from([(config_key("A"), Secret::new("theirs"))]));
    assert!(store.config(AppId(4711)).unwrap().is_empty());
}

#[test]
fn what_no_environment_can_hold_is_refused_as_a_whole() {
    let place = Place::new();
    let app = place.app("blog");
    let too_large = "x".repeat(LARGEST + 1);
    let error = refused(
        place.store.change_config(app.id, &[set("A", "1"), set("B", &too_large)]),
        ErrorKind::Invalid,
    );
    assert_eq!(error.to_string(), "the value of B has 65537 bytes; at most 65536 fit");
    let error =
        refused(place.store.change_config(app.id, &[set("A", "1"), set("B", "x\0y")]), ErrorKind::Invalid);
    assert!(matches!(&error, StoreError::Nul(key) if key.as_str() == "B"), "{error:?}");
    assert!(place.store.config(app.id).unwrap().is_empty(), "all or nothing");
}

#[test]
fn all_values_together_have_a_limit() {
    let place = Place::new();
    let app = place.app("blog");
    let value = "x".repeat(LARGEST);
    let full: Vec<_> = (0..15).map(|n| set(&format!("V{n}"), &value)).collect();
    place.store.change_config(app.id, &full).unwrap();
    // What is left of 1 MiB after 15 values with names of 2 or 3 bytes, `=` and NUL, and the name of the last one.
    let left = (1 << 20) - 15 * (LARGEST + 2) - (10 * 2 + 5 * 3) - "LAST".len() - 2;
    assert!(left <= LARGEST);
    let error =
        refused(place.store.change_config(app.id, &[set("LAST", &"y".repeat(left + 1))]), ErrorKind::Invalid);
    assert!(matches!(error, StoreError::ConfigTooLarge { bytes, limit } if bytes == limit + 1), "{error:?}");
    assert!(place.store.change_config(app.id, &[set("LAST", &"y".repeat(left))]).unwrap());
    // One goes and another comes: only the sum after it counts.
    assert!(place.store.change_config(app.id, &[unset("V0"), set("W0", &value)]).unwrap());
}

fn changes() -> impl Strategy<Value = Vec<(ConfigKey, Option<Secret>)>> {
    let name = "[A-E]".prop_map(|name| config_key(&name));
    let value = proptest::option::of("[^\0]{0,40}".prop_map(Secret::new));
    proptest::collection::vec((name, value), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is set and unset in whatever order: the config is what a map would be, and `changed` says whether it differs.
    #[test]
    fn the_config_is_a_map(rounds in proptest::collection::vec(changes(), 1..8)) {
        let place = Place::new();
        let app = place.app("blog");
        let mut model = BTreeMap::new();
        for changes in rounds {
            let before = model.clone();
            for (key, value) in &changes {
                match value {
                    Some(value) => model.insert(key.clone(), value.clone()),
                    None => model.remove(key),
                };
            }
            prop_assert_eq!(place.store.change_config(app.id, &changes).unwrap(), model != before);
            prop_assert_eq!(&place.store.config(app.id).unwrap(), &model);
        }
    }
}
