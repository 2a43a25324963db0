use paas_domain::{DeployId, DeployState, Outcome, ReleaseId, ReleaseVersion};
use paas_store::{ErrorKind, NewRelease, ReleaseStatus};

use crate::support::{Place, commit_id, refused, spec};

fn statuses(place: &Place, app: &paas_store::App) -> Vec<(u32, ReleaseStatus)> {
    place.store.list_releases(app.id).unwrap().into_iter().map(|row| (row.version.0, row.status)).collect()
}

#[test]
fn a_release_comes_back_whole() {
    let place = Place::new();
    let app = place.app("blog");
    let deploy = place.deploy(&app);
    let release = place.release(deploy, "sha256:a");
    assert_eq!((release.app, release.version, &release.spec), (app.id, ReleaseVersion(1), &spec("sha256:a")));
    assert_eq!((release.description.as_str(), release.created_by.as_str()), ("A change", "ann"));
    assert_eq!(place.store.get_deploy(deploy).unwrap().release, Some(release.id));
    let place = place.reopen();
    assert_eq!(place.store.get_release(release.id).unwrap(), release);
    let listed = place.store.list_releases(app.id).unwrap().remove(0);
    assert_eq!(
        (listed.id, listed.image.as_str(), listed.commit),
        (release.id, "sha256:a", Some(commit_id()))
    );
    refused(place.store.get_release(ReleaseId(4711)), ErrorKind::NotFound);
    refused(place.store.mark_image_removed(ReleaseId(4711)), ErrorKind::NotFound);
    let spec = spec("sha256:a");
    let absent = NewRelease {
        deploy: DeployId(4711),
        spec: &spec,
        description: String::new(),
        created_by: String::new(),
    };
    refused(place.store.create_release(absent), ErrorKind::NotFound);
}

#[test]
fn versions_count_for_each_app_and_are_never_used_again() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let mut seen = Vec::new();
    for outcome in [Outcome::Failed, Outcome::Cancelled, Outcome::Superseded, Outcome::Interrupted] {
        let deploy = place.deploy(&blog);
        seen.push(place.release(deploy, "sha256:a").version.0);
        place.store.end_deploy(deploy, outcome, None).unwrap();
    }
    place.store.mark_image_removed(place.store.list_releases(blog.id).unwrap()[0].id).unwrap();
    seen.push(place.push(&blog, "sha256:b").version.0);
    let place = place.reopen();
    seen.push(place.push(&blog, "sha256:b").version.0);
    assert_eq!(seen, [1, 2, 3, 4, 5, 6]);
    assert_eq!(place.push(&shop, "sha256:b").version.0, 1);
    let versions: Vec<u32> = statuses(&place, &blog).into_iter().map(|(version, _)| version).collect();
    assert_eq!(versions, [6, 5, 4, 3, 2, 1], "newest first");
}

#[test]
fn a_status_says_what_became_of_a_release() {
    use ReleaseStatus::{Active, Failed, Pending, Previous};
    let place = Place::new();
    let (app, store) = (place.app("blog"), &place.store);
    place.push(&app, "sha256:a");
    let second = place.push(&app, "sha256:b");
    let third = place.deploy(&app);
    place.release(third, "sha256:c");
    assert_eq!(statuses(&place, &app), [(3, Pending), (2, Active), (1, Previous)]);
    store.end_deploy(third, Outcome::Failed, Some("no")).unwrap();
    assert_eq!(statuses(&place, &app), [(3, Failed), (2, Active), (1, Previous)]);
    // A restart of the active release that fails does not make it a failed one.
    let restart = place.deploy(&app);
    store.use_release(restart, second.id).unwrap();
    store.end_deploy(restart, Outcome::Failed, None).unwrap();
    assert_eq!(statuses(&place, &app)[1], (2, Active));
    // Stopped is still active: it would run when started.
    store.stop_app(app.id).unwrap();
    assert_eq!(statuses(&place, &app)[1], (2, Active));
    let fourth = place.deploy(&app);
    place.release(fourth, "sha256:d");
    store.switch_deploy(fourth).unwrap();
    assert_eq!(statuses(&place, &app), [(4, Active), (3, Failed), (2, Previous), (1, Previous)]);
    store.advance_deploy(fourth, DeployState::Draining).unwrap();
    assert_eq!(statuses(&place, &app)[0], (4, Active));
}

#[test]
fn a_deploy_that_is_past_the_switch_takes_no_other_release() {
    let place = Place::new();
    let app = place.app("blog");
    let deploy = place.deploy(&app);
    let release = place.release(deploy, "sha256:a");
    place.store.switch_deploy(deploy).unwrap();
    let spec = spec("sha256:b");
    let new = || NewRelease { deploy, spec: &spec, description: String::new(), created_by: String::new() };
    refused(place.store.create_release(new()), ErrorKind::Internal);
    place.store.advance_deploy(deploy, DeployState::Draining).unwrap();
    place.store.end_deploy(deploy, Outcome::Done, None).unwrap();
    refused(place.store.create_release(new()), ErrorKind::Internal);
    assert_eq!(place.store.list_releases(app.id).unwrap().len(), 1);
    assert_eq!(place.again(&app).release, Some(release.id));
}
