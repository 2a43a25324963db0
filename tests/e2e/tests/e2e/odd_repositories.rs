//! Repositories that are not what the platform can build as they are: each works or is refused in plain words.

use paas_e2e::ServerOptions;

use crate::support::Blog;

const SOME_COMMIT: &str = "1234567890123456789012345678901234567890";

#[test]
fn an_empty_repository_can_be_cloned_and_its_push_is_gits_own_error() {
    let blog = Blog::not_deployed(ServerOptions::default());
    blog.admin.ssh(&["apps:create", "blog"]).ok();
    blog.admin.git(blog.admin.home(), &["clone", &blog.admin.remote("blog"), "empty"]).ok();
    let empty = blog.admin.home().join("empty");
    blog.admin.git(&empty, &["push", "origin", "main"]).fails().says("src refspec main does not match any");
    blog.server.assert_clean();
}

#[test]
fn a_commit_without_files_is_refused() {
    let blog = Blog::deployed();
    blog.repo.git(&["rm", "--quiet", "-r", "."]).ok();
    blog.refuses_push().says("no files");
}

#[test]
fn a_submodule_is_named() {
    let blog = Blog::deployed();
    blog.repo.write(
        ".gitmodules",
        "[submodule \"lib\"]\n\tpath = vendor/lib\n\turl = https://example.org/lib.git\n",
    );
    blog.repo.git(&["add", ".gitmodules"]).ok();
    let entry = format!("160000,{SOME_COMMIT},vendor/lib");
    blog.repo.git(&["update-index", "--add", "--cacheinfo", &entry]).ok();
    blog.repo.git(&["commit", "--quiet", "-m", "Add a submodule"]).ok();
    let ran = blog.repo.push().says_one_of(&["submodule"]).says("vendor/lib");
    let served = blog.http().get("blog", "/").text();
    assert_eq!(served, "version 1\n");
    assert_eq!(ran.code == Some(0), blog.repo.server_head() == Some(blog.repo.head()), "{ran}");
}

#[test]
fn a_git_lfs_pointer_is_named_and_refused() {
    let blog = Blog::deployed();
    let oid = "0".repeat(64);
    blog.repo.write(
        "assets/film.mp4",
        &format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12345\n"),
    );
    blog.refuses_push().says("LFS").says("assets/film.mp4");
}

#[test]
fn links_and_modes_arrive_in_the_image() {
    let blog = Blog::deployed();
    blog.repo.use_busybox(
        "COPY . /src\nRUN test -x /src/tool && test ! -x /src/plain && test \"$(/bin/busybox readlink /src/link)\" = plain",
    );
    blog.repo.write("plain", "text\n");
    blog.repo.write("tool", "#!/bin/busybox sh\n");
    blog.repo.git(&["add", "--all"]).ok();
    blog.repo.git(&["update-index", "--chmod=+x", "tool"]).ok();
    std::os::unix::fs::symlink("plain", blog.repo.directory().join("link")).unwrap();
    blog.repo.git(&["add", "link"]).ok();
    blog.repo.git(&["commit", "--quiet", "-m", "Links and modes"]).ok();
    blog.repo.push().ok();
}

#[test]
fn a_link_out_of_the_repository_reads_nothing_of_the_server() {
    let blog = Blog::deployed();
    std::os::unix::fs::symlink("/etc/shadow", blog.repo.directory().join("shadow")).unwrap();
    blog.repo.write("Dockerfile", "FROM scratch\nCOPY shadow /shadow\nCOPY app /app\nCMD [\"/app\"]\n");
    blog.refuses_push().never_says("root:");
}

#[test]
fn a_dockerfile_that_is_a_link_to_a_host_file_is_harmless() {
    let blog = Blog::deployed();
    blog.repo.remove("Dockerfile");
    std::os::unix::fs::symlink("/etc/passwd", blog.repo.directory().join("Dockerfile")).unwrap();
    blog.refuses_push().never_says("root:x:");
}
