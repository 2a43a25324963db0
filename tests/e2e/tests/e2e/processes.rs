//! `ps`, restart, stop, start, scale.

use std::collections::BTreeSet;

use paas_e2e::{Load, eventually};

use crate::support::{Blog, HEALED};

#[test]
fn a_restart_replaces_the_container_without_losing_a_request() {
    let blog = Blog::deployed();
    let before = blog.server.engine().inspect("paas-blog-web-1-v1");
    let load = Load::start(blog.http(), "blog");
    load.wait_for_more(500);
    blog.admin.ssh(&["ps:restart", "blog"]).ok();
    load.wait_for_more(500);
    load.stop().assert_none_failed(1_000);
    let running = blog.server.running();
    assert_eq!(running.len(), 1, "{running:?}");
    assert_ne!(blog.server.engine().inspect(&running[0]), before);
    blog.server.assert_clean();
}

#[test]
fn a_stopped_app_answers_503_until_it_is_started() {
    let blog = Blog::deployed();
    blog.admin.ssh(&["ps:stop", "blog"]).ok();
    assert_eq!(blog.http().get("blog", "/").status, 503);
    assert!(blog.server.running().is_empty());
    blog.server.assert_clean();
    blog.admin.ssh(&["ps:start", "blog"]).ok();
    blog.http().serves("blog", "1");
    blog.server.assert_clean();
}

#[test]
fn a_stopped_app_stays_stopped_when_control_restarts() {
    let mut blog = Blog::deployed();
    blog.admin.ssh(&["ps:stop", "blog"]).ok();
    blog.server.restart_control();
    blog.admin.ssh(&["ps", "blog"]).ok();
    assert!(blog.server.running().is_empty());
    assert_eq!(blog.http().get("blog", "/").status, 503);
}

#[test]
fn scaling_starts_and_stops_containers_and_requests_go_to_all() {
    let blog = Blog::deployed();
    blog.admin.ssh(&["ps:scale", "blog", "web=3"]).ok();
    assert_eq!(blog.server.running().len(), 3);
    let answering: BTreeSet<_> = (0..60)
        .map(|_| blog.http().get("blog", "/id").json()["process"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(answering, BTreeSet::from(["web.1", "web.2", "web.3"].map(str::to_owned)));
    let listed = blog.admin.ssh(&["ps", "blog", "--json"]).ok().json();
    assert_eq!(listed["processes"].as_array().map(Vec::len), Some(3), "{listed}");

    blog.repo.push_version("2").ok();
    assert_eq!(blog.server.running().len(), 3, "a deploy keeps the scale");
    let load = Load::start(blog.http(), "blog");
    load.wait_for_more(500);
    blog.admin.ssh(&["ps:scale", "blog", "web=1"]).ok();
    load.wait_for_more(500);
    load.stop().assert_none_failed(1_000);
    assert_eq!(blog.server.running().len(), 1);
    blog.server.assert_clean();
}

#[test]
fn a_container_that_is_removed_behind_our_back_comes_back() {
    let blog = Blog::deployed();
    let name = blog.server.running().remove(0);
    blog.server.engine().docker(&["rm", "--force", &name]).ok();
    blog.http().serves_within("blog", "1", HEALED);
    blog.server.assert_clean();
}

#[test]
fn a_network_that_is_removed_behind_our_back_comes_back() {
    let blog = Blog::deployed();
    let (engine, instance) = (blog.server.engine(), blog.server.instance());
    let (container, network) = (blog.server.running().remove(0), engine.networks(instance).remove(0));
    engine.docker(&["rm", "--force", &container]).ok();
    // Control may already be making the container again; then the network is in use and this try was too late.
    if engine.docker(&["network", "rm", &network]).code != Some(0) {
        println!("the network was in use again before it could be removed");
    }
    blog.http().serves_within("blog", "1", HEALED);
    blog.server.assert_clean();
}

#[test]
fn an_app_that_crashes_is_started_again() {
    let blog = Blog::deployed();
    let answer = blog.http().get("blog", "/exit?code=1");
    assert_eq!(answer.status, 502);
    blog.http().serves_within("blog", "1", HEALED);
    eventually("ps shows it running", HEALED, || {
        let listed = blog.admin.ssh(&["ps", "blog", "--json"]).ok().json();
        if listed["processes"][0]["state"] == "running" { Ok(()) } else { Err(listed.to_string()) }
    });
    blog.server.assert_clean();
}
