use std::collections::BTreeSet;

use paas_domain::{AppId, ContainerId, DeployId, DeployState, Outcome};
use paas_store::{ContainerRow, ErrorKind, StoreError};

use crate::support::{DOMAIN, Place, app_name, process_type, refused};

fn names(rows: &[ContainerRow]) -> Vec<&str> {
    rows.iter().map(|row| row.name.as_str()).collect()
}

fn plan(place: &Place, deploy: DeployId, counts: &[(&str, u16)]) -> Vec<ContainerRow> {
    let counts: Vec<_> = counts.iter().map(|(name, count)| (process_type(name), *count)).collect();
    place.store.plan_containers(deploy, &counts).unwrap()
}

#[test]
fn containers_are_planned_with_the_state_that_starts_them() {
    let place = Place::new();
    let app = place.app("blog");
    let deploy = place.deploy(&app);
    let error =
        refused(place.store.plan_containers(deploy, &[(process_type("web"), 1)]), ErrorKind::Internal);
    assert!(matches!(error, StoreError::NoRelease(_)), "{error:?}");
    let release = place.release(deploy, "sha256:a").id;
    let command = place.store.plan_release_command(deploy).unwrap();
    assert_eq!(place.store.get_deploy(deploy).unwrap().state, DeployState::Releasing);
    assert_eq!(
        (command.process_type.as_ref(), command.number, command.name.as_str()),
        (None, 1, "paas-blog-release-v1")
    );
    // Its row may still be there when the others are planned.
    let rows = plan(&place, deploy, &[("web", 2), ("idle", 0), ("worker", 1)]);
    assert_eq!(place.store.get_deploy(deploy).unwrap().state, DeployState::Starting);
    assert_eq!(names(&rows), ["paas-blog-web-1-v1", "paas-blog-web-2-v1", "paas-blog-worker-1-v1"]);
    let addresses: Vec<String> = rows.iter().map(|row| row.address.to_string()).collect();
    assert_eq!(addresses, ["10.208.0.3", "10.208.0.4", "10.208.0.5"]);
    assert!(rows.iter().all(|row| (row.app, row.deploy, row.release) == (app.id, deploy, release)));
    let place = place.reopen();
    let mut all = vec![command.clone()];
    all.extend(rows.clone());
    assert_eq!(place.store.containers(app.id).unwrap(), all);
    assert_eq!(place.store.containers_of_deploy(deploy).unwrap(), all);
    assert_eq!(place.store.all_containers().unwrap(), all);
    place.store.delete_container(command.id).unwrap();
    place.store.delete_container(command.id).unwrap();
    assert_eq!(place.store.containers(app.id).unwrap(), rows);
}

#[test]
fn each_question_has_its_own_containers() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let deploys: Vec<DeployId> = [&blog, &blog, &shop]
        .into_iter()
        .map(|app| {
            let deploy = place.deploy(app);
            place.release(deploy, "sha256:a");
            plan(&place, deploy, &[("web", 1)]);
            deploy
        })
        .collect();
    let of = |rows: Vec<ContainerRow>| rows.into_iter().map(|row| row.deploy).collect::<Vec<_>>();
    assert_eq!(of(place.store.containers(blog.id).unwrap()), deploys[..2]);
    assert_eq!(of(place.store.containers(shop.id).unwrap()), deploys[2..]);
    assert_eq!(of(place.store.containers_of_deploy(deploys[1]).unwrap()), deploys[1..2]);
    assert_eq!(of(place.store.all_containers().unwrap()), deploys);
    assert!(place.store.containers(AppId(4711)).unwrap().is_empty());
    assert!(place.store.containers_of_deploy(DeployId(4711)).unwrap().is_empty());
    place.store.delete_container(ContainerId(4711)).unwrap();
    let shops = place.store.containers(shop.id).unwrap().remove(0);
    assert_eq!(shops.address.to_string(), "10.208.1.2", "in its own network");
}

#[test]
fn a_release_deployed_again_has_a_suffix() {
    let place = Place::new();
    let app = place.app("blog");
    let first = place.deploy(&app);
    let release = place.release(first, "sha256:a");
    assert_eq!(names(&plan(&place, first, &[("web", 1)])), ["paas-blog-web-1-v1"]);
    place.finish(first);
    let mut all = BTreeSet::new();
    for attempt in 2..5 {
        let restart = place.deploy(&app);
        place.store.use_release(restart, release.id).unwrap();
        let rows = plan(&place, restart, &[("web", 2)]);
        let expected = [1, 2].map(|number| format!("paas-blog-web-{number}-v1-{attempt}"));
        assert_eq!(names(&rows), expected);
        // Whether the restart succeeds or not, and whether the old ones are gone already.
        match attempt {
            2 => place.store.end_deploy(restart, Outcome::Failed, None).unwrap(),
            _ => place.finish(restart),
        }
        if attempt == 3 {
            for row in &rows {
                place.store.delete_container(row.id).unwrap();
            }
        }
        all.extend(rows.into_iter().map(|row| row.name));
    }
    assert_eq!(all.len(), 6, "no name comes twice");
    let next = place.deploy(&app);
    place.release(next, "sha256:b");
    assert_eq!(names(&plan(&place, next, &[("web", 1)])), ["paas-blog-web-1-v2"]);
}

#[test]
fn a_rename_leaves_names_and_never_collides() {
    let place = Place::new();
    let app = place.app("blog");
    let deploy = place.deploy(&app);
    place.release(deploy, "sha256:a");
    plan(&place, deploy, &[("web", 1)]);
    place.finish(deploy);
    place.store.rename_app(app.id, &app_name("news"), DOMAIN).unwrap();
    assert_eq!(names(&place.store.containers(app.id).unwrap()), ["paas-blog-web-1-v1"]);
    let next = place.deploy(&app);
    place.release(next, "sha256:b");
    assert_eq!(names(&plan(&place, next, &[("web", 1)])), ["paas-news-web-1-v2"]);
    // Another app takes the old name while a container still bears it; the whole deploy steps aside.
    let taker = place.app("blog");
    let deploy = place.deploy(&taker);
    place.release(deploy, "sha256:c");
    let rows = plan(&place, deploy, &[("web", 2)]);
    assert_eq!(names(&rows), ["paas-blog-web-1-v1-2", "paas-blog-web-2-v1-2"]);
}

/// Hyphens in names: different apps and types may spell the same container.
#[test]
fn names_that_spell_the_same_are_told_apart() {
    let place = Place::new();
    let spelled = [("a", "b-web"), ("a-b", "web")].map(|(app, process)| {
        let deploy = place.deploy(&place.app(app));
        place.release(deploy, "sha256:a");
        plan(&place, deploy, &[(process, 1)]).remove(0).name
    });
    assert_eq!(spelled, ["paas-a-b-web-1-v1", "paas-a-b-web-1-v1-2"]);
}

#[test]
fn a_network_runs_out_of_addresses_and_nothing_is_half_planned() {
    let place = Place::new();
    let app = place.app("blog");
    let first = place.deploy(&app);
    place.release(first, "sha256:a");
    let rows = plan(&place, first, &[("web", 100), ("worker", 100), ("other", 52)]);
    let second = place.deploy(&app);
    place.release(second, "sha256:b");
    let two = [(process_type("web"), 2)];
    let error = refused(place.store.plan_containers(second, &two), ErrorKind::Exhausted);
    assert!(error.to_string().contains("scale it down"), "{error}");
    assert_eq!(place.store.containers(app.id).unwrap(), rows);
    assert_eq!(place.store.get_deploy(second).unwrap().state, DeployState::Queued);
    place.store.delete_container(rows[7].id).unwrap();
    let planned = place.store.plan_containers(second, &two).unwrap();
    let last: Vec<u8> = planned.iter().map(|row| row.address.octets()[3]).collect();
    assert_eq!(last, [254, rows[7].address.octets()[3]]);
    let third = place.deploy(&app);
    place.release(third, "sha256:c");
    refused(place.store.plan_release_command(third), ErrorKind::Exhausted);
}
