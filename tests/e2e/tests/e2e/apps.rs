//! Apps: made, listed, renamed, destroyed, told apart by hostname.

use paas_e2e::Server;

use crate::support::{Blog, names};

#[test]
fn two_apps_answer_at_their_own_hostnames() {
    let blog = Blog::deployed();
    let shop = blog.admin.app_repo("shop");
    shop.push_version("shop").ok();
    blog.http().serves("blog", "1");
    blog.http().serves("shop", "shop");
    assert_eq!(blog.http().get("blog", "/id").json()["app"], "blog");
    assert_eq!(blog.http().get("shop", "/id").json()["app"], "shop");
    assert_eq!(
        blog.http().get("SHOP.paas.localhost.", "/id").json()["app"],
        "shop",
        "case and the last dot do not matter"
    );
    blog.server.assert_clean();
}

#[test]
fn an_unknown_hostname_is_404_and_names_no_app() {
    let blog = Blog::deployed();
    for host in ["nobody", "localhost", "evil.example.org", "xblog.paas.localhost"] {
        let answer = blog.http().get(host, "/");
        assert_eq!(answer.status, 404, "{host}");
        assert!(!answer.text().contains("blog.paas"), "{}", answer.text());
    }
}

#[test]
fn an_app_can_be_made_before_the_first_push_and_only_once() {
    let server = Server::start();
    let admin = server.admin();
    admin.ssh(&["apps:create", "blog"]).ok();
    admin.ssh(&["apps:create", "blog"]).fails_with(1).says("blog");
    assert_eq!(names(&admin.ssh(&["apps:list", "--json"]).ok().json()), ["blog"]);
    assert_eq!(server.http().get("blog", "/").status, 404, "it has no route before its first release");
    let info = admin.ssh(&["apps:info", "blog", "--json"]).ok().json();
    assert_eq!(info["name"], "blog");
    admin.app_repo("blog").push().ok();
    server.http().serves("blog", "1");
}

#[test]
fn the_app_may_be_given_by_an_option() {
    let blog = Blog::deployed();
    for args in [["apps:info", "-a", "blog"], ["apps:info", "--app", "blog"]] {
        blog.admin.ssh(&args).ok().says("blog");
    }
    blog.admin.ssh(&["apps:info", "nobody"]).fails_with(1).says("nobody");
}

#[test]
fn a_renamed_app_answers_at_its_new_name_and_keeps_its_repository() {
    let blog = Blog::deployed();
    blog.admin.ssh(&["apps:rename", "blog", "journal"]).ok();
    blog.http().serves("journal", "1");
    assert_eq!(blog.http().get("blog", "/").status, 404);
    blog.repo.git(&["remote", "set-url", "deploy", &blog.admin.remote("journal")]).ok();
    assert_eq!(blog.repo.server_head(), Some(blog.repo.head()));
    blog.repo.push_version("2").ok();
    blog.http().serves("journal", "2");
    blog.server.assert_clean();
}

#[test]
fn a_rename_to_a_taken_name_is_refused() {
    let blog = Blog::deployed();
    blog.admin.ssh(&["apps:create", "shop"]).ok();
    blog.admin.ssh(&["apps:rename", "blog", "shop"]).fails_with(1).says("shop");
    blog.http().serves("blog", "1");
}

#[test]
fn destroying_asks_the_name_back() {
    let blog = Blog::deployed();
    blog.admin.ssh(&["apps:destroy", "blog"]).fails_with(1).says("--force");
    blog.http().serves("blog", "1");
    blog.admin.ssh_on_terminal(&["apps:destroy", "blog"], b"blob\n").fails_with(1);
    blog.http().serves("blog", "1");
    blog.admin.ssh_on_terminal(&["apps:destroy", "blog"], b"blog\n").ok();
    assert_eq!(blog.http().get("blog", "/").status, 404);
    assert!(blog.server.running().is_empty());
    blog.server.assert_clean();
}

#[test]
fn a_destroyed_app_leaves_nothing_and_its_name_is_free_again() {
    let blog = Blog::deployed();
    blog.admin.ssh(&["apps:destroy", "blog", "--force"]).ok();
    let (engine, instance) = (blog.server.engine(), blog.server.instance());
    assert!(engine.containers(instance).is_empty());
    assert!(engine.networks(instance).is_empty());
    assert!(engine.images(instance).is_empty());
    assert!(names(&blog.admin.ssh(&["apps:list", "--json"]).ok().json()).is_empty());
    blog.repo.push().ok();
    blog.http().serves("blog", "1");
    blog.server.assert_clean();
}

#[test]
fn usage_errors_exit_with_2_and_an_unreachable_server_with_69() {
    let mut server = Server::start();
    let admin = server.admin();
    admin.ssh(&["apps:create"]).fails_with(2);
    admin.ssh(&["no:such:command"]).fails_with(2).says("no:such:command");
    admin.ssh(&["version"]).ok();
    admin.ssh(&["help"]).ok().says("apps:create");
    server.paas(&["completions", "bash"]).ok();
    server.control().kill();
    admin.ssh(&["apps:list"]).fails_with(69);
    server.paas(&["apps:list"]).fails_with(69);
    server.start_control();
    admin.ssh(&["apps:list"]).ok();
}
