//! The binary on a laptop, which talks to the server over the laptop's own ssh.

use crate::support::{Blog, names};

#[test]
fn in_a_clone_the_deploy_remote_says_which_server_and_which_app() {
    let blog = Blog::deployed();
    let paas = |args: &[&str]| blog.admin.paas(blog.repo.directory(), args);
    assert_eq!(names(&paas(&["apps:list", "--json"]).ok().json()), ["blog"]);
    paas(&["apps:info"]).ok().says("blog");
    paas(&["config:set", "FROM=the laptop's \"own\" $HOME"]).ok();
    assert_eq!(blog.environment()["FROM"], "the laptop's \"own\" $HOME");
    assert_eq!(paas(&["config:get", "FROM"]).ok().stdout, "the laptop's \"own\" $HOME\n");
    paas(&["apps:info", "nobody"]).fails_with(1).says("nobody");
    paas(&["no:such:command"]).fails_with(2);
}

#[test]
fn elsewhere_the_host_is_an_option() {
    let blog = Blog::deployed();
    let home = blog.admin.home();
    blog.admin.paas(home, &["apps:list"]).fails_with(2).says("--host");
    blog.admin.paas(home, &["--host", &blog.admin.host(), "apps:info", "blog"]).ok().says("blog");
    blog.admin.paas(home, &["--host", "-oProxyCommand=touch", "apps:list"]).fails();
}

#[test]
fn a_server_that_does_not_answer_is_69() {
    let blog = Blog::deployed();
    let refused = "root@127.0.0.1:1";
    blog.admin.paas(blog.admin.home(), &["--host", refused, "apps:list"]).fails_with(69);
}
