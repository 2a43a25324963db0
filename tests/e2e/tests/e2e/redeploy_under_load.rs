//! A redeploy loses no request.

use std::ops::Range;
use std::time::Duration;

use paas_e2e::{Load, LoadPlan, LoadReport, Times, is_whole};

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
/// long grids run whole. Then requests are not slowed down either: the 99th percentile of those at the switches is at most twice the one
/// of those between the deploys, and at most switches twice the one of the time before the deploy.
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
    let slower = compare_times(&report, &spans);
    assert!(slower.together <= 2.0 || !is_whole(), "{slower:.2?} times the usual 99th percentile");
    assert!(slower.median <= 2.0 || !is_whole(), "{slower:.2?} times the usual 99th percentile");
}

/// What the 99th percentile at a switch is of the usual one.
#[derive(Debug)]
struct Slower {
    /// Of all requests at switches by all between deploys.
    together: f64,
    /// Of each switch by the time before its deploy, the median.
    median: f64,
}

/// Prints how long requests took, and compares those of half a second around each switch with the others.
fn compare_times(report: &LoadReport, deploys: &[Range<Duration>]) -> Slower {
    println!("during deploys {:?}", report.times_within(deploys));
    // Before the first the load begins: every connection is new, and the visitors may not have run first yet.
    let between: Vec<_> = deploys.windows(2).map(|pair| pair[0].end..pair[1].start).collect();
    let steady = report.times_within(&between);
    println!("between them {steady:?}");
    let mut releases: Vec<_> = report.releases.values().copied().collect();
    releases.sort_unstable();
    // The first release was there before.
    let switches = releases.iter().skip(1).zip(deploys).map(|(first, deploy)| {
        assert!(deploy.contains(first), "a release answered first at {first:?}, its deploy was {deploy:?}");
        // Requests before the deploy are none of the switch, however soon it comes.
        first.saturating_sub(SWITCH).max(deploy.start)..*first + SWITCH
    });
    let switches: Vec<_> = switches.collect();
    let at = report.times_within(&switches);
    let together = ratio(at, steady);
    println!("at switches {at:?}: {together:.2}");
    let mut since = Duration::ZERO;
    let ratios = switches.iter().zip(deploys).map(|(switch, deploy)| {
        let before = report.times_within(std::slice::from_ref(&(since..deploy.start)));
        let at = report.times_within(std::slice::from_ref(switch));
        since = deploy.end;
        println!(
            "p99 at a switch {:?}, before the deploy {:?}: {:.2}",
            at.p99,
            before.p99,
            ratio(at, before)
        );
        ratio(at, before)
    });
    let mut ratios: Vec<_> = ratios.collect();
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    let above = ratios.iter().filter(|ratio| **ratio > 2.0).count();
    println!("median {median:.2}; {above} of {} above 2", ratios.len());
    Slower { together, median }
}

fn ratio(at: Times, usual: Times) -> f64 {
    at.p99.as_secs_f64() / usual.p99.as_secs_f64()
}
