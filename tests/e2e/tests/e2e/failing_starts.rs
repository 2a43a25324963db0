//! Pushes that build but do not come up: the old version keeps every request, and the message shows what was seen.

use std::time::Duration;

use crate::support::Blog;

/// Longer than a start takes, shorter than anyone wants to wait.
const CHECK_TIMEOUT: &str = "4s";

fn blog_with_short_checks() -> Blog {
    let blog = Blog::deployed();
    blog.admin.ssh(&["checks:set", "blog", "--timeout", CHECK_TIMEOUT]).ok();
    blog
}

#[test]
fn an_app_that_exits_at_once_ends_the_push_at_once_with_its_last_lines() {
    let blog = Blog::deployed();
    blog.repo.set("exit_at_once", "3").set("start_lines", "reading the settings|fatal: no database");
    let ran = blog.refuses_push();
    assert!(ran.took < Duration::from_secs(20), "the exit ends the wait, not the timeout of 60 s:\n{ran}");
    ran.says("fatal: no database").says("3");
}

#[test]
fn an_app_that_never_listens_is_given_up_after_the_timeout() {
    let blog = blog_with_short_checks();
    blog.repo.set("never_listen", "1");
    let ran = blog.refuses_push();
    ran.says("busy with something else than listening").says_one_of(&["refused", "listen"]).says("3000");
}

#[test]
fn an_app_that_listens_on_loopback_only_is_told_so() {
    let blog = blog_with_short_checks();
    blog.repo.set("listen_on", "127.0.0.1");
    blog.refuses_push().says("127.0.0.1").says("0.0.0.0");
}

#[test]
fn an_app_that_listens_on_another_port_is_told_so() {
    let blog = blog_with_short_checks();
    blog.repo.use_busybox("");
    blog.repo.write("start", "#!/bin/busybox sh\nPORT=4567 exec /app\n");
    blog.repo.write("Dockerfile", "FROM scratch\nCOPY busybox /bin/busybox\nCOPY start app behaviour /\nCMD [\"/bin/busybox\", \"sh\", \"/start\"]\n");
    blog.refuses_push().says("4567").says("PORT");
}

#[test]
fn an_app_that_answers_500_shows_the_answer() {
    let blog = blog_with_short_checks();
    blog.repo.set("up", "500");
    blog.refuses_push().says("/up").says("500");
}

#[test]
fn an_app_that_redirects_its_health_path_is_refused_with_the_target() {
    let blog = blog_with_short_checks();
    blog.repo.set("up", "redirect");
    blog.refuses_push().says("/up").says("302").says("/login");
}

#[test]
fn an_app_without_a_health_path_is_asked_for_its_front_page() {
    let blog = Blog::deployed();
    blog.repo.set("up", "404");
    blog.repo.push_version("2").ok();
    blog.http().serves("blog", "2");
}

#[test]
fn a_health_path_of_ones_own_is_what_counts() {
    let blog = blog_with_short_checks();
    blog.admin.ssh(&["checks:set", "blog", "--path", "/nowhere"]).ok();
    blog.repo.set("version", "2");
    blog.refuses_push().says("/nowhere").says("404");
    blog.admin.ssh(&["checks:set", "blog", "--path", "/id"]).ok();
    blog.repo.push_version("2").ok();
    blog.http().serves("blog", "2");
}

#[test]
fn an_app_that_needs_time_is_waited_for() {
    let blog = Blog::deployed();
    blog.repo.set("start_delay_ms", "3000");
    let ran = blog.repo.push_version("2").ok();
    assert!(ran.took > Duration::from_secs(3), "{ran}");
    blog.http().serves("blog", "2");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let blog = Blog::deployed();
    blog.repo.write("Dockerfile", "FROM scratch\nCOPY app /app\nCMD [\"/no-such-program\"]\n");
    blog.refuses_push().says("/no-such-program");
}

#[test]
fn after_a_failure_the_next_good_push_goes_through() {
    let blog = Blog::deployed();
    blog.repo.set("exit_at_once", "1");
    blog.refuses_push();
    blog.repo.push_version("2").ok();
    blog.http().serves("blog", "2");
    blog.server.assert_clean();
}
