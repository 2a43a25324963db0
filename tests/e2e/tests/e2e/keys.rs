//! Who may do what.

use crate::support::{Blog, names};

#[test]
fn an_unknown_key_gets_nowhere() {
    let blog = Blog::deployed();
    let stranger = blog.server.stranger("stranger");
    stranger.ssh(&["apps:list"]).fails_with(255).says("Permission denied");
    stranger.app_repo("blog").push().fails().says("Permission denied");
}

#[test]
fn a_key_of_one_app_pushes_there_and_nowhere_else() {
    let blog = Blog::deployed();
    blog.admin.ssh(&["apps:create", "shop"]).ok();
    let bob = blog.server.colleague("bob", &["--app", "blog"]);
    let repo = bob.app_repo("blog");
    repo.git(&["fetch", "--quiet", "deploy", "main"]).ok();
    repo.git(&["reset", "--quiet", "--soft", "FETCH_HEAD"]).ok();
    repo.push_version("bob").ok();
    blog.http().serves("blog", "bob");
    assert_eq!(blog.admin.ssh(&["releases", "blog", "--json"]).ok().json()[0]["created_by"], "bob");

    for other in ["shop", "not-there"] {
        let refused = bob.app_repo(other).push().fails();
        let said = refused.stderr.replace(other, "APP");
        assert!(!said.contains("-----> "), "{refused}");
    }
    let mut apps = names(&blog.admin.ssh(&["apps:list", "--json"]).ok().json());
    apps.sort();
    assert_eq!(apps, ["blog", "shop"], "a push by a bound key makes no app");
}

#[test]
fn a_key_of_one_app_sees_and_changes_that_app_alone() {
    let blog = Blog::deployed();
    blog.admin.app_repo("shop").push().ok();
    let bob = blog.server.colleague("bob", &["--app", "blog"]);
    assert_eq!(names(&bob.ssh(&["apps:list", "--json"]).ok().json()), ["blog"]);
    bob.ssh(&["config:set", "blog", "BY=bob"]).ok();
    bob.ssh(&["logs", "blog"]).ok();
    for args in [
        &["apps:info", "shop"][..],
        &["config", "shop"],
        &["config:set", "shop", "BY=bob"],
        &["logs", "shop"],
        &["ps:restart", "shop"],
        &["releases", "shop"],
        &["domains:add", "shop", "x.example.org"],
        &["apps:destroy", "shop", "--force"],
        &["apps:create", "mine"],
        &["apps:rename", "shop", "mine"],
        &["apps:destroy", "blog", "--force"],
        &["ssh-keys:list"],
        &["ssh-keys:remove", "admin"],
    ] {
        bob.ssh(args).fails_with(1);
    }
    bob.ssh_with_input(&["ssh-keys:add", "second"], blog.server.stranger("second").public_key().as_bytes())
        .fails_with(1);
    blog.http().serves("shop", "1");
    blog.http().serves("blog", "1");
}

#[test]
fn a_removed_key_is_refused_from_the_next_connection_on() {
    let blog = Blog::deployed();
    let bob = blog.server.colleague("bob", &[]);
    bob.ssh(&["apps:list"]).ok();
    assert_eq!(names(&blog.admin.ssh(&["ssh-keys:list", "--json"]).ok().json()), ["admin", "bob"]);
    blog.admin.ssh(&["ssh-keys:remove", "bob"]).ok();
    bob.ssh(&["apps:list"]).fails_with(255).says("Permission denied");
}

#[test]
fn the_last_admin_key_is_not_removed_by_mistake() {
    let blog = Blog::deployed();
    blog.admin.ssh(&["ssh-keys:remove", "admin"]).fails_with(1).says("admin");
    blog.admin.ssh(&["apps:list"]).ok();
}

#[test]
fn what_is_no_key_is_refused() {
    let blog = Blog::deployed();
    let before = std::fs::read_to_string(blog.server.path("data/ssh/authorized_keys")).unwrap();
    let good = blog.server.stranger("good").public_key();
    let two = format!("{good}{}", blog.server.stranger("other").public_key());
    let option = format!("command=\"/bin/sh\" {good}");
    let hidden = good.trim_end().to_owned() + " a\u{7}b\n";
    for bad in ["", "nonsense", "ssh-ed25519 AAAA", "ssh-ed25519 !!!! x", &two, &option] {
        let ran = blog.admin.ssh_with_input(&["ssh-keys:add", "new"], bad.as_bytes());
        assert!(matches!(ran.code, Some(1 | 2)), "{bad:?}: {ran}");
    }
    let admins = blog.admin.public_key();
    blog.admin.ssh_with_input(&["ssh-keys:add", "twice"], admins.as_bytes()).fails_with(1);
    assert_eq!(std::fs::read_to_string(blog.server.path("data/ssh/authorized_keys")).unwrap(), before);
    let ran = blog.admin.ssh_with_input(&["ssh-keys:add", "new"], hidden.as_bytes());
    let after = std::fs::read_to_string(blog.server.path("data/ssh/authorized_keys")).unwrap();
    assert!(!after.contains('\u{7}'), "{ran}");
}
