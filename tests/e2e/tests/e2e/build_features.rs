//! What BuildKit can do, through paas.

use paas_e2e::ServerOptions;

use crate::support::Blog;

const SECRET: &str = "bu1ld-t1me-s3cret";

#[test]
fn a_build_secret_is_readable_in_its_step_and_nowhere_else() {
    let blog = Blog::not_deployed(ServerOptions::default());
    blog.admin.ssh(&["apps:create", "blog"]).ok();
    blog.admin.ssh(&["config:set", "blog", &format!("NPM_TOKEN={SECRET}")]).ok();
    blog.repo.use_busybox(
        "RUN --mount=type=secret,id=NPM_TOKEN echo token: $(/bin/busybox cat /run/secrets/NPM_TOKEN) && \
         test $(/bin/busybox wc -c < /run/secrets/NPM_TOKEN) = 17 && test -z \"$NPM_TOKEN\"",
    );
    blog.repo.commit_and_push("Use a secret").ok().never_says(SECRET);
    let engine = blog.server.engine();
    for image in engine.images(blog.server.instance()) {
        engine.docker(&["history", "--no-trunc", &image]).ok().never_says(SECRET);
    }
    assert!(!blog.server.control_log().contains(SECRET));
}

#[test]
fn a_cache_mount_survives_from_push_to_push() {
    let blog = Blog::not_deployed(ServerOptions::default());
    let id = format!("cache-{}", blog.server.instance());
    let step = |number: u32| {
        format!(
            "RUN --mount=type=cache,id={id},target=/cache echo push {number} >> /cache/log; echo seen: $(/bin/busybox wc -l < /cache/log)"
        )
    };
    blog.repo.use_busybox(&step(1));
    blog.repo.commit_and_push("One").ok().says("seen: 1");
    blog.repo.use_busybox(&step(2));
    blog.repo.commit_and_push("Two").ok().says("seen: 2");
}

#[test]
fn config_vars_are_no_build_arguments() {
    let blog = Blog::not_deployed(ServerOptions::default());
    blog.admin.ssh(&["apps:create", "blog"]).ok();
    blog.admin.ssh(&["config:set", "blog", "ARGUMENT=from-config"]).ok();
    blog.repo.use_busybox("ARG ARGUMENT=default\nRUN echo argument: $ARGUMENT");
    blog.repo.commit_and_push("An argument").ok().says("argument: default").never_says("from-config");
}

#[test]
fn the_output_of_a_step_arrives_while_it_runs() {
    use std::time::Duration;

    let blog = Blog::not_deployed(ServerOptions::default());
    blog.repo
        .use_busybox("RUN echo the step $(echo begins); /bin/busybox sleep 4; echo the step $(echo ends)");
    blog.repo.commit("A slow step");
    let push = blog.repo.push_in_background();
    assert!(push.says_within("the step begins", Duration::from_mins(1)));
    assert!(!push.printed().contains("the step ends"), "{}", push.printed());
    push.wait().ok().says("the step ends");
}

#[test]
fn dockerignore_is_read_as_docker_reads_it() {
    let blog = Blog::not_deployed(ServerOptions::default());
    blog.repo.use_busybox(
        "COPY . /src\nRUN cd /src && echo found: $(/bin/busybox find . -name '*.txt' | /bin/busybox sort)",
    );
    blog.repo.write(".dockerignore", "# notes\n*.txt\n!keep.txt\ndeep/**/gone.txt\n");
    for name in ["keep.txt", "root.txt", "deep/stays.txt", "deep/a/gone.txt", "deep/a/b/gone.txt"] {
        blog.repo.write(name, "text\n");
    }
    blog.repo.commit_and_push("Ignore some").ok().says("found: ./deep/stays.txt ./keep.txt");
}

#[test]
fn the_dockerfile_may_be_elsewhere_by_setting() {
    let blog = Blog::not_deployed(ServerOptions::default());
    blog.admin.ssh(&["apps:create", "blog"]).ok();
    blog.repo.remove("Dockerfile");
    std::fs::create_dir(blog.repo.directory().join("web")).unwrap();
    blog.repo.git(&["mv", "app", "behaviour", "web/"]).ok();
    blog.repo.write("deploy/web.dockerfile", "FROM scratch\nCOPY app behaviour /\nCMD [\"/app\"]\n");
    blog.admin.ssh(&["builds:set", "blog", "--dockerfile", "deploy/web.dockerfile", "--context", "web"]).ok();
    blog.repo.commit_and_push("A subfolder").ok();
    blog.http().serves("blog", "1");
}

#[test]
fn the_first_exposed_port_is_the_apps_port() {
    let blog = Blog::not_deployed(ServerOptions::default());
    blog.repo.write("Dockerfile", "FROM scratch\nCOPY app behaviour /\nEXPOSE 8080\nCMD [\"/app\"]\n");
    blog.repo.commit_and_push("A port").ok();
    assert_eq!(blog.environment()["PORT"], "8080");
}
