//! Text from outside that wants to be more than text.

use std::path::Path;

use crate::support::{Blog, names};

/// Would be made by a shell that reads one of the names below.
const MARKER: &str = "/tmp/paas-e2e-marker";

fn hostile() -> Vec<String> {
    let touch = format!("touch {MARKER}");
    let mut names: Vec<String> = [
        format!(";{touch}"),
        format!("$({touch})"),
        format!("`{touch}`"),
        format!("a|{touch}"),
        format!("a\n{touch}"),
        format!("'; {touch}; '"),
        format!("\"; {touch}; \""),
    ]
    .to_vec();
    names.extend(
        [
            "..",
            ".",
            "../../etc",
            "/etc/passwd",
            "a/b",
            "-x",
            "--help=x",
            "--upload-pack=x",
            "-oProxyCommand=x",
        ]
        .map(str::to_owned),
    );
    names.extend(
        ["", " ", "Blog", "žlutý", "🐎", "a_b", "a..b", "blog.git/..", "%2e%2e", "\u{202e}golb", "a\u{0}b"]
            .map(str::to_owned),
    );
    names.push("x".repeat(300));
    names
}

fn assert_nothing_happened(blog: &Blog) {
    assert!(!Path::new(MARKER).exists(), "a shell has read a name");
    assert_eq!(names(&blog.admin.ssh(&["apps:list", "--json"]).ok().json()), ["blog"]);
    let repos = std::fs::read_dir(blog.server.path("data/repos")).unwrap().count();
    assert_eq!(repos, 1, "a repository was made");
    blog.http().serves("blog", "1");
}

#[test]
fn as_the_name_of_a_new_app() {
    let blog = Blog::deployed();
    for name in hostile().iter().filter(|name| !name.contains('\0')) {
        let ran = blog.admin.ssh(&["apps:create", name]);
        assert!(matches!(ran.code, Some(1 | 2)), "{name:?}: {ran}");
        assert!(ran.stderr.lines().count() <= 8, "a short answer: {ran}");
    }
    assert_nothing_happened(&blog);
}

#[test]
fn as_the_repository_of_a_push() {
    let blog = Blog::deployed();
    for name in hostile().iter().filter(|name| !name.contains('\0') && name.len() > 1) {
        for verb in ["git-receive-pack", "git-upload-pack"] {
            let ran = blog.admin.ssh(&[verb, name]);
            assert!(ran.code.is_some_and(|code| code != 0), "{verb} {name:?}: {ran}");
        }
    }
    assert_nothing_happened(&blog);
}

#[test]
fn as_a_whole_command_line() {
    let blog = Blog::deployed();
    let touch = format!("touch {MARKER}");
    for line in [
        touch.clone(),
        format!("sh -c '{touch}'"),
        format!("apps:list; {touch}"),
        format!("apps:list && {touch}"),
        format!("apps:list $({touch})"),
        format!("git-upload-pack 'blog'; {touch}"),
        "git-upload-archive 'blog'".to_owned(),
        "git-receive-pack --upload-pack=x 'blog'".to_owned(),
        "git-receive-pack".to_owned(),
        "git-receive-pack 'blog' 'blog'".to_owned(),
        "serve".to_owned(),
        "proxy".to_owned(),
        "setup".to_owned(),
        "hook pre-receive".to_owned(),
        "ssh-session --key 1".to_owned(),
        "--config /etc/passwd apps:list".to_owned(),
        "apps:info 'unclosed".to_owned(),
        "\u{1b}[31m".to_owned(),
        "x".repeat(100_000),
    ] {
        let ran = blog.admin.ssh_line(&line, b"");
        let short: String = line.chars().take(60).collect();
        assert!(ran.code.is_some_and(|code| code != 0), "{short:?}: {ran}");
        assert!(!ran.all().contains('\u{1b}'), "{short:?} comes back raw");
    }
    assert_nothing_happened(&blog);
}

#[test]
fn there_is_no_shell_no_forwarding_and_no_environment() {
    let blog = Blog::deployed();
    let ran = blog.admin.ssh_line("", b"id\n");
    ran.never_says("uid=");
    blog.admin
        .ssh_with_options(&["-o", "SendEnv=GIT_DIR", "-o", "SetEnv=LD_PRELOAD=/nowhere.so"], "version")
        .ok();
    let forwarded =
        blog.admin.ssh_with_options(&["-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1"], "version");
    assert_ne!(forwarded.code, Some(0), "{forwarded}");
    let sftp = blog.admin.ssh_with_options(&["-s"], "sftp");
    assert_ne!(sftp.code, Some(0), "{sftp}");
    assert_nothing_happened(&blog);
}

#[test]
fn push_options_are_not_taken() {
    let blog = Blog::deployed();
    blog.repo.set("version", "2").commit("Version 2");
    let option = format!("x;touch {MARKER}");
    blog.repo.git(&["push", "--push-option", &option, "deploy", "main"]).fails().says("push options");
    assert_nothing_happened(&blog);
}

#[test]
fn as_the_name_of_a_branch() {
    let blog = Blog::deployed();
    for branch in ["$(touch${IFS}/tmp/paas-e2e-marker)", ";reboot", "a'b", "--force", "x`id`"] {
        let target = format!("main:refs/heads/{branch}");
        blog.repo.git(&["push", "deploy", &target]).fails();
    }
    assert_nothing_happened(&blog);
}

#[test]
fn as_other_arguments() {
    let blog = Blog::deployed();
    let touch = format!("$(touch {MARKER})");
    for args in [
        vec!["domains:add", "blog", &touch],
        vec!["storage:create", &touch],
        vec!["storage:create", "../x"],
        vec!["storage:mount", "blog", "data:relative"],
        vec!["storage:mount", "blog", "data:/a/../../b"],
        vec!["storage:mount", "blog", "data:/"],
        vec!["storage:mount", "blog", "/etc:/data"],
        vec!["builds:set", "blog", "--dockerfile", "../../etc/passwd"],
        vec!["builds:set", "blog", "--context", "/etc"],
        vec!["checks:set", "blog", "--path", "no-slash"],
        vec!["ps:scale", "blog", "web=-1"],
        vec!["ps:scale", "blog", "web=100000"],
        vec!["ps:scale", "blog", &touch],
        vec!["logs", "blog", "-n", "-5"],
        vec!["apps:rename", "blog", "../x"],
        vec!["ssh-keys:add", &touch],
    ] {
        let ran = blog.admin.ssh(&args);
        assert!(matches!(ran.code, Some(1 | 2)), "{args:?}: {ran}");
    }
    assert_nothing_happened(&blog);
}
