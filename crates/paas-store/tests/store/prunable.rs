use paas_domain::{Outcome, ReleaseId};
use paas_store::App;

use crate::support::{Place, process_type};

fn prunable(place: &Place, app: &App, keep: usize) -> Vec<String> {
    place.store.prunable_images(app.id, keep).unwrap().into_iter().map(|(_, image)| image).collect()
}

fn fail(place: &Place, app: &App, image: &str) -> ReleaseId {
    let deploy = place.deploy(app);
    let release = place.release(deploy, image).id;
    place.store.end_deploy(deploy, Outcome::Failed, None).unwrap();
    release
}

#[test]
fn the_newest_that_ran_and_the_active_one_stay() {
    let place = Place::new();
    let (app, other) = (place.app("blog"), place.app("shop"));
    assert!(prunable(&place, &app, 0).is_empty());
    for image in ["a", "b", "c", "d"] {
        place.push(&app, image);
    }
    place.push(&other, "z");
    assert_eq!(prunable(&place, &app, 3), ["a"]);
    assert_eq!(prunable(&place, &app, 2), ["b", "a"]);
    assert_eq!(prunable(&place, &app, 1), ["c", "b", "a"]);
    assert_eq!(prunable(&place, &app, 0), ["c", "b", "a"], "never the active one");
    assert!(prunable(&place, &app, 9).is_empty());
    // A release that never ran does not push one that did out.
    fail(&place, &app, "e");
    assert_eq!(prunable(&place, &app, 3), ["e", "a"]);
}

#[test]
fn one_under_way_and_one_with_a_container_stay() {
    let place = Place::new();
    let app = place.app("blog");
    let first = place.deploy(&app);
    place.release(first, "a");
    let row = place.store.plan_containers(first, &[(process_type("web"), 1)]).unwrap().remove(0);
    place.finish(first);
    place.push(&app, "b");
    assert!(prunable(&place, &app, 1).is_empty(), "a container of it is still to be removed");
    place.store.delete_container(row.id).unwrap();
    assert_eq!(prunable(&place, &app, 1), ["a"]);
    let deploy = place.deploy(&app);
    place.release(deploy, "c");
    assert_eq!(prunable(&place, &app, 1), ["a"]);
    place.store.end_deploy(deploy, Outcome::Cancelled, None).unwrap();
    assert_eq!(prunable(&place, &app, 1), ["c", "a"]);
    // A restart of an old release keeps it while it lasts.
    let old = place.store.list_releases(app.id).unwrap().pop().unwrap();
    let restart = place.deploy(&app);
    place.store.use_release(restart, old.id).unwrap();
    assert_eq!(prunable(&place, &app, 1), ["c"]);
}

#[test]
fn an_image_that_a_kept_release_shares_stays() {
    let place = Place::new();
    let app = place.app("blog");
    place.push(&app, "a");
    place.push(&app, "b");
    fail(&place, &app, "b");
    // A config change: a new release of the first image.
    place.push(&app, "a");
    assert_eq!(prunable(&place, &app, 1), ["b", "b"]);
    assert!(prunable(&place, &app, 2).is_empty());
    place.push(&app, "c");
    assert_eq!(prunable(&place, &app, 1), ["a", "b", "b", "a"]);
    let pending = place.deploy(&app);
    place.release(pending, "b");
    assert_eq!(prunable(&place, &app, 1), ["a", "a"]);
}

#[test]
fn a_recorded_removal_is_not_told_again() {
    let place = Place::new();
    let app = place.app("blog");
    for image in ["a", "b", "c"] {
        place.push(&app, image);
    }
    for (release, _) in place.store.prunable_images(app.id, 2).unwrap() {
        place.store.mark_image_removed(release).unwrap();
    }
    let place = place.reopen();
    assert!(prunable(&place, &app, 2).is_empty());
    assert_eq!(prunable(&place, &app, 1), ["b"]);
    // The same image built anew is a release of its own, and goes in its turn.
    place.push(&app, "a");
    place.push(&app, "d");
    assert_eq!(prunable(&place, &app, 1), ["a", "c", "b"]);
}
