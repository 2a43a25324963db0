//! ssh keys and the file that sshd reads.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod support;

use std::os::unix::fs::PermissionsExt as _;

use paas_control::wire::{AddKey, ErrorKind};
use paas_domain::KeyName;
use paas_store::Access;
use support::*;

fn add(name: &str, apps: Option<&[&str]>) -> AddKey {
    AddKey {
        name: KeyName::new(name).unwrap(),
        public_key: public_key(name),
        apps: apps.map(|apps| apps.iter().map(|app| app_name(app)).collect()),
    }
}

fn key_name(name: &str) -> KeyName {
    KeyName::new(name).unwrap()
}

#[tokio::test]
async fn every_change_is_in_the_file_that_sshd_reads() {
    let world = World::new();
    world.app("blog");
    let old = world.key("old", &Access::Admin);
    let server = Server::start_with(world);
    let root = server.root();
    root.status().await.unwrap();
    assert!(server.keys_file().contains(&format!("--key {old}\"")), "written at start");
    let key = root.add_key(&add("ann", Some(&["blog"]))).await.unwrap();
    assert_eq!(key.apps.as_deref(), Some(&[app_name("blog")][..]));
    assert!(key.fingerprint.starts_with("SHA256:"));
    let public = public_key("ann");
    let words: Vec<_> = public.split(' ').take(2).collect();
    let line = format!(
        "restrict,pty,command=\"/usr/local/bin/paas ssh-session --key {}\" {}",
        key.id,
        words.join(" ")
    );
    assert!(server.keys_file().lines().any(|found| found == line), "{}", server.keys_file());
    let mode =
        std::fs::metadata(server.world.dir.path().join("authorized_keys")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    assert_eq!(names(&root.keys().await.unwrap()), ["ann", "old"]);
    root.remove_key(&key_name("ann"), false).await.unwrap();
    assert!(!server.keys_file().contains(words[1]));
    let refused = refusal(server.with_key(key.id).status().await);
    assert!(refused.message.contains("removed"), "{refused:?}");
    assert_eq!(refusal(root.remove_key(&key_name("ann"), false).await).kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn what_is_not_a_key_is_refused() {
    let server = Server::start();
    let root = server.root();
    for text in [
        "",
        "hello",
        "ssh-ed25519",
        "ssh-ed25519 !!!",
        "command=\"x\" ssh-ed25519 AAAA",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ] {
        let key = AddKey { name: key_name("bad"), public_key: text.into(), apps: None };
        assert_eq!(refusal(root.add_key(&key).await).kind, ErrorKind::Refused, "{text}");
    }
    assert_eq!(refusal(root.add_key(&add("none", Some(&[]))).await).kind, ErrorKind::Refused);
    assert_eq!(refusal(root.add_key(&add("absent", Some(&["nowhere"]))).await).kind, ErrorKind::NotFound);
    root.add_key(&add("ann", None)).await.unwrap();
    assert_eq!(refusal(root.add_key(&add("ann", None)).await).kind, ErrorKind::Conflict);
    let twice = AddKey { name: key_name("other"), ..add("ann", None) };
    assert_eq!(refusal(root.add_key(&twice).await).kind, ErrorKind::Conflict);
}

#[tokio::test]
async fn the_last_admin_goes_over_ssh_only_by_force() {
    let world = World::new();
    let ann = world.key("ann", &Access::Admin);
    let bob = world.key("bob", &Access::Admin);
    let server = Server::start_with(world);
    server.with_key(ann).remove_key(&key_name("bob"), false).await.unwrap();
    assert!(refusal(server.with_key(bob).keys().await).message.contains("removed"));
    let error = refusal(server.with_key(ann).remove_key(&key_name("ann"), false).await);
    assert!(error.kind == ErrorKind::Conflict && error.hints[0].contains("--force"), "{error:?}");
    server.with_key(ann).remove_key(&key_name("ann"), true).await.unwrap();
    assert!(server.root().keys().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_link_left_in_the_way_is_not_followed() {
    let world = World::new();
    let victim = world.dir.path().join("victim");
    std::fs::write(&victim, "safe").unwrap();
    std::os::unix::fs::symlink(&victim, world.dir.path().join("authorized_keys.new")).unwrap();
    world.key("ann", &Access::Admin);
    let server = Server::start_with(world);
    server.root().status().await.unwrap();
    assert_eq!(std::fs::read_to_string(victim).unwrap(), "safe");
    assert!(server.keys_file().contains("ssh-ed25519"));
}

#[tokio::test]
async fn a_path_that_a_shell_would_read_is_refused() {
    let mut world = World::new();
    world.state.keys.binary = "/opt/my paas/$(reboot)".into();
    let error = world.state.keys.render(world.store());
    world.key("ann", &Access::Admin);
    assert!(matches!(error, Err(paas_control::RenderKeysError::Path(_))), "{error:?}");
    world.state.keys.binary = "/usr/local/bin/paas".into();
    world.state.keys.config = Some("/etc/paas/paas.toml".into());
    world.state.keys.render(world.store()).unwrap();
    let text = std::fs::read_to_string(&world.state.keys.path).unwrap();
    assert!(
        text.contains("command=\"/usr/local/bin/paas --config /etc/paas/paas.toml ssh-session --key "),
        "{text}"
    );
}
