use paas_domain::{DeployId, DeployKind, DeployState, Outcome, ReleaseId, Share, Strategy};
use paas_store::{App, ErrorKind, NewDeploy, Store, StoreError, Wanted};

use crate::support::{Place, commit_id, process_type, refused};

const FAILURES: [Outcome; 4] =
    [Outcome::Failed, Outcome::Cancelled, Outcome::Superseded, Outcome::Interrupted];

fn state(store: &Store, deploy: DeployId) -> DeployState {
    store.get_deploy(deploy).unwrap().state
}

/// The states of a deploy that neither holds nor becomes a candidate.
fn rolling() -> impl Iterator<Item = DeployState> {
    let others = [DeployState::Holding, DeployState::Candidate];
    DeployState::RUNNING.into_iter().filter(move |state| !others.contains(state))
}

/// By the way there is.
fn advance(store: &Store, deploy: DeployId, to: DeployState) {
    match to {
        DeployState::Holding => store.hold_deploy(deploy, Strategy::Hold),
        DeployState::Candidate => store.make_candidate(deploy, Share::new(10).unwrap()),
        DeployState::Switching => store.switch_deploy(deploy),
        _ => store.advance_deploy(deploy, to),
    }
    .unwrap();
}

/// Brings a new deploy, with a release, into a state by the ways there are.
fn deploy_in(place: &Place, app: &App, state: DeployState) -> DeployId {
    if state == DeployState::Candidate {
        place.push(app, "sha256:active");
    }
    let deploy = place.deploy(app);
    place.release(deploy, "sha256:a");
    let before = rolling().take_while(|step| step.as_str() != state.as_str());
    for step in before.filter(|step| step.may_become(state)).chain([state]) {
        if step != DeployState::Queued {
            advance(&place.store, deploy, step);
        }
    }
    assert_eq!(place.store.get_deploy(deploy).unwrap().state, state);
    deploy
}

fn illegal<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    let error = refused(result, ErrorKind::Internal);
    assert!(matches!(error, StoreError::IllegalTransition { .. }), "{error:?}");
}

#[test]
fn a_deploy_is_recorded_and_listed() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let mut made = Vec::new();
    for kind in DeployKind::ALL {
        let new = NewDeploy { app: blog.id, kind, commit: None, requested_by: "ann".into() };
        let row = place.store.create_deploy(new).unwrap();
        assert_eq!(
            (row.kind, row.state, row.release, row.error.clone()),
            (kind, DeployState::Queued, None, None)
        );
        assert_eq!((row.app, row.commit.clone(), row.requested_by.as_str()), (blog.id, None, "ann"));
        made.push(row);
    }
    let pushed = place.store.get_deploy(place.deploy(&shop)).unwrap();
    assert_eq!(pushed.commit, Some(commit_id()));
    let place = place.reopen();
    let store = &place.store;
    assert_eq!(store.find_deploy(made[2].id).unwrap().as_ref(), Some(&made[2]));
    assert_eq!(store.find_deploy(DeployId(4711)).unwrap(), None);
    refused(store.get_deploy(DeployId(4711)), ErrorKind::NotFound);
    assert_eq!(store.list_deploys(blog.id, 2).unwrap(), [made[4].clone(), made[3].clone()]);
    assert_eq!(store.list_deploys(blog.id, usize::MAX).unwrap().len(), 5);
    assert_eq!(store.list_deploys(blog.id, 0).unwrap(), []);
    store.end_deploy(made[0].id, Outcome::Failed, Some("why")).unwrap();
    let mut expected = made[1..].to_vec();
    expected.push(pushed);
    assert_eq!(store.running_deploys().unwrap(), expected, "oldest first, of every app");
}

#[test]
fn a_deploy_goes_through_its_states_and_survives_a_reopening() {
    let mut place = Place::new();
    let app = place.app("blog");
    let deploy = place.deploy(&app);
    place.release(deploy, "sha256:a");
    for step in rolling().skip(1) {
        advance(&place.store, deploy, step);
        place = place.reopen();
        assert_eq!(state(&place.store, deploy), step);
        assert_eq!(place.store.running_deploys().unwrap().len(), 1);
    }
    place.store.end_deploy(deploy, Outcome::Done, None).unwrap();
    assert_eq!(state(&place.store, deploy), DeployState::Ended(Outcome::Done));
    assert!(place.store.running_deploys().unwrap().is_empty());
}

/// Every pair of states, by every way that leads to the second.
#[test]
fn illegal_transitions_are_refused_and_change_nothing() {
    let place = Place::new();
    let app = place.app("blog");
    for (rank, from) in DeployState::RUNNING.into_iter().enumerate() {
        let deploy = deploy_in(&place, &app, from);
        let before = (place.store.get_deploy(deploy).unwrap(), place.again(&app));
        for (other, to) in DeployState::RUNNING.into_iter().enumerate() {
            let backward = other <= rank;
            let has_its_own_way =
                matches!(to, DeployState::Holding | DeployState::Candidate | DeployState::Switching);
            let skips_the_switch = to == DeployState::Draining && from != DeployState::Switching;
            if backward || has_its_own_way || skips_the_switch {
                illegal(place.store.advance_deploy(deploy, to));
            }
        }
        for outcome in [Outcome::Done, Outcome::Failed] {
            illegal(place.store.advance_deploy(deploy, DeployState::Ended(outcome)));
        }
        if from != DeployState::Candidate {
            illegal(place.store.end_deploy(deploy, Outcome::Aborted, None));
        }
        if from.has_switched() {
            illegal(place.store.switch_deploy(deploy));
        }
        if from.has_switched() || from == DeployState::Candidate {
            illegal(place.store.hold_deploy(deploy, Strategy::Hold));
            for outcome in FAILURES {
                illegal(place.store.end_deploy(deploy, outcome, None));
            }
            illegal(place.store.plan_release_command(deploy));
        }
        // What has switched may be done, even when its draining could not be recorded.
        if !matches!(from, DeployState::Switching | DeployState::Draining) {
            illegal(place.store.end_deploy(deploy, Outcome::Done, None));
        }
        if rank >= 4 {
            illegal(place.store.plan_containers(deploy, &[(process_type("web"), 1)]));
        }
        assert_eq!((place.store.get_deploy(deploy).unwrap(), place.again(&app)), before);
    }
    assert!(place.store.all_containers().unwrap().is_empty());
}

#[test]
fn nothing_follows_an_end() {
    let place = Place::new();
    let app = place.app("blog");
    let mut ended = vec![deploy_in(&place, &app, DeployState::Draining)];
    place.store.end_deploy(ended[0], Outcome::Done, None).unwrap();
    for outcome in FAILURES {
        let deploy = deploy_in(&place, &app, DeployState::Checking);
        place.store.end_deploy(deploy, outcome, Some("the reason")).unwrap();
        let row = place.store.get_deploy(deploy).unwrap();
        assert_eq!((row.state, row.error.as_deref()), (DeployState::Ended(outcome), Some("the reason")));
        ended.push(deploy);
    }
    let before = place.again(&app);
    let some_release = before.release.unwrap();
    for deploy in ended {
        let row = place.store.get_deploy(deploy).unwrap();
        for state in DeployState::RUNNING {
            illegal(place.store.advance_deploy(deploy, state));
        }
        illegal(place.store.switch_deploy(deploy));
        illegal(place.store.plan_containers(deploy, &[(process_type("web"), 1)]));
        illegal(place.store.end_deploy(deploy, Outcome::Done, None));
        for outcome in FAILURES {
            illegal(place.store.end_deploy(deploy, outcome, Some("another")));
        }
        refused(place.store.use_release(deploy, some_release), ErrorKind::Internal);
        assert_eq!(place.store.get_deploy(deploy).unwrap(), row);
    }
    assert_eq!(place.again(&app), before);
}

#[test]
fn the_switch_sets_the_app_in_one_step() {
    let place = Place::new();
    let (app, other) = (place.app("blog"), place.app("shop"));
    let deploy = place.deploy(&app);
    let error = refused(place.store.switch_deploy(deploy), ErrorKind::Internal);
    assert!(matches!(error, StoreError::NoRelease(_)), "{error:?}");
    let release = place.release(deploy, "sha256:a");
    place.store.stop_app(app.id).unwrap();
    place.store.switch_deploy(deploy).unwrap();
    let now = place.again(&app);
    assert_eq!(
        (now.wanted, now.release, now.active_deploy),
        (Wanted::Running, Some(release.id), Some(deploy))
    );
    assert_eq!(place.again(&other), other);

    // It is refused in the middle of it: neither the state nor the app has moved.
    let next = place.deploy(&app);
    place.release(next, "sha256:b");
    place
        .raw()
        .execute_batch("CREATE TRIGGER t BEFORE UPDATE ON apps BEGIN SELECT raise(ABORT, 'no'); END")
        .unwrap();
    refused(place.store.switch_deploy(next), ErrorKind::Internal);
    place.raw().execute_batch("DROP TRIGGER t").unwrap();
    assert_eq!(state(&place.store, next), DeployState::Queued);
    assert_eq!(place.again(&app), now);
    place.store.switch_deploy(next).unwrap();
    assert_eq!(place.again(&app).active_deploy, Some(next));
}

#[test]
fn a_deploy_uses_only_a_release_of_its_own_app() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let (ours, theirs) = (place.push(&blog, "sha256:a"), place.push(&shop, "sha256:b"));
    let deploy = place.deploy(&blog);
    refused(place.store.use_release(deploy, theirs.id), ErrorKind::Internal);
    refused(place.store.use_release(deploy, ReleaseId(4711)), ErrorKind::NotFound);
    refused(place.store.use_release(DeployId(4711), ours.id), ErrorKind::NotFound);
    assert_eq!(place.store.get_deploy(deploy).unwrap().release, None);
    place.store.use_release(deploy, ours.id).unwrap();
    place.finish(deploy);
    assert_eq!(place.again(&blog).release, Some(ours.id));
    let absent = DeployId(4711);
    refused(place.store.advance_deploy(absent, DeployState::Building), ErrorKind::NotFound);
    refused(place.store.switch_deploy(absent), ErrorKind::NotFound);
    refused(place.store.end_deploy(absent, Outcome::Done, None), ErrorKind::NotFound);
}

#[test]
fn deploys_are_counted_by_where_they_stand() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    assert_eq!(place.store.deploys_by_state().unwrap(), []);
    place.push(&blog, "sha256:a");
    place.push(&shop, "sha256:b");
    place.deploy(&blog);
    let counts = [(DeployState::Ended(Outcome::Done), 2), (DeployState::Queued, 1)];
    assert_eq!(place.store.deploys_by_state().unwrap(), counts);
}
