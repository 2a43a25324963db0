//! Values are looked for in the raw bytes of every file.

use std::fs;

use paas_domain::{Hostname, Outcome, Secret};
use paas_store::{Certificate, CertificateSource, NewRelease, Pair, Validity};

use crate::support::{Place, config_key, set, spec, unset};

fn holds(place: &Place, text: &str) -> Vec<String> {
    let files = fs::read_dir(place.dir()).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| memmem(&fs::read(path).unwrap(), text.as_bytes()))
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect()
}

fn memmem(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

#[test]
fn no_file_ever_holds_a_value() {
    let place = Place::new();
    let app = place.app("findable-app");
    let mut values = Vec::new();
    let check = |values: &[String]| {
        assert!(place.dir().join("paas.db-wal").exists());
        assert!(!holds(&place, "findable-app").is_empty(), "the search finds what is not sealed");
        for value in values {
            assert_eq!(holds(&place, value), Vec::<String>::new());
        }
    };
    for round in 0..5 {
        let value = format!("canary-{round}-a4f1");
        place.store.change_config(app.id, &[set("TOKEN", &value), set("LONG", &value.repeat(400))]).unwrap();
        values.push(value);
        let value = format!("snapshot-{round}-77b0");
        let deploy = place.deploy(&app);
        let mut spec = spec("sha256:a");
        spec.config.insert(config_key("TOKEN"), Secret::new(value.clone()));
        let new =
            NewRelease { deploy, spec: &spec, description: "A change".into(), created_by: "ann".into() };
        let release = place.store.create_release(new).unwrap();
        assert_eq!(place.store.get_release(release.id).unwrap().spec, spec);
        place.store.end_deploy(deploy, Outcome::Failed, Some("no")).unwrap();
        values.push(value);
        values.extend(keys_of_certificates(&place, &app, round));
        check(&values);
        if round == 2 {
            place.raw().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            place.store.change_config(app.id, &[unset("LONG")]).unwrap();
            check(&values);
        }
    }
    let dir = place.dir().to_owned();
    let key = fs::read(dir.join("secret.key")).unwrap();
    for file in ["paas.db", "paas.db-wal"] {
        assert!(!memmem(&fs::read(dir.join(file)).unwrap(), &key), "{file}");
    }
    let place = place.reopen();
    assert_eq!(holds(&place, "findable-app"), ["paas.db"], "closed once: all of it is in the file");
    for value in &values {
        assert_eq!(holds(&place, value), Vec::<String>::new());
    }
}

/// Every kind of private key the store keeps.
fn keys_of_certificates(place: &Place, app: &paas_store::App, round: u32) -> [String; 5] {
    let store = &place.store;
    let values = ["got", "added", "order", "account", "root"].map(|kind| format!("{kind}-key-{round}-91ce"));
    let [got, added, order, account, root] = values.each_ref().map(Secret::new);
    let pair = |key| Pair { chain: "chain".into(), key };
    let validity =
        Validity { fingerprint: "aa".into(), issuer: "An Authority".into(), not_before: 0, not_after: 1 };
    let certificate = Certificate {
        hostname: Hostname::new("www.example.com").unwrap(),
        source: CertificateSource::Own,
        directory: None,
        validity: validity.clone(),
        obtained_at: 0,
        trusted: false,
        advice: None,
    };
    store.put_certificate(&certificate, &pair(got)).unwrap();
    store.add_certificate(app.id, &["www.example.com".to_owned()], &validity, &pair(added)).unwrap();
    store.begin_order(&certificate.hostname, "https://acme.example", &order).unwrap();
    store.save_acme_account("https://acme.example", &account).unwrap();
    store.save_own_authority(&pair(root), None).unwrap();
    values
}

#[test]
fn debug_and_errors_say_no_value() {
    let place = Place::new();
    let app = place.app("blog");
    let value = format!("canary-4711{}", "x".repeat(70_000));
    let error = place.store.change_config(app.id, &[set("TOKEN", &value)]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"));
    let error = place.store.change_config(app.id, &[set("TOKEN", "canary-4711\0")]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"));
    place.store.change_config(app.id, &[set("TOKEN", "canary-4711")]).unwrap();
    let shown = format!("{:?} {:?}", place.store, place.store.config(app.id).unwrap());
    assert!(!shown.contains("canary") && shown.contains(place.store.instance_label()), "{shown}");
}
