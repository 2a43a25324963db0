//! Pushes that cannot be built: the old version and the branch stay, and the message says what to do.

use paas_e2e::ServerOptions;

use crate::support::Blog;

#[test]
fn a_dockerfile_that_fails_shows_the_step_and_its_output() {
    let blog = Blog::deployed();
    blog.repo.use_busybox("RUN echo about to fail; echo broken-in-step >&2; exit 7");
    let ran = blog.refuses_push();
    ran.says("broken-in-step").says_one_of(&["exit code: 7", "exit code 7"]);
    blog.repo.push_version("2").ok();
    blog.http().serves("blog", "2");
}

#[test]
fn a_dockerfile_that_is_not_one_names_the_line() {
    let blog = Blog::deployed();
    blog.repo.write("Dockerfile", "FROM scratch\nCOPPY app /app\n");
    blog.refuses_push().says("COPPY");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let blog = Blog::deployed();
    blog.repo.write("Dockerfile", "FROM scratch\nCOPY no-such-file /app\n");
    blog.refuses_push().says("no-such-file");
}

#[test]
fn a_base_image_that_cannot_be_pulled_is_named() {
    let blog = Blog::deployed();
    blog.repo.write("Dockerfile", "FROM registry.invalid/nowhere/base:1\nCOPY app /app\n");
    blog.refuses_push().says("registry.invalid/nowhere/base:1");
}

#[test]
fn without_a_dockerfile_the_message_says_what_is_missing() {
    let blog = Blog::deployed();
    blog.repo.remove("Dockerfile");
    blog.refuses_push().says("Dockerfile");
}

#[test]
fn a_first_push_that_fails_leaves_no_release_and_can_be_repeated() {
    let blog = Blog::not_deployed(ServerOptions::default());
    blog.repo.write("Dockerfile", "FROM scratch\nCOPY no-such-file /app\n");
    blog.repo.commit_and_push("Broken").fails();
    assert_eq!(blog.repo.server_head(), None);
    assert!(blog.server.running().is_empty());
    assert_eq!(blog.http().get("blog", "/").status, 404, "it has no route before its first release");
    blog.server.assert_clean();

    blog.repo.write("Dockerfile", "FROM scratch\nCOPY app /app\nCOPY behaviour /behaviour\nCMD [\"/app\"]\n");
    blog.repo.commit_and_push("Mended").ok();
    blog.http().serves("blog", "1");
    blog.server.assert_clean();
}

#[test]
fn a_disk_that_is_nearly_full_is_refused_before_the_build() {
    let options = ServerOptions { min_free: Some("900000GiB".to_owned()), ..ServerOptions::default() };
    let blog = Blog::not_deployed(options);
    let ran = blog.repo.push().fails().says_one_of(&["nearly full", "free"]);
    assert!(ran.remote_lines().iter().any(|line| line.contains("min_free")), "a way out is named:\n{ran}");
    assert_eq!(blog.repo.server_head(), None);
    assert!(blog.server.engine().images(blog.server.instance()).is_empty());
    blog.server.assert_clean();
}
