//! A redeploy loses no request.

use std::ops::Range;
use std::time::Duration;

use paas_e2e::{Load, LoadPlan, LoadReport, is_whole};

use crate::support::Blog;

const REDEPLOYS: [&str; 4] = ["2", "3", "4", "5"];
const REQUESTS: u64 = 50_000;
/// A new release that is seen first at this time is switched to about then.
const SWITCH: Duration = Duration::from_millis(250);
/// The long grid's load leaves half of two processors to the engine and the app.
const VISITORS: u64 = 36;
const EVERY: Duration = Duration::from_millis(24);

#[test]
fn redeploys_lose_none_of_fifty_thousand_requests() {
    let blog = Blog::deployed();
    let plan = LoadPlan { http2: Some(blog.https()), ..LoadPlan::default() };
    let load = Load::start_as(blog.http(), "blog", &plan);
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

/// A hundred deploys, most of them of the same image, under a load of every kind that the machine can bear; some of them unless the
/// long grids run whole. Then requests are not slowed down either: at most switches their 99th percentile is at most twice the one of
/// the time before the deploy.
#[test]
fn a_hundred_deploys_lose_none_of_a_million_requests() {
    let (deploys, requests) = if is_whole() { (100, 1_000_000) } else { (2, 5_000) };
    let blog = Blog::deployed();
    // How long requests take is judged only then.
    let _weighed = is_whole().then(|| blog.server.weigh_proxy());
    let plan = LoadPlan { workers: VISITORS, http2: Some(blog.https()), every: Some(EVERY) };
    let load = Load::start_as(blog.http(), "blog", &plan);
    load.wait_for_more(1_000);
    if is_whole() {
        load.run_first();
    }
    let mut spans = Vec::new();
    for deploy in 1..=deploys {
        let begin = load.elapsed();
        match deploy % 10 {
            0 => blog.repo.push_version(&deploy.to_string()).ok(),
            _ => blog.admin.ssh(&["config:set", "blog", &format!("N={deploy}")]).ok(),
        };
        spans.push(begin..load.elapsed() + SWITCH);
        load.wait_for_more(requests / deploys);
    }
    let report = load.stop();
    report.assert_none_failed(requests);
    let seen = report.releases.len() as u64;
    assert_eq!(seen, deploys + 1, "each release answered: {:?}", report.releases);
    blog.server.assert_clean();
    let median = compare_times(&report, &spans);
    assert!(median <= 2.0 || !is_whole(), "{median:.2} times the usual 99th percentile");
}

/// Prints how long requests took; gives the median of what the 99th percentile at a switch is of the one of the time before its deploy.
fn compare_times(report: &LoadReport, deploys: &[Range<Duration>]) -> f64 {
    println!("during deploys {:?}", report.times_within(deploys));
    println!("between them {:?}", report.times_without(deploys));
    let mut switches: Vec<_> = report.releases.values().copied().collect();
    switches.sort_unstable();
    let mut since = Duration::ZERO;
    // The first release was there before.
    let ratios = switches.iter().skip(1).zip(deploys).map(|(first, deploy)| {
        let before = report.times_within(std::slice::from_ref(&(since..deploy.start)));
        let switch = first.saturating_sub(SWITCH)..*first + SWITCH;
        let at = report.times_within(std::slice::from_ref(&switch));
        since = deploy.end;
        let ratio = at.p99.as_secs_f64() / before.p99.as_secs_f64();
        println!("p99 at a switch {:?}, before the deploy {:?}: {ratio:.2}", at.p99, before.p99);
        ratio
    });
    let mut ratios: Vec<_> = ratios.collect();
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    println!("median {median:.2}");
    median
}
