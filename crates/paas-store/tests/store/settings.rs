use std::collections::BTreeMap;

use paas_domain::AppId;
use paas_store::{ErrorKind, Setting, StoreError};

use crate::support::{Place, process_type, refused};

#[test]
fn settings_are_set_and_taken_back() {
    let place = Place::new();
    let (app, other) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    let all: Vec<_> =
        Setting::ALL.iter().map(|setting| (*setting, Some(format!("of {}", setting.as_str())))).collect();
    assert!(store.change_settings(app.id, &all).unwrap());
    assert!(!store.change_settings(app.id, &all).unwrap(), "unchanged");
    assert_eq!(store.settings(app.id).unwrap().len(), Setting::ALL.len());
    assert!(store.settings(other.id).unwrap().is_empty());
    let change = [(Setting::HealthPath, None), (Setting::Dockerfile, Some("ops/Dockerfile".to_owned()))];
    assert!(store.change_settings(app.id, &change).unwrap());
    assert!(!store.change_settings(app.id, &change).unwrap());
    assert!(!store.change_settings(other.id, &[(Setting::HealthPath, None)]).unwrap());
    let place = place.reopen();
    let found = place.store.settings(app.id).unwrap();
    assert_eq!(found.get(&Setting::HealthPath), None);
    assert_eq!(found[&Setting::Dockerfile], "ops/Dockerfile");
    assert_eq!(found[&Setting::StopGrace], "of stop_grace");
    refused(place.store.change_settings(AppId(4711), &change), ErrorKind::NotFound);
}

#[test]
fn a_setting_is_known_by_its_name() {
    for setting in Setting::ALL {
        assert_eq!(Setting::parse(setting.as_str()), Some(setting));
    }
    assert_eq!(Setting::parse("Dockerfile"), None);
}

#[test]
fn a_setting_nobody_of_us_wrote_is_inconsistent() {
    let place = Place::new();
    let app = place.app("blog");
    place.raw().execute("INSERT INTO settings VALUES (?1, 'colour', 'red')", [app.id.0]).unwrap();
    let error = refused(place.store.settings(app.id), ErrorKind::Internal);
    assert!(matches!(error, StoreError::Inconsistent { table: "settings", .. }), "{error:?}");
}

#[test]
fn scale_is_kept_for_each_process_type() {
    let place = Place::new();
    let (app, other) = (place.app("blog"), place.app("shop"));
    let (web, worker) = (process_type("web"), process_type("worker"));
    place.store.set_scale(app.id, &BTreeMap::from([(web.clone(), 2), (worker.clone(), 0)])).unwrap();
    place.store.set_scale(app.id, &BTreeMap::from([(worker.clone(), 100)])).unwrap();
    assert_eq!(place.store.scale(app.id).unwrap(), BTreeMap::from([(web.clone(), 2), (worker.clone(), 100)]));
    assert!(place.store.scale(other.id).unwrap().is_empty());
    let error = refused(
        place.store.set_scale(app.id, &BTreeMap::from([(web.clone(), 1), (worker, 101)])),
        ErrorKind::Invalid,
    );
    assert_eq!(error.to_string(), "worker cannot run 101 containers; at most 100 are possible");
    assert_eq!(place.store.scale(app.id).unwrap()[&web], 2, "all or nothing");
    refused(place.store.set_scale(AppId(4711), &BTreeMap::from([(web, 1)])), ErrorKind::NotFound);
}
