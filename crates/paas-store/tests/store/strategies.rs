//! Deploys that hold, and candidates.

use paas_domain::{DeployId, DeployState, Outcome, ReleaseId, Share, Strategy};
use paas_store::{App, ErrorKind, ReleaseStatus, StoreError};

use crate::support::{Place, process_type, refused};

fn share(percent: u8) -> Share {
    Share::new(percent).unwrap()
}

/// A deploy with a release of its own, checked.
fn checked(place: &Place, app: &App, image: &str) -> DeployId {
    let deploy = place.deploy(app);
    place.release(deploy, image);
    place.store.plan_containers(deploy, &[(process_type("web"), 1)]).unwrap();
    place.store.advance_deploy(deploy, DeployState::Checking).unwrap();
    deploy
}

fn candidate(place: &Place, app: &App, image: &str) -> DeployId {
    let deploy = checked(place, app, image);
    place.store.make_candidate(deploy, share(10)).unwrap();
    deploy
}

fn ended(place: &Place, deploy: DeployId) -> (DeployState, Option<String>) {
    let row = place.store.get_deploy(deploy).unwrap();
    (row.state, row.error)
}

const ABORTED: DeployState = DeployState::Ended(Outcome::Aborted);

#[test]
fn requests_are_held_from_the_holding_to_the_switch() {
    let mut place = Place::new();
    let app = place.app("blog");
    place.push(&app, "sha256:a");
    let deploy = place.deploy(&app);
    place.release(deploy, "sha256:b");
    assert_eq!(place.store.holding_deploy(app.id).unwrap(), None);
    place.store.hold_deploy(deploy, Strategy::Recreate).unwrap();
    place.store.plan_release_command(deploy).unwrap();
    place.store.plan_containers(deploy, &[(process_type("web"), 1)]).unwrap();
    place.store.advance_deploy(deploy, DeployState::Checking).unwrap();
    place = place.reopen();
    let row = place.store.holding_deploy(app.id).unwrap().unwrap();
    assert_eq!((row.id, row.strategy, row.is_holding()), (deploy, Strategy::Recreate, true));
    let other = place.app("shop");
    assert_eq!(place.store.holding_deploy(other.id).unwrap(), None);
    place.store.switch_deploy(deploy).unwrap();
    assert_eq!(place.store.holding_deploy(app.id).unwrap(), None);
    assert!(!place.store.get_deploy(deploy).unwrap().is_holding());
}

#[test]
fn a_failed_hold_is_over() {
    let place = Place::new();
    let app = place.app("blog");
    let deploy = place.deploy(&app);
    place.store.hold_deploy(deploy, Strategy::Hold).unwrap();
    place.store.end_deploy(deploy, Outcome::Failed, None).unwrap();
    assert_eq!(place.store.holding_deploy(app.id).unwrap(), None);
}

#[test]
fn only_one_deploy_holds_and_none_that_rolls() {
    let place = Place::new();
    let app = place.app("blog");
    let (first, second) = (place.deploy(&app), place.deploy(&app));
    refused(place.store.hold_deploy(first, Strategy::Rolling), ErrorKind::Internal);
    place.store.hold_deploy(first, Strategy::Hold).unwrap();
    refused(place.store.hold_deploy(second, Strategy::Hold), ErrorKind::Internal);
    assert_eq!(place.store.get_deploy(second).unwrap().state, DeployState::Queued);
    assert_eq!(place.store.holding_deploy(app.id).unwrap().unwrap().id, first);
}

#[test]
fn a_candidate_stays_until_it_is_promoted() {
    let mut place = Place::new();
    let app = place.app("blog");
    let active = place.push(&app, "sha256:a");
    let deploy = candidate(&place, &app, "sha256:b");
    place = place.reopen();
    let row = place.store.candidate(app.id).unwrap().unwrap();
    assert_eq!((row.id, row.share), (deploy, Some(share(10))));
    assert!(place.store.running_deploys().unwrap().is_empty(), "it waits for a person");
    assert_eq!(place.again(&app).release, Some(active.id));
    assert_eq!(place.store.set_share(app.id, share(50)).unwrap().unwrap().share, Some(share(50)));
    place.finish(deploy);
    assert_eq!(place.again(&app).active_deploy, Some(deploy));
    assert_eq!(place.store.candidate(app.id).unwrap(), None);
    assert_eq!(place.store.set_share(app.id, share(1)).unwrap(), None);
    assert_eq!(place.store.abort_candidate(app.id, "no").unwrap(), None);
}

#[test]
fn a_candidate_gives_way_to_a_newer_one_in_one_step() {
    let place = Place::new();
    let app = place.app("blog");
    place.push(&app, "sha256:a");
    let (older, newer) = (candidate(&place, &app, "sha256:b"), candidate(&place, &app, "sha256:c"));
    assert_eq!(place.store.candidate(app.id).unwrap().unwrap().id, newer);
    assert_eq!(ended(&place, older), (ABORTED, Some("a newer candidate took its place".to_owned())));
}

#[test]
fn a_candidate_needs_something_to_be_beside() {
    let place = Place::new();
    let app = place.app("blog");
    let first = checked(&place, &app, "sha256:a");
    refused(place.store.make_candidate(first, share(10)), ErrorKind::Internal);
    place.finish(first);
    let second = candidate(&place, &app, "sha256:b");
    place.store.stop_app(app.id).unwrap();
    assert_eq!(ended(&place, second).0, ABORTED);
}

#[test]
fn a_candidate_stays_beside_a_restart_and_not_beside_another_release() {
    let place = Place::new();
    let app = place.app("blog");
    let active = place.push(&app, "sha256:a");
    let deploy = candidate(&place, &app, "sha256:b");
    let restart = place.deploy(&app);
    place.store.use_release(restart, active.id).unwrap();
    place.finish(restart);
    assert_eq!(place.store.candidate(app.id).unwrap().unwrap().id, deploy);
    place.push(&app, "sha256:c");
    assert_eq!(ended(&place, deploy), (ABORTED, Some("another release became the active one".to_owned())));
}

#[test]
fn a_hold_ends_the_candidate_when_it_switches_and_never_becomes_one() {
    let place = Place::new();
    let app = place.app("blog");
    let active = place.push(&app, "sha256:a");
    let beside = candidate(&place, &app, "sha256:b");
    let hold = |release: Option<ReleaseId>| {
        let deploy = place.deploy(&app);
        match release {
            Some(release) => place.store.use_release(deploy, release).unwrap(),
            None => drop(place.release(deploy, "sha256:c")),
        }
        place.store.hold_deploy(deploy, Strategy::Hold).unwrap();
        for state in [DeployState::Starting, DeployState::Checking] {
            place.store.advance_deploy(deploy, state).unwrap();
        }
        deploy
    };
    let failing = hold(None);
    refused(place.store.make_candidate(failing, share(10)), ErrorKind::Internal);
    assert!(place.store.get_deploy(failing).unwrap().is_holding());
    place.store.end_deploy(failing, Outcome::Failed, Some("no database")).unwrap();
    assert_eq!(place.store.candidate(app.id).unwrap().unwrap().id, beside, "it comes back");

    let restart = hold(Some(active.id));
    place.store.switch_deploy(restart).unwrap();
    let (state, why) = ended(&place, beside);
    assert!(state == ABORTED && why.as_deref().unwrap().contains("lets no other run"), "{why:?}");
    place.store.advance_deploy(restart, DeployState::Draining).unwrap();
    place.store.end_deploy(restart, Outcome::Done, None).unwrap();

    let beside = candidate(&place, &app, "sha256:d");
    place.store.switch_deploy(hold(None)).unwrap();
    assert_eq!(ended(&place, beside).1.as_deref(), Some("another release became the active one"));
}

#[test]
fn a_candidates_release_is_decided() {
    let place = Place::new();
    let app = place.app("blog");
    let active = place.push(&app, "sha256:a");
    let deploy = candidate(&place, &app, "sha256:b");
    let error = refused(place.store.use_release(deploy, active.id), ErrorKind::Internal);
    assert!(matches!(error, StoreError::Inconsistent { .. }), "{error:?}");
}

#[test]
fn a_list_tells_candidate_and_aborted_from_failed() {
    let place = Place::new();
    let app = place.app("blog");
    place.push(&app, "sha256:a");
    candidate(&place, &app, "sha256:b");
    let status = || place.store.list_releases(app.id).unwrap()[0].status;
    assert_eq!(status(), ReleaseStatus::Candidate);
    assert!(place.store.prunable_images(app.id, 1).unwrap().is_empty(), "a candidate keeps its image");
    place.store.abort_candidate(app.id, "by ann").unwrap().unwrap();
    assert_eq!(status(), ReleaseStatus::Aborted);
}

/// What a route may still name has its row until its requests have ended; however many containers come and go, none of them gets its address.
#[test]
fn an_address_in_a_route_is_never_given_to_another_container() {
    let place = Place::new();
    let app = place.app("blog");
    let deploy = checked(&place, &app, "sha256:a");
    place.finish(deploy);
    candidate(&place, &app, "sha256:b");
    let routed: Vec<_> = place.store.containers(app.id).unwrap().into_iter().map(|row| row.address).collect();
    assert_eq!(routed.len(), 2);
    // More than twice round the range.
    for _ in 0..520 {
        let passing = place.deploy(&app);
        place.store.use_release(passing, place.again(&app).release.unwrap()).unwrap();
        let row = place.store.plan_release_command(passing).unwrap();
        assert!(!routed.contains(&row.address), "{} leads to two containers", row.address);
        place.store.delete_container(row.id).unwrap();
        place.store.end_deploy(passing, Outcome::Cancelled, None).unwrap();
    }
}
