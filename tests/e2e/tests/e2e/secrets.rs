//! A config value is in the app's environment and nowhere else.

use crate::support::Blog;

const SECRET: &str = "s3cr3t-0f-th3-t3st";

#[test]
fn a_value_shows_up_in_no_output_log_image_or_database() {
    let blog = Blog::deployed();
    let mut seen = blog
        .admin
        .ssh_with_input(&["config:set", "blog"], format!("API_TOKEN={SECRET}\n").as_bytes())
        .ok()
        .all();
    blog.repo.set("print_secret", "API_TOKEN");
    seen += &blog.repo.push_version("2").ok().all();
    blog.repo.set("exit_at_once", "4");
    seen += &blog.repo.push_version("3").fails().says("the secret API_TOKEN is").all();

    seen += &blog.admin.ssh(&["ps", "blog"]).ok().all();
    seen += &blog.admin.ssh(&["apps:info", "blog"]).ok().all();
    seen += &blog.admin.ssh(&["releases", "blog"]).ok().all();
    seen += &blog.server.control_log();
    seen += &blog.server.proxy_log();
    let engine = blog.server.engine();
    for image in engine.images(blog.server.instance()) {
        seen += &engine.docker(&["history", "--no-trunc", &image]).ok().all();
        seen += &engine.docker(&["image", "inspect", &image]).ok().all();
    }
    assert!(!seen.contains(SECRET), "the value leaked:\n{seen}");
    let database = blog.server.database().bytes();
    assert!(
        !database.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()),
        "the database holds the value in clear"
    );
    assert_eq!(blog.environment()["API_TOKEN"], SECRET);
}

#[test]
fn the_key_is_private_and_a_readable_one_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let mut blog = Blog::deployed();
    let key = blog.server.path("data/secret.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    blog.server.control().kill();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    blog.server.paas(&["serve"]).fails().says("secret.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    blog.server.start_control();
    blog.http().serves("blog", "1");
}
