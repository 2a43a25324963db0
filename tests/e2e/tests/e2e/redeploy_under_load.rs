//! A redeploy loses no request.

use std::thread;
use std::time::Duration;

use paas_e2e::{Load, wait_until};

use crate::support::Blog;

const REDEPLOYS: [&str; 4] = ["2", "3", "4", "5"];
const REQUESTS: u64 = 50_000;

#[test]
fn redeploys_lose_none_of_fifty_thousand_requests() {
    let blog = Blog::deployed();
    let load = Load::start(blog.http(), "blog");
    load.wait_for_more(1_000);
    for version in REDEPLOYS {
        blog.repo.push_version(version).ok();
        load.wait_for_more(REQUESTS / REDEPLOYS.len() as u64);
    }
    let report = load.stop();
    report.assert_none_failed(REQUESTS);
    let versions: Vec<_> = report.versions.keys().map(String::as_str).collect();
    assert_eq!(versions, ["1", "2", "3", "4", "5"], "each version answered");
    blog.server.assert_clean();
}

#[test]
fn a_request_in_flight_at_the_switch_ends_on_the_old_version() {
    let blog = Blog::deployed();
    let http = blog.http();
    blog.repo.set("version", "2").commit("Version 2");
    let push = blog.repo.push_in_background();
    // Slow requests begin all the time, so that some are in flight at the switch, whenever that is.
    let slow: Vec<_> = (0..30)
        .map(|_| {
            thread::sleep(Duration::from_millis(100));
            thread::spawn(move || http.get("blog", "/slow?ms=2500"))
        })
        .collect();
    push.wait().ok();
    let answers: Vec<_> = slow.into_iter().map(|request| request.join().unwrap()).collect();
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert!(answers.iter().any(|answer| answer.text() == "version 1\n"), "{answers:?}");
    http.serves("blog", "2");
}

#[test]
fn a_long_answer_is_not_cut_at_the_switch() {
    let blog = Blog::deployed();
    let http = blog.http();
    let events = thread::spawn(move || http.get("blog", "/sse?count=60&ms=100"));
    blog.repo.push_version("2").ok();
    let events = events.join().unwrap();
    assert!(events.text().ends_with("data: 59\n\n"), "{}", events.text());
    assert!(wait_until(Duration::from_secs(10), || blog.server.running() == ["paas-blog-web-1-v2"]));
}
