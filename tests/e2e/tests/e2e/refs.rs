//! Which references a push may move.

use crate::support::Blog;

#[test]
fn a_tag_is_refused_in_one_line() {
    let blog = Blog::deployed();
    blog.repo.git(&["tag", "v1.0"]).ok();
    blog.repo.git(&["push", "deploy", "v1.0"]).fails().says("tags are not kept here");
    assert!(!blog.repo.server_refs().contains(&"refs/tags/v1.0".to_owned()));
}

#[test]
fn another_branch_is_refused_with_the_command_that_would_deploy_it() {
    let blog = Blog::deployed();
    blog.repo.git(&["checkout", "--quiet", "-b", "feature"]).ok();
    blog.repo.set("version", "2").commit("A feature");
    blog.repo.git(&["push", "deploy", "feature"]).fails().says("git push deploy feature:main");
    blog.http().serves("blog", "1");

    blog.repo.git(&["push", "deploy", "feature:main"]).ok();
    blog.http().serves("blog", "2");
}

#[test]
fn master_deploys_too() {
    let blog = Blog::deployed();
    blog.repo.set("version", "2").commit("Version 2");
    blog.repo.git(&["push", "deploy", "main:master"]).ok();
    blog.http().serves("blog", "2");
}

#[test]
fn the_deploy_branch_cannot_be_deleted() {
    let blog = Blog::deployed();
    blog.repo.git(&["push", "deploy", ":main"]).fails().says("cannot be deleted");
    assert_eq!(blog.repo.server_head(), Some(blog.repo.head()));
    blog.http().serves("blog", "1");
}

#[test]
fn a_forced_push_deploys_what_it_brings() {
    let blog = Blog::deployed();
    blog.repo.push_version("2").ok();
    blog.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
    blog.repo.set("version", "3").commit("Another second version");
    blog.repo.push().fails().says("rejected");
    blog.http().serves("blog", "2");
    blog.repo.git(&["push", "--force", "deploy", "main"]).ok();
    blog.http().serves("blog", "3");
    assert_eq!(blog.repo.server_head(), Some(blog.repo.head()));
}

#[test]
fn a_shallow_clone_can_push() {
    let blog = Blog::deployed();
    blog.repo.push_version("2").ok();
    let source = format!("file://{}", blog.repo.directory().display());
    blog.admin.git(blog.admin.home(), &["clone", "--quiet", "--depth", "1", &source, "shallow"]).ok();
    let shallow = blog.admin.home().join("shallow");
    std::fs::write(shallow.join("behaviour"), "version=3\n").unwrap();
    blog.admin.git(&shallow, &["commit", "--quiet", "--all", "-m", "Version 3"]).ok();
    blog.admin.git(&shallow, &["push", &blog.admin.remote("blog"), "main"]).ok();
    blog.http().serves("blog", "3");
}

#[test]
fn a_shallow_clone_can_be_the_first_push() {
    let blog = Blog::deployed();
    let source = format!("file://{}", blog.repo.directory().display());
    blog.repo.push_version("2").ok();
    blog.admin.git(blog.admin.home(), &["clone", "--quiet", "--depth", "1", &source, "shallow"]).ok();
    let shallow = blog.admin.home().join("shallow");
    let ran = blog.admin.git(&shallow, &["push", &blog.admin.remote("other"), "main"]);
    if ran.code == Some(0) {
        blog.http().serves("other", "2");
    } else {
        ran.says_one_of(&["shallow"]);
    }
}

#[test]
fn beside_main_another_branch_is_refused_alone() {
    let blog = Blog::deployed();
    blog.repo.set("version", "2").commit("Version 2");
    blog.repo.git(&["branch", "feature"]).ok();
    blog.repo.git(&["push", "deploy", "main", "feature"]).fails().says("only main and master deploy here");
    blog.http().serves("blog", "2");
    assert_eq!(blog.repo.server_head(), Some(blog.repo.head()));
    assert!(!blog.repo.server_refs().contains(&"refs/heads/feature".to_owned()));
}

#[test]
fn main_and_master_with_different_commits_are_refused() {
    let blog = Blog::deployed();
    blog.repo.git(&["branch", "master"]).ok();
    blog.repo.set("version", "2").commit("Version 2");
    blog.repo.git(&["push", "deploy", "main", "master"]).fails().says("only one can run");
    blog.http().serves("blog", "1");
}
