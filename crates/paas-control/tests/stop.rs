//! How control stops while clients are connected.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod support;

use support::*;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

/// Its body is yet to come, and the server says when it waits for that.
const POST: &str =
    "POST /v1/apps HTTP/1.1\r\nhost: paas\r\nexpect: 100-continue\r\ncontent-length: 99\r\n\r\n";
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

async fn begin(server: &Server, request: &[u8]) -> UnixStream {
    let mut stream = UnixStream::connect(server.socket()).await.unwrap();
    stream.write_all(request).await.unwrap();
    stream
}

#[tokio::test]
async fn a_client_that_is_silent_holds_up_no_stop() {
    let world = World::new();
    let blog = world.app("blog");
    let server = Server::start_with(world);
    let mut silent = Vec::new();
    for begun in ["", "GET /v1/ap", POST] {
        silent.push(begin(&server, begun.as_bytes()).await);
        let mut closed = begin(&server, begun.as_bytes()).await;
        closed.shutdown().await.unwrap();
        silent.push(closed);
    }
    // `paas logs -t | less`: the answer has begun, and is more than the socket holds.
    let log = server.world.dir.path().join("proxy/access");
    std::fs::create_dir_all(&log).unwrap();
    let log = log.join(format!("{}.log", paas_deploy::service_name(blog.id)));
    std::fs::write(log, format!("{}\n", "x".repeat(5_000)).repeat(500)).unwrap();
    let follow = "GET /v1/apps/blog/logs?access=true&follow=true&tail=500 HTTP/1.1\r\nhost: paas\r\n\r\n";
    let mut reader = begin(&server, follow.as_bytes()).await;
    let mut start = [0; 15];
    soon(reader.read_exact(&mut start)).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    silent.push(reader);
    server.shutdown.cancel();
    soon(server.task).await.unwrap();
    drop(silent);
}

#[tokio::test]
async fn a_request_under_way_is_completed_when_control_stops() {
    let world = World::new();
    let blog = world.deployed("blog");
    let target = world.start_containers(&blog).await.remove(0);
    world.proxy.set_in_flight(&target, 1);
    let server = Server::start_with(world);
    let root = server.root();
    let stopping = tokio::spawn(async move { root.stop(&blog.name).await });
    let service = format!("app-{}", blog.id);
    soon(server.world.proxy.until(&service, |service| service.targets.is_empty())).await;
    let mut half = begin(&server, POST.as_bytes()).await;
    let mut asked_for = vec![0; CONTINUE.len()];
    soon(half.read_exact(&mut asked_for)).await.unwrap();
    assert_eq!(asked_for, CONTINUE.as_bytes());
    half.write_all(b"{\"name\":").await.unwrap();
    server.shutdown.cancel();
    // Told, not only cut off.
    let mut answer = String::new();
    soon(half.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("has not come whole"), "{answer}");
    assert!(!server.task.is_finished() && !stopping.is_finished());
    server.world.proxy.set_in_flight(&target, 0);
    soon(stopping).await.unwrap().unwrap();
    soon(server.task).await.unwrap();
}
