//! Not a benchmark: only what would be wrong by orders of magnitude, like a query without its index.

use std::time::{Duration, Instant};

use crate::support::{Place, set};

/// The best of several tries, so that a busy machine does not decide.
fn best<T>(mut work: impl FnMut() -> T) -> Duration {
    let once = |_| {
        let began = Instant::now();
        std::hint::black_box(work());
        began.elapsed()
    };
    (0..20).map(once).min().unwrap()
}

#[test]
fn a_thousand_apps_are_listed_in_no_time() {
    let place = Place::new();
    for number in 0..1000 {
        place.app(&format!("app-{number}"));
    }
    let first = place.store.list_apps().unwrap();
    assert_eq!(first.len(), 1000);
    let took = best(|| place.store.list_apps().unwrap());
    println!("1000 apps: {took:?}");
    assert!(took < Duration::from_millis(20), "{took:?}");
    let took = best(|| place.store.get_app(&first[500].name).unwrap());
    assert!(took < Duration::from_millis(2), "{took:?}");
}

#[test]
fn a_long_history_is_read_by_its_indexes() {
    let place = Place::new();
    let app = place.app("blog");
    let release = place.push(&app, "sha256:a");
    place.store.change_config(app.id, &[set("A", "1")]).unwrap();
    let db = place.raw();
    db.execute_batch(&format!(
        "BEGIN;
         WITH RECURSIVE n (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < 2000)
         INSERT INTO releases (app_id, version, image, description, created_by, sealed_spec, created_at)
         SELECT {app}, n, 'sha256:' || n, '', '', x'00', 0 FROM n;
         INSERT INTO deploys (app_id, kind, state, release_id, requested_by, created_at, updated_at)
         SELECT {app}, 'push', 'done', releases.id, '', 0, 0 FROM releases, (SELECT 1 UNION ALL SELECT 2);
         COMMIT;",
        app = app.id.0
    ))
    .unwrap();
    let took = best(|| place.store.prunable_images(app.id, 5).unwrap());
    assert_eq!(
        place.store.prunable_images(app.id, 5).unwrap().len(),
        1994,
        "all but five and the active one"
    );
    assert!(took < Duration::from_millis(200), "{took:?}");
    let took = best(|| place.store.running_deploys().unwrap());
    assert!(took < Duration::from_millis(2), "{took:?}");
    assert_eq!(place.again(&app).release, Some(release.id));
}
