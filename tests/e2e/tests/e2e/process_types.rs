//! The `Procfile`: workers and the release command.

use std::time::Duration;

use crate::support::Blog;

const PROCFILE: &str = "web: /app\nworker: /app worker\n";

fn mount_data(blog: &Blog) {
    blog.admin.ssh(&["storage:create", "data"]).ok();
    blog.admin.ssh(&["storage:mount", "blog", "data:/data"]).ok();
}

#[test]
fn a_worker_runs_beside_web_and_receives_no_request() {
    let blog = Blog::deployed();
    blog.repo.write("Procfile", PROCFILE);
    blog.repo.push_version("2").ok();
    assert_eq!(blog.server.running(), ["paas-blog-web-1-v2", "paas-blog-worker-1-v2"]);
    blog.http().serves("blog", "2");
    blog.admin.ssh(&["ps:scale", "blog", "worker=2"]).ok();
    assert_eq!(blog.server.running().len(), 3);
    blog.admin.ssh(&["ps:scale", "blog", "worker=0"]).ok();
    assert_eq!(blog.server.running().len(), 1);
    blog.server.assert_clean();
}

#[test]
fn a_worker_that_dies_at_start_fails_the_deploy_before_web_is_switched() {
    let blog = Blog::deployed();
    blog.repo.write("Procfile", PROCFILE);
    blog.repo.set("version", "2").set("worker_exit", "5").set("start_delay_ms", "1500");
    blog.refuses_push().says("worker: giving up with 5");
}

#[test]
fn the_release_command_runs_once_before_the_switch_with_the_volume() {
    let blog = Blog::deployed();
    mount_data(&blog);
    blog.repo.write("Procfile", "release: /app release\nweb: /app\n");
    blog.repo.push_version("2").ok().says("release command of version 2");
    assert_eq!(blog.http().get("blog", "/read?name=releases").text(), "2\n");
    blog.repo.push_version("3").ok();
    assert_eq!(blog.http().get("blog", "/read?name=releases").text(), "2\n3\n");
    blog.server.assert_clean();
}

#[test]
fn a_release_command_that_fails_stops_the_deploy_with_its_output() {
    let blog = Blog::deployed();
    mount_data(&blog);
    blog.repo.write("Procfile", "release: /app release\nweb: /app\n");
    blog.repo.set("release_exit", "6").set("version", "2");
    let ran = blog.refuses_push();
    ran.says("release command of version 2").says("6");
    assert_eq!(blog.http().get("blog", "/read?name=releases").text(), "2\n", "it ran once");
}

#[test]
fn a_procfile_that_is_none_is_refused_with_its_line() {
    let blog = Blog::deployed();
    blog.repo.write("Procfile", "web: /app\nthis is no line\n");
    let ran = blog.refuses_push();
    assert!(ran.took < Duration::from_secs(30), "{ran}");
    ran.says("Procfile").says("2");
}
