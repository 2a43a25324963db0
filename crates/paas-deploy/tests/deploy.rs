//! Whole deploys on the fake engine.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use paas_deploy::CancelAnswer;
use paas_docker::{
    ContainerState, Engine as _,
    fake::{FakeBehaviour, FakeBuild, FakeCall, FakeWhen},
};
use paas_domain::{ConfigKey, DeployKind, MountPath, Outcome, Secret, VolumeName};
use paas_store::Wanted;
use support::{Server, name};

const FILES: &[(&str, &str)] = &[("Dockerfile", "FROM scratch\nCMD [\"/app\"]\n")];

#[test]
fn a_first_push_serves_and_a_second_replaces_it() {
    let server = Server::new();
    let control = server.control();
    let first = control.push(&server, &server.commit(FILES));
    assert_eq!(first.outcome(), Outcome::Done, "{}", first.text());
    assert!(first.text().contains("http://blog.example.org"), "{}", first.text());
    let second = control.push(&server, &server.commit(&[("Dockerfile", "FROM scratch\nCMD [\"/two\"]\n")]));
    assert_eq!(second.outcome(), Outcome::Done, "{}", second.text());
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(2));
    assert!(server.proxy.drained().contains("paas-blog-web-1-v1"));
}

#[test]
fn a_push_that_fails_leaves_the_old_version_and_nothing_else() {
    let server = Server::new();
    let control = server.control();
    assert_eq!(control.push(&server, &server.commit(FILES)).outcome(), Outcome::Done);
    let broken = server.commit(&[("Dockerfile", "FROM scratch\nCMD [\"/broken\"]\n")]);

    server.answer("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    control
        .store
        .change_settings(control.app().id, &[(paas_store::Setting::HealthTimeout, Some("3s".into()))])
        .unwrap();
    let told = control.push(&server, &broken);
    assert_eq!(told.outcome(), Outcome::Failed);
    assert!(told.text().contains("500") && told.text().contains("checks:set"), "{}", told.text());

    for (code, out_of_memory, why) in [
        (3, false, "exited with code 3"),
        (127, false, "its command is not in the image"),
        (137, true, "was killed for using too much memory"),
        (137, false, "was killed before it was healthy (exit code 137)"),
    ] {
        let log = vec!["cannot find module".to_owned()];
        server.engine.script_container(FakeWhen::Always, FakeBehaviour::Exits { code, out_of_memory, log });
        let told = control.push(&server, &broken);
        assert_eq!(told.outcome(), Outcome::Failed);
        assert!(told.text().contains(why) && told.text().contains("cannot find module"), "{}", told.text());
    }

    server.engine.script_build(
        FakeWhen::Always,
        FakeBuild::Fails {
            output: Vec::new(),
            step: Some("[2/2] RUN make".into()),
            message: "exit code: 2".into(),
        },
    );
    let told = control.push(&server, &broken);
    assert!(told.text().contains("the build failed at [2/2] RUN make"), "{}", told.text());
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(1));
}

#[test]
fn the_newest_push_of_an_app_wins() {
    let server = Server::new();
    let control = server.control();
    server.engine.script_build(FakeWhen::Always, FakeBuild::Hangs { output: Vec::new() });
    let older = control.begin_push(&server, &server.commit(FILES));
    control.block_on(server.engine.until(|engine| !engine.builds().is_empty()));
    server.engine.script_build(FakeWhen::Always, FakeBuild::succeeds());
    let newer =
        control.begin_push(&server, &server.commit(&[("Dockerfile", "FROM scratch\nCMD [\"/new\"]\n")]));
    assert_eq!(control.told(older).outcome(), Outcome::Superseded);
    assert_eq!(control.told(newer).outcome(), Outcome::Done);
    control.settle();
    control.assert_whole(&server);
}

#[test]
fn a_cancelled_push_leaves_nothing() {
    let server = Server::new();
    let control = server.control();
    server.engine.script_build(FakeWhen::Always, FakeBuild::Hangs { output: Vec::new() });
    let commit = server.commit(FILES);
    let handle = control.begin_push(&server, &commit);
    control.block_on(
        server.engine.until(|engine| engine.calls().iter().any(|call| call.call == FakeCall::Build)),
    );
    assert_eq!(control.deployer.cancel_push(&format!("push-{commit}")), CancelAnswer::Cancelled);
    assert_eq!(control.told(handle).outcome(), Outcome::Cancelled);
    assert_eq!(control.deployer.cancel_push("another"), CancelAnswer::Unknown);
    control.settle();
    assert_eq!(control.assert_whole(&server), None);
    assert!(server.engine.images().is_empty());
}

#[test]
fn a_config_change_is_a_release_and_values_are_hidden() {
    let server = Server::new();
    let control = server.control();
    assert_eq!(control.push(&server, &server.commit(FILES)).outcome(), Outcome::Done);
    let app = control.app().id;
    let token = (ConfigKey::new("TOKEN").unwrap(), Some(Secret::new("canary-4711")));
    control.store.change_config(app, &[token]).unwrap();
    server.engine.script_container(
        FakeWhen::Always,
        FakeBehaviour::Exits { code: 1, out_of_memory: false, log: vec!["token is canary-4711".into()] },
    );
    let told = control.told(redeploy(&control, DeployKind::Config).unwrap());
    assert_eq!(told.outcome(), Outcome::Failed);
    assert!(told.text().contains("token is [hidden]") && !told.text().contains("canary"), "{}", told.text());
    server.engine.script_container(FakeWhen::Always, FakeBehaviour::runs());
    assert_eq!(control.told(redeploy(&control, DeployKind::Config).unwrap()).outcome(), Outcome::Done);
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(3));
    let environment = server.engine.containers()[0].spec.env.clone();
    assert_eq!(environment["TOKEN"].expose(), "canary-4711");
    assert_eq!(environment["PAAS_RELEASE"].expose(), "v3");
}

#[test]
fn a_restart_keeps_the_release_and_makes_new_containers() {
    let server = Server::new();
    let control = server.control();
    assert_eq!(control.push(&server, &server.commit(FILES)).outcome(), Outcome::Done);
    let before = server.engine.containers()[0].spec.name.clone();
    assert_eq!(control.told(redeploy(&control, DeployKind::Restart).unwrap()).outcome(), Outcome::Done);
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(1));
    assert_ne!(server.engine.containers()[0].spec.name, before);
}

#[test]
fn a_stopped_app_has_no_container_until_it_is_started() {
    let server = Server::new();
    let control = server.control();
    assert_eq!(control.push(&server, &server.commit(FILES)).outcome(), Outcome::Done);
    let app = control.app().id;
    control.block_on(control.deployer.stop_app(app)).unwrap();
    assert!(server.engine.containers().is_empty());
    assert!(redeploy(&control, DeployKind::Config).is_none(), "a stopped app is not started by a change");
    assert_eq!(control.told(redeploy(&control, DeployKind::Start).unwrap()).outcome(), Outcome::Done);
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(1));
}

#[test]
fn a_destroyed_app_leaves_only_its_volumes() {
    let server = Server::new();
    let control = server.control();
    let files = &[FILES[0], ("paas.toml", "[volumes]\ndata = \"/data\"\n")];
    assert_eq!(control.push(&server, &server.commit(files)).outcome(), Outcome::Done);
    let app = control.app();
    control.block_on(control.deployer.destroy_app(app.id, false)).unwrap();
    assert!(control.store.find_app(&name("blog")).unwrap().is_none());
    assert!(
        server.engine.containers().is_empty()
            && server.engine.networks().is_empty()
            && server.engine.images().is_empty()
    );
    assert_eq!(server.engine.volumes().len(), 1, "the data stays");
    assert!(server.proxy.service(&format!("app-{}", app.id)).is_none());
}

/// Otherwise they would get to the next app, which has the network of the one before.
#[test]
fn a_destroyed_app_keeps_its_addresses_while_requests_may_still_be_sent_there() {
    let server = Server::new();
    let control = server.control();
    assert_eq!(control.push(&server, &server.commit(FILES)).outcome(), Outcome::Done);
    control.settle();
    control.kill();
    // One whose timer does not run: nobody else may have the app's turn when it is reconciled.
    let control = server.control_at_rest(None);
    let blog = control.app();
    let next = |app: &str| control.store.create_app(&name(app), "example.org").unwrap().subnet;
    server.proxy.set_unsure(true);
    control.block_on(control.deployer.destroy_app(blog.id, false)).unwrap_err();
    assert!(server.proxy.service(&format!("app-{}", blog.id)).is_none(), "it gets no new ones");
    assert_ne!(next("shop"), blog.subnet);
    server.proxy.set_unsure(false);
    control.block_on(control.deployer.reconcile()).unwrap();
    assert!(server.engine.containers().is_empty());
    assert_eq!(next("wiki"), blog.subnet);
}

#[test]
fn a_destroy_with_volumes_removes_the_data_too() {
    let server = Server::new();
    let control = server.control();
    let files = &[FILES[0], ("paas.toml", "[volumes]\ndata = \"/data\"\n")];
    assert_eq!(control.push(&server, &server.commit(files)).outcome(), Outcome::Done);
    control.block_on(control.deployer.destroy_app(control.app().id, true)).unwrap();
    assert!(server.engine.volumes().is_empty());
    assert!(control.store.list_volumes().unwrap().is_empty());
}

#[test]
fn a_destroy_with_volumes_keeps_what_another_apps_code_uses() {
    let server = Server::new();
    let control = server.control();
    let files = &[FILES[0], ("paas.toml", "[volumes]\ndata = \"/data\"\n")];
    assert_eq!(control.push(&server, &server.commit(files)).outcome(), Outcome::Done);
    let backup = control.store.create_app(&name("backup"), "example.org").unwrap();
    let data = VolumeName::new("blog--data").unwrap();
    control.store.mount(backup.id, &data, &MountPath::new("/data").unwrap()).unwrap();
    control.block_on(control.deployer.destroy_app(backup.id, true)).unwrap();
    assert!(!control.store.get_volume(&data).unwrap().destroying);
    assert_eq!(server.engine.volumes().len(), 1);
    assert_eq!(control.told(redeploy(&control, DeployKind::Restart).unwrap()).outcome(), Outcome::Done);
}

#[test]
fn an_old_deploy_whose_end_was_not_stored_does_not_touch_the_active_one() {
    let server = Server::new();
    let control = server.control();
    assert_eq!(control.push(&server, &server.commit(FILES)).outcome(), Outcome::Done);
    let second = control.push(&server, &server.commit(&[("Dockerfile", "FROM scratch\nCMD [\"/two\"]\n")]));
    assert_eq!(second.outcome(), Outcome::Done);
    control.settle();
    control.kill();
    server.tamper("UPDATE deploys SET state = 'draining' WHERE id = 1");
    let control = server.control();
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(2));
}

#[test]
fn a_change_that_waited_behind_a_stop_does_not_start_the_app() {
    let server = Server::new();
    let control = server.control();
    assert_eq!(control.push(&server, &server.commit(FILES)).outcome(), Outcome::Done);
    let app = control.app().id;
    control.settle();
    // The stop stands still with the app's turn; the change comes while the app still counts as running.
    server.proxy.set_in_flight("paas-blog-web-1-v1", 1);
    let mut hold = server.engine.hold_next(FakeCall::EnsureNetwork);
    let restart = redeploy(&control, DeployKind::Restart).unwrap();
    control.block_on(hold.reached());
    let deployer = control.deployer.clone();
    let stopping = control.spawn(async move { deployer.stop_app(app).await });
    let change = redeploy(&control, DeployKind::Config).unwrap();
    hold.release();
    server.proxy.set_in_flight("paas-blog-web-1-v1", 0);
    assert_eq!(control.told(restart).outcome(), Outcome::Done);
    control.block_on(stopping).unwrap().unwrap();
    let told = control.told(change);
    // Whoever came first: the app ends stopped, and a change after the stop says so.
    if told.outcome() != Outcome::Done {
        assert!(told.text().contains("stopped in the meantime"), "{}", told.text());
    }
    control.settle();
    assert_eq!(control.app().wanted, Wanted::Stopped);
    assert!(server.engine.containers().is_empty());
}

#[test]
fn a_container_removed_by_hand_comes_back() {
    let server = Server::new();
    let control = server.control();
    assert_eq!(control.push(&server, &server.commit(FILES)).outcome(), Outcome::Done);
    control.settle();
    let container = server.engine.containers()[0].spec.name.clone();
    control.block_on(server.engine.remove_container(&container)).unwrap();
    control.block_on(server.engine.until(|engine| {
        engine.containers().iter().any(|c| c.spec.name == container && c.state == ContainerState::Running)
    }));
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(1));
}

#[test]
fn the_release_command_runs_once_before_anything_starts() {
    let server = Server::new();
    let control = server.control();
    let files = &[FILES[0], ("Procfile", "web: /app\nworker: /work\nrelease: /migrate up\n")];
    server.engine.script_container(
        FakeWhen::Container("paas-blog-release-v1".into()),
        FakeBehaviour::exits(1, "migration 7 failed"),
    );
    let told = control.push(&server, &server.commit(files));
    assert_eq!(told.outcome(), Outcome::Failed);
    assert!(
        told.text().contains("migration 7 failed") && told.text().contains("release command failed"),
        "{}",
        told.text()
    );
    server.engine.script_container(
        FakeWhen::Container("paas-blog-release-v2".into()),
        FakeBehaviour::exits(0, "migrated"),
    );
    let told = control.push(&server, &server.commit(files));
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    control.settle();
    control.assert_whole(&server);
    let mut names: Vec<String> = server.engine.containers().into_iter().map(|c| c.spec.name).collect();
    names.sort();
    assert_eq!(names, ["paas-blog-web-1-v2", "paas-blog-worker-1-v2"]);
}

#[test]
fn nothing_begins_while_the_engine_or_the_proxy_is_away() {
    let server = Server::new();
    let control = server.control();
    let commit = server.commit(FILES);
    server.engine.set_down(true);
    let told = control.push(&server, &commit);
    assert!(told.text().contains("Docker Engine does not answer"), "{}", told.text());
    server.engine.set_down(false);
    server.proxy.set_away(true);
    let told = control.push(&server, &commit);
    assert!(told.text().contains("the proxy is away"), "{}", told.text());
    server.proxy.set_away(false);
    assert_eq!(control.push(&server, &commit).outcome(), Outcome::Done);
    assert_eq!(control.app().wanted, Wanted::Running);
}

fn redeploy(control: &support::Control, kind: DeployKind) -> Option<paas_deploy::DeployHandle> {
    control.block_on(async {
        control.deployer.redeploy(control.app().id, kind, "a change".into(), "ann".into()).unwrap()
    })
}

#[test]
fn what_the_repository_says_about_requests_comes_with_its_deploy_and_a_command_wins_at_once() {
    let server = Server::new();
    let control = server.control();
    let route_of =
        |control: &support::Control| server.proxy.service(&format!("app-{}", control.app().id)).unwrap();
    let manifest = "[http]\nmax_body = '5m'\ncompression = true\n[pages]\n404 = '404.html'\n";
    let commit =
        |manifest: &str| server.commit(&[FILES[0], ("404.html", "<p>Not here</p>"), ("paas.toml", manifest)]);
    let told = control.push(&server, &commit(manifest));
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    let policy = route_of(&control).policy;
    assert_eq!((policy.max_body, policy.compression), (5 << 20, true));
    assert_eq!(policy.error_pages[&404], "<p>Not here</p>");

    let app = control.app().id;
    let set =
        |setting, value: &str| control.store.change_settings(app, &[(setting, Some(value.into()))]).unwrap();
    set(paas_store::Setting::MaxBody, "1024");
    set(paas_store::Setting::Maintenance, "on");
    control.block_on(control.deployer.apply_routes(app)).unwrap();
    let service = route_of(&control);
    assert_eq!((service.policy.max_body, service.state), (1024, paas_proxy::ServiceState::Maintenance));

    // A deploy brings what its paas.toml says, and ends no maintenance.
    let told = control.push(&server, &commit("[http]\nsticky = true\n"));
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    let service = route_of(&control);
    assert_eq!(service.state, paas_proxy::ServiceState::Maintenance);
    assert_eq!(
        (service.policy.sticky, service.policy.compression, service.policy.max_body),
        (true, false, 1024)
    );
    assert!(service.policy.error_pages.is_empty());
    let told = control.push(&server, &commit("[pages]\n404 = 'gone.html'\n"));
    assert_eq!(told.outcome(), Outcome::Failed);
    assert!(told.text().contains("gone.html, which paas.toml names"), "{}", told.text());
    control.settle();
}
