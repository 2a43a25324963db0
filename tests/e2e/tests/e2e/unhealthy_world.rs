//! The engine does not answer.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use paas_e2e::{Server, ServerOptions};

fn server_with_engine_at(socket: PathBuf) -> Server {
    Server::start_with(ServerOptions { docker_socket: Some(socket), ..ServerOptions::default() })
}

#[test]
fn with_docker_stopped_a_push_is_refused_with_the_way_out() {
    let server = server_with_engine_at(PathBuf::from("/nonexistent/docker.sock"));
    let repo = server.admin().app_repo("blog");
    let ran = repo.push().fails().says_one_of(&["docker"]);
    assert!(ran.took.as_secs() < 30, "{ran}");
    assert_eq!(repo.server_head(), None);
    server.admin().ssh(&["apps:list"]).ok();
    server.admin().ssh(&["config:set", "blog", "A=1"]).ok();
}

#[test]
fn an_engine_that_hangs_does_not_hang_the_command_line() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("docker.sock");
    // Connections are accepted by the kernel and never answered.
    let _listener = UnixListener::bind(&socket).unwrap();
    let server = server_with_engine_at(socket);
    let ran = server.admin().ssh(&["apps:list"]).ok();
    assert!(ran.took.as_secs() < 10, "{ran}");
    server.admin().ssh(&["apps:create", "blog"]).ok();
}
