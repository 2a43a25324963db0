//! Apps, config vars, domains, settings: each endpoint through the real client and socket.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod support;

use std::collections::BTreeMap;

use paas_control::{
    Change, Client, ClientError,
    wire::{AppState, ConfigChange, ErrorKind, PartState, ReleaseState, SettingsChange, Source, TakesEffect},
};
use paas_domain::{DeployEvent, Outcome};
use paas_store::Access;
use support::*;

fn set(vars: &[(&str, &str)], restart: bool) -> ConfigChange {
    let set = vars.iter().map(|(name, value)| (var(name), secret(value))).collect();
    ConfigChange { set, unset: Vec::new(), restart }
}

#[track_caller]
fn takes_effect(change: Change) -> TakesEffect {
    match change {
        Change::Saved(saved) => saved.takes_effect,
        Change::Deploying(_) => panic!("a deploy began"),
    }
}

#[tokio::test]
async fn status_says_who_answers() {
    let server = Server::start();
    server.world.app("blog");
    let status = server.root().status().await.unwrap();
    assert_eq!((status.version.as_str(), status.apps), ("1.2.3", 1));
    assert_eq!(status.instance, server.world.store().instance_label());
    assert_eq!((&status.engine, &status.proxy), (&PartState::Ok, &PartState::Ok));
    server.world.engine.set_down(true);
    server.world.proxy.set_away(true);
    let status = server.root().status().await.unwrap();
    for part in [status.engine, status.proxy] {
        assert!(matches!(&part, PartState::Error(why) if !why.is_empty()), "{part:?}");
    }
}

#[tokio::test]
async fn nobody_listening_says_how_to_start_control() {
    let error = Client::new("/nonexistent/paas.sock".into(), None).status().await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }));
    assert!(error.to_string().contains("systemctl start paas"), "{error}");
}

#[tokio::test]
async fn an_app_is_made_shown_renamed_and_destroyed() {
    let server = Server::start();
    let root = server.root();
    let made = root.create_app(&app_name("blog")).await.unwrap();
    assert_eq!(made.state, AppState::NeverDeployed);
    assert_eq!(made.git_remote, "paas@example.org:blog");
    assert_eq!(made.urls, ["http://blog.example.org"]);
    assert_eq!(refusal(root.create_app(&app_name("blog")).await).kind, ErrorKind::Conflict);
    let renamed = root.rename_app(&app_name("blog"), &app_name("news")).await.unwrap();
    assert_eq!((renamed.id, renamed.name.as_str()), (made.id, "news"));
    assert_eq!(refusal(root.app(&app_name("blog")).await).kind, ErrorKind::NotFound);
    let list = root.list_apps().await.unwrap();
    assert_eq!(list.iter().map(|app| app.name.as_str()).collect::<Vec<_>>(), ["news"]);
    let repository = root.prepare_push(&app_name("news")).await.unwrap().repository;
    assert!(repository.join("HEAD").exists());
    root.destroy_app(&app_name("news"), false).await.unwrap();
    assert!(root.list_apps().await.unwrap().is_empty());
    assert!(!repository.exists());
}

#[tokio::test]
async fn a_list_has_only_what_the_key_may_see_and_says_how_each_app_is() {
    let world = World::new();
    let (blog, shop) = (world.deployed("blog"), world.deployed("shop"));
    world.app("empty");
    let key = world.key("dev", &Access::Apps(vec![blog.name.clone(), shop.name.clone()]));
    world.start_containers(&blog).await;
    let container = world.start_containers(&shop).await.remove(0);
    world.engine.exit_container(&container, paas_docker::ContainerExit { code: 1, out_of_memory: false });
    let server = Server::start_with(world);
    let states = |list: Vec<paas_control::wire::AppSummary>| -> Vec<(String, AppState)> {
        list.into_iter().map(|app| (app.name.to_string(), app.state)).collect()
    };
    let expected = [("blog".to_owned(), AppState::Running), ("shop".to_owned(), AppState::Crashed)];
    assert_eq!(states(server.with_key(key).list_apps().await.unwrap()), expected);
    server.world.engine.set_down(true);
    let all = states(server.root().list_apps().await.unwrap());
    let unknown = |name: &str| (name.to_owned(), AppState::Unknown);
    assert_eq!(all, [unknown("blog"), ("empty".to_owned(), AppState::NeverDeployed), unknown("shop")]);
}

#[tokio::test]
async fn config_is_stored_shown_and_says_when_it_takes_effect() {
    let server = Server::start();
    let (root, blog) = (server.root(), app_name("blog"));
    root.create_app(&blog).await.unwrap();
    let value = "two\nlines 'quoted' $HOME é";
    let change = root.change_config(&blog, &set(&[("A", value), ("B", "1")], true)).await.unwrap();
    assert_eq!(takes_effect(change), TakesEffect::NextPush);
    assert_eq!(
        takes_effect(root.change_config(&blog, &set(&[("B", "1")], true)).await.unwrap()),
        TakesEffect::Now
    );
    let unset = ConfigChange { set: BTreeMap::new(), unset: vec![var("B")], restart: true };
    assert_eq!(takes_effect(root.change_config(&blog, &unset).await.unwrap()), TakesEffect::NextPush);
    let config = root.config(&blog).await.unwrap().config;
    assert_eq!(config, BTreeMap::from([(var("A"), secret(value))]));
    assert_eq!(refusal(root.change_config(&blog, &unset).await).kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn config_that_no_program_could_get_is_refused_whole() {
    let server = Server::start();
    let (root, blog) = (server.root(), app_name("blog"));
    root.create_app(&blog).await.unwrap();
    let long = "canary".repeat(30_000);
    for (name, value) in [("X", "canary\0"), ("X", long.as_str()), ("PORT", "canary"), ("PAAS_APP", "canary")]
    {
        let error = refusal(root.change_config(&blog, &set(&[("GOOD", "1"), (name, value)], true)).await);
        assert_eq!(error.kind, ErrorKind::Refused, "{name}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    assert!(root.config(&blog).await.unwrap().config.is_empty());
    let largest = "x".repeat(64 * 1024);
    root.change_config(&blog, &set(&[("X", &largest)], true)).await.unwrap();
    assert_eq!(root.config(&blog).await.unwrap().config[&var("X")].expose(), largest);
    let too_much: Vec<(String, String)> = (0..40).map(|n| (format!("V{n}"), largest.clone())).collect();
    let too_much: Vec<_> = too_much.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let error = refusal(root.change_config(&blog, &set(&too_much, true)).await);
    assert!(error.message.contains("2 MiB"), "{error:?}");
}

#[tokio::test]
async fn a_config_change_of_a_running_app_deploys_and_streams() {
    let world = World::new();
    let blog = world.deployed("blog");
    // The deploy ends at its first look at the engine: what is tested is the stream.
    world.engine.set_down(true);
    let server = Server::start_with(world);
    let root = server.root();
    let saved = root.change_config(&blog.name, &set(&[("A", "1")], false)).await.unwrap();
    assert_eq!(takes_effect(saved), TakesEffect::NextRestart);
    let Change::Deploying(events) = root.change_config(&blog.name, &set(&[("A", "2")], true)).await.unwrap()
    else {
        panic!("no deploy began")
    };
    let events = all(events).await;
    assert!(matches!(events.first(), Some(DeployEvent::Accepted { .. })), "{events:?}");
    assert!(matches!(events.last(), Some(DeployEvent::Ended { outcome: Outcome::Failed, .. })), "{events:?}");
}

#[tokio::test]
async fn domains_lead_to_one_app_and_its_own_name_is_kept() {
    let world = World::new();
    let (blog, shop) = (world.deployed("blog"), world.app("shop"));
    let key = world.key("shop-dev", &Access::Apps(vec![shop.name.clone()]));
    let server = Server::start_with(world);
    let root = server.root();
    root.add_domain(&blog.name, &host("www.blog.test")).await.unwrap();
    root.add_domain(&blog.name, &host("www.blog.test")).await.unwrap();
    let routed = server.world.proxy.service(&format!("app-{}", blog.id)).unwrap().hosts;
    assert_eq!(routed, ["blog.example.org", "www.blog.test"]);
    let taken = refusal(root.add_domain(&shop.name, &host("www.blog.test")).await);
    assert!(taken.kind == ErrorKind::Conflict && taken.message.contains("blog"), "{taken:?}");
    let hidden = refusal(server.with_key(key).add_domain(&shop.name, &host("www.blog.test")).await);
    assert!(hidden.message.contains("another app"), "{hidden:?}");
    for kept in [
        "blog.example.org",
        "shop.example.org",
        "future.example.org",
        "*.example.org",
        "example.org",
        "a.blog.example.org",
        "*.blog.example.org",
    ] {
        assert_eq!(
            refusal(root.add_domain(&shop.name, &host(kept)).await).kind,
            ErrorKind::Conflict,
            "{kept}"
        );
    }
    let domains = root.domains(&blog.name).await.unwrap();
    let seen: Vec<_> = domains.iter().map(|domain| (domain.hostname.as_str(), domain.own)).collect();
    assert_eq!(seen, [("blog.example.org", true), ("www.blog.test", false)]);
    root.add_domain(&shop.name, &host("*.shop.test")).await.unwrap();
    root.remove_domain(&shop.name, &host("*.shop.test")).await.unwrap();
    root.remove_domain(&blog.name, &host("www.blog.test")).await.unwrap();
    let routed = server.world.proxy.service(&format!("app-{}", blog.id)).unwrap().hosts;
    assert_eq!(routed, ["blog.example.org"]);
    assert_eq!(
        refusal(root.remove_domain(&blog.name, &host("www.blog.test")).await).kind,
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn a_domain_is_stored_while_the_proxy_is_away() {
    let world = World::new();
    let blog = world.deployed("blog");
    world.proxy.set_away(true);
    let server = Server::start_with(world);
    let error = refusal(server.root().add_domain(&blog.name, &host("www.blog.test")).await);
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.contains("is stored"), "{error:?}");
    assert_eq!(server.root().domains(&blog.name).await.unwrap().len(), 2, "with its own name");
}

#[tokio::test]
async fn settings_say_where_they_come_from() {
    let world = World::new();
    let blog = world.app("blog");
    let mut declared = spec();
    declared.declared.health_path = Some("/file".into());
    declared.declared.port = Some(8080);
    declared.port = 8080;
    world.release(&blog, declared);
    let server = Server::start_with(world);
    let root = server.root();
    let known: Vec<_> = root.app(&blog.name).await.unwrap().settings.into_iter().map(|s| s.name).collect();
    let memory = known.iter().find(|name| name.contains("memory")).unwrap().clone();
    let set = BTreeMap::from([(memory.clone(), Some("512m".to_owned()))]);
    let saved = root.change_settings(&blog.name, &SettingsChange { set }).await.unwrap();
    assert_eq!((saved.changed, saved.takes_effect), (true, TakesEffect::NextRestart));
    let settings = root.app(&blog.name).await.unwrap().settings;
    let find = |part: &str| settings.iter().find(|setting| setting.name.contains(part)).unwrap();
    assert_eq!((find("memory").value.as_str(), find("memory").source), ("512m", Source::Command));
    assert_eq!((find("path").value.as_str(), find("path").source), ("/file", Source::Manifest));
    assert_eq!((find("port").value.as_str(), find("port").source), ("8080", Source::Image));
    assert_eq!((find("grace").value.as_str(), find("grace").source), ("30s", Source::Default));
    for (name, value) in [(memory.as_str(), "lots"), ("colour", "red")] {
        let set = BTreeMap::from([(name.to_owned(), Some(value.to_owned()))]);
        let error = refusal(root.change_settings(&blog.name, &SettingsChange { set }).await);
        assert!(error.kind == ErrorKind::Refused && !error.hints.is_empty(), "{error:?}");
    }
}

#[tokio::test]
async fn releases_are_listed_newest_first() {
    let world = World::new();
    let blog = world.deployed("blog");
    world.release(&blog, spec());
    let server = Server::start_with(world);
    let releases = server.root().releases(&blog.name).await.unwrap();
    let shown: Vec<_> = releases.iter().map(|release| (release.version.0, release.status)).collect();
    assert_eq!(shown, [(2, ReleaseState::Active), (1, ReleaseState::Previous)]);
}

#[tokio::test]
async fn purge_leaves_nothing() {
    let server = Server::start();
    let root = server.root();
    for name in ["blog", "shop"] {
        root.create_app(&app_name(name)).await.unwrap();
    }
    root.create_volume(&volume("data")).await.unwrap();
    let purged = root.purge().await.unwrap();
    assert_eq!((purged.apps, purged.volumes), (2, 1));
    assert!(root.list_apps().await.unwrap().is_empty() && root.volumes().await.unwrap().is_empty());
}
