//! Control and proxy end and come back.

use std::time::Duration;

use paas_e2e::{Load, Signal, eventually};

use crate::support::{Blog, HEALED};

const GRACE: Duration = Duration::from_secs(40);

#[test]
fn requests_do_not_notice_that_control_restarts_or_dies() {
    let mut blog = Blog::deployed();
    let load = Load::start(blog.http(), "blog");
    load.wait_for_more(500);
    for _ in 0..2 {
        blog.server.restart_control();
        load.wait_for_more(500);
        blog.server.kill_and_restart_control();
        load.wait_for_more(500);
    }
    blog.repo.push_version("2").ok();
    load.wait_for_more(500);
    load.stop().assert_none_failed(3_000);
    blog.server.assert_clean();
}

#[test]
fn apps_answer_while_control_is_down() {
    let mut blog = Blog::deployed();
    blog.server.control().kill();
    blog.http().serves("blog", "1");
    blog.repo.set("version", "2").commit("Version 2");
    blog.repo.push().fails();
    blog.http().serves("blog", "1");
    blog.server.start_control();
    blog.repo.push().ok();
    blog.http().serves("blog", "2");
}

#[test]
fn a_restarted_proxy_knows_its_routes_without_control() {
    let mut blog = Blog::deployed();
    blog.admin.ssh(&["domains:add", "blog", "www.example.org"]).ok();
    blog.server.control().kill();
    blog.server.proxy().kill();
    blog.server.start_proxy_alone();
    blog.http().serves("blog", "1");
    blog.http().serves("www.example.org", "1");

    // As a disk may leave it that lost its power: the table before is in force, which is the one without the last change.
    blog.server.proxy().kill();
    let table = blog.server.path("data/proxy/table.json");
    let whole = std::fs::read(&table).expect("the proxy's table");
    std::fs::write(&table, &whole[..whole.len() / 2]).expect("the proxy's table");
    blog.server.start_proxy_alone();
    blog.http().serves("blog", "1");
    assert_eq!(blog.http().get("www.example.org", "/").status, 404);
    // Control puts it right.
    blog.server.start_control();
    blog.http().serves("blog", "1");
    blog.http().serves_within("www.example.org", "1", HEALED);
}

#[test]
fn a_proxy_that_is_told_to_end_finishes_its_requests() {
    let mut blog = Blog::deployed();
    let http = blog.http();
    let slow = std::thread::spawn(move || http.get("blog", "/slow?ms=5000"));
    blog.wait_for_in_flight(1);
    assert!(blog.server.proxy().terminate(GRACE).success());
    assert_eq!(slow.join().unwrap().text(), "version 1\n");
    blog.server.start_proxy();
    blog.http().serves("blog", "1");
}

#[test]
fn a_deploy_waits_for_a_proxy_that_restarts() {
    let mut blog = Blog::deployed();
    blog.server.proxy().kill();
    blog.repo.set("version", "2").commit("Version 2");
    let push = blog.repo.push_in_background();
    blog.server.start_proxy();
    push.wait();
    eventually("the branch is what runs", HEALED, || {
        let version =
            if blog.repo.server_head() == Some(blog.repo.head()) { "version 2\n" } else { "version 1\n" };
        match blog.http().try_get("blog", "/") {
            Ok(answer) if answer.text() == version => Ok(()),
            other => Err(format!("{other:?}, wanted {version:?}")),
        }
    });
    blog.server.assert_clean();
}

#[test]
fn control_told_to_end_during_a_build_ends_soon_and_the_old_version_serves() {
    let mut blog = Blog::deployed();
    blog.repo.use_busybox("RUN echo slow build; /bin/busybox sleep 60");
    blog.repo.set("version", "2").commit("Slow");
    let push = blog.repo.push_in_background();
    assert!(push.says_within("slow build", Duration::from_mins(1)), "{}", push.printed());
    blog.server.control().terminate(GRACE);
    blog.server.start_control();
    push.wait().fails();
    blog.http().serves("blog", "1");
    blog.server.assert_clean();
    assert_eq!(blog.server.running(), ["paas-blog-web-1-v1"]);
}

#[test]
fn setup_again_changes_nothing() {
    let mut blog = Blog::deployed();
    let instance = blog.server.instance().to_owned();
    blog.server.control().signal(Signal::TERM);
    blog.server.control().wait(GRACE);
    blog.server.paas(&["setup"]).ok();
    blog.server.start_control();
    assert_eq!(blog.server.database().instance(), instance);
    blog.http().serves("blog", "1");
    blog.admin.ssh(&["apps:list"]).ok();
}
