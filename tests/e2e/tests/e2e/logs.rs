//! What the app prints.

use std::time::Duration;

use paas_e2e::{Ran, eventually};

use crate::support::Blog;

const SOON: Duration = Duration::from_secs(15);

/// What the command shows once a line is in it: the engine writes down what an app prints when it comes to it.
fn logs_with(blog: &Blog, line: &str) -> Ran {
    eventually("the line is shown", SOON, || match blog.admin.ssh(&["logs", "blog"]).ok() {
        ran if ran.all().contains(line) => Ok(ran),
        ran => Err(ran.to_string()),
    })
}

#[test]
fn the_last_lines_are_shown_with_their_process() {
    let blog = Blog::deployed();
    for number in 0..5 {
        blog.http().get("blog", &format!("/log?text=line-{number}"));
    }
    logs_with(&blog, "line-4").says("line-0").says("web.1");
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
    let ran = logs_with(&blog, "before");
    assert!(!ran.all().contains(['\u{1b}', '\u{7}']), "{ran}");
}
