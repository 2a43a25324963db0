//! The main job: an app that is not there yet is pushed, and its URL answers.

use paas_e2e::Server;

use crate::support::Blog;

#[test]
fn a_first_push_makes_the_app_and_ends_with_a_url_that_answers() {
    let server = Server::start();
    let repo = server.admin().app_repo("blog");
    let ran = repo.push().ok();

    let lines = ran.remote_lines();
    let spoken: Vec<_> = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    assert!(spoken.iter().filter(|line| line.starts_with("-----> ")).count() >= 3, "{ran}");
    assert!(!spoken.iter().any(|line| line.starts_with('!')), "{ran}");
    assert_eq!(*spoken.last().unwrap(), server.http().url("blog"), "{ran}");

    server.http().serves("blog", "1");
    assert_eq!(repo.server_head(), Some(repo.head()));
    assert_eq!(server.running(), ["paas-blog-web-1-v1"]);
    let releases = server.admin().ssh(&["releases", "blog", "--json"]).ok().json();
    assert_eq!(releases.as_array().unwrap().len(), 1, "{releases}");
    assert_eq!(releases[0]["version"], 1);
    assert_eq!(releases[0]["commit"], repo.head());
    assert_eq!(releases[0]["status"], "active");
    server.assert_clean();
}

#[test]
fn the_app_is_told_who_it_is() {
    let blog = Blog::deployed();
    let environment = blog.environment();
    assert_eq!(environment["PORT"], "3000");
    assert_eq!(environment["PAAS_APP"], "blog");
    assert_eq!(environment["PAAS_RELEASE"], "v1");
    assert_eq!(environment["PAAS_PROCESS"], "web.1");
    assert_eq!(environment["PAAS_COMMIT"], blog.repo.head());
}

#[test]
fn a_container_is_labelled_hardened_and_published_nowhere() {
    let blog = Blog::deployed();
    let engine = blog.server.engine();
    let inspected: serde_json::Value = serde_json::from_str(&engine.inspect("paas-blog-web-1-v1")).unwrap();
    let container = &inspected[0];
    let labels = &container["Config"]["Labels"];
    assert_eq!(labels["dev.paas.instance"], blog.server.instance());
    for label in ["dev.paas.app", "dev.paas.container", "dev.paas.deploy"] {
        assert!(labels[label].is_string(), "{label} in {labels}");
    }
    let host = &container["HostConfig"];
    assert!(host["PortBindings"].as_object().is_none_or(serde_json::Map::is_empty), "{host}");
    assert_eq!(host["Init"], true);
    assert_eq!(host["Privileged"], false);
    assert!(host["SecurityOpt"].to_string().contains("no-new-privileges"), "{host}");
    assert!(host["PidsLimit"].as_i64().is_some_and(|limit| limit > 0), "{host}");
    assert!(host["LogConfig"]["Config"]["max-size"].is_string(), "{host}");
    assert_ne!(host["RestartPolicy"]["Name"], "no", "once healthy, the engine restarts it");
    assert_eq!(engine.networks(blog.server.instance()).len(), 1);
}

#[test]
fn pushing_the_same_commit_again_does_nothing() {
    let blog = Blog::deployed();
    blog.repo.push().ok().says("Everything up-to-date");
    assert_eq!(blog.server.running(), ["paas-blog-web-1-v1"]);
}

#[test]
fn a_second_push_replaces_the_first() {
    let blog = Blog::deployed();
    let ran = blog.repo.push_version("2").ok();
    assert_eq!(
        ran.remote_lines().last().map(|line| line.trim().to_owned()),
        Some(blog.http().url("blog")),
        "{ran}"
    );
    blog.http().serves("blog", "2");
    assert_eq!(blog.server.running(), ["paas-blog-web-1-v2"]);
    assert_eq!(blog.repo.server_head(), Some(blog.repo.head()));
    blog.server.assert_clean();
}

#[test]
fn the_pushed_repository_can_be_cloned_back() {
    let blog = Blog::deployed();
    let copy = blog.admin.home().join("copy");
    blog.admin.git(blog.admin.home(), &["clone", "--quiet", &blog.admin.remote("blog"), "copy"]).ok();
    assert_eq!(blog.admin.git(&copy, &["rev-parse", "HEAD"]).ok().stdout.trim(), blog.repo.head());
}
