//! The person at the keyboard gives up, or the line breaks.

use std::time::Duration;

use paas_e2e::{Background, ServerOptions, Signal, eventually, wait_until};

use crate::support::{Blog, HEALED};

const STARTED: Duration = Duration::from_mins(1);
/// A build step that takes long and can be found among all processes of the machine.
fn slow_step(blog: &Blog) -> String {
    format!("RUN echo slow build {}; /bin/busybox sleep 77; true", blog.server.instance())
}

/// Whether a process of the slow step is alive.
fn build_runs(blog: &Blog) -> bool {
    let marker = format!("slow build {}", blog.server.instance());
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.into_iter().any(|line| String::from_utf8_lossy(&line).contains(&marker))
}

fn ends_without_a_trace(blog: &Blog, push: Background) {
    push.wait().fails_or_is_killed();
    eventually("the deploy ends", HEALED, || {
        let unfinished = blog.server.database().unfinished_deploys();
        if unfinished.is_empty() { Ok(()) } else { Err(format!("{unfinished:?}")) }
    });
    assert!(wait_until(HEALED, || !build_runs(blog)), "the build still runs");
    blog.server.assert_clean();
}

#[test]
fn control_c_during_the_build_of_a_first_push_leaves_nothing() {
    let blog = Blog::not_deployed(ServerOptions::default());
    blog.repo.use_busybox(&slow_step(&blog));
    blog.repo.commit("Slow");
    let push = blog.repo.push_in_background();
    assert!(push.says_within("slow build", STARTED), "{}", push.printed());
    assert!(wait_until(STARTED, || build_runs(&blog)), "the step can be seen from here");
    push.signal_group(Signal::INT);
    ends_without_a_trace(&blog, push);
    assert!(blog.server.running().is_empty());
    assert_eq!(blog.repo.server_head(), None);
}

#[test]
fn control_c_during_the_build_of_a_redeploy_keeps_the_old_version() {
    let blog = Blog::deployed();
    blog.repo.use_busybox(&slow_step(&blog));
    blog.repo.set("version", "2").commit("Slow");
    let before = blog.repo.server_head();
    let push = blog.repo.push_in_background();
    assert!(push.says_within("slow build", STARTED), "{}", push.printed());
    assert!(wait_until(STARTED, || build_runs(&blog)), "the step can be seen from here");
    push.signal_group(Signal::INT);
    ends_without_a_trace(&blog, push);
    blog.http().serves("blog", "1");
    assert_eq!(blog.repo.server_head(), before);

    blog.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
    blog.repo.push_version("3").ok();
    blog.http().serves("blog", "3");
}

#[test]
fn a_client_that_is_killed_during_the_check_leaves_no_candidate() {
    let blog = Blog::deployed();
    blog.repo.set("never_listen", "1").set("version", "2").commit("Never up");
    let push = blog.repo.push_in_background();
    assert!(wait_until(STARTED, || blog.server.running().len() == 2), "{}", push.printed());
    push.signal_group(Signal::KILL);
    ends_without_a_trace(&blog, push);
    assert_eq!(blog.server.running(), ["paas-blog-web-1-v1"]);
    blog.http().serves("blog", "1");
}

#[test]
fn after_the_switch_the_deploy_completes_and_the_branch_moves() {
    let blog = Blog::deployed();
    let http = blog.http();
    // A long answer of the old version keeps the deploy in its drain.
    let long = std::thread::spawn(move || http.get("blog", "/sse?count=50&ms=200"));
    blog.repo.set("version", "2").commit("Version 2");
    let push = blog.repo.push_in_background();
    http.serves_within("blog", "2", STARTED);
    push.signal_group(Signal::INT);
    push.wait().fails_or_is_killed();
    assert!(long.join().unwrap().text().ends_with("data: 49\n\n"));
    let head = blog.repo.head();
    eventually("the branch moves", HEALED, || match blog.repo.server_head() {
        Some(server) if server == head => Ok(()),
        other => Err(format!("{other:?}")),
    });
    blog.server.assert_clean();
    assert_eq!(blog.server.running(), ["paas-blog-web-1-v2"]);
}
