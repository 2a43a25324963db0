//! What the app prints.

use std::time::Duration;

use crate::support::Blog;

const SOON: Duration = Duration::from_secs(15);

#[test]
fn the_last_lines_are_shown_with_their_process() {
    let blog = Blog::deployed();
    for number in 0..5 {
        blog.http().get("blog", &format!("/log?text=line-{number}"));
    }
    let ran = blog.admin.ssh(&["logs", "blog"]).ok();
    ran.says("line-0").says("line-4").says("web.1");
    blog.admin.ssh(&["logs", "blog", "-n", "2"]).ok().says("line-4").never_says("line-1");
}

#[test]
fn following_shows_lines_as_they_come_over_a_deploy_too() {
    let blog = Blog::deployed();
    let tail = blog.admin.ssh_in_background(&["logs", "blog", "-t"]);
    assert!(tail.says_within("listening on", SOON), "{}", tail.printed());
    blog.http().get("blog", "/log?text=fresh-line");
    assert!(tail.says_within("fresh-line", SOON), "{}", tail.printed());
    blog.repo.push_version("2").ok();
    blog.http().get("blog", "/log?text=of-the-new-release");
    assert!(tail.says_within("of-the-new-release", SOON), "{}", tail.printed());
}

#[test]
fn control_characters_of_an_app_do_not_reach_the_terminal() {
    let blog = Blog::deployed();
    blog.http().get("blog", "/log?text=before%1b[31mred%07after");
    let ran = blog.admin.ssh(&["logs", "blog"]).ok().says("before");
    assert!(!ran.all().contains(['\u{1b}', '\u{7}']), "{ran}");
}
