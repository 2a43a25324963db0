//! The output of apps.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod support;

use futures_util::StreamExt as _;
use paas_control::wire::{ErrorKind, LogEntry, LogsQuery};
use paas_docker::{ContainerExit, Engine as _, LogLine};
use paas_domain::ProcessType;
use paas_store::App;
use support::*;

fn line(second: u32, text: &str) -> LogLine {
    LogLine {
        stderr: false,
        timestamp: Some(format!("2026-01-01T00:00:{second:02}.000000000Z")),
        text: text.into(),
    }
}

/// An app with two web containers that have printed in turn.
async fn chatty() -> (Server, App, Vec<String>) {
    let world = World::new();
    let blog = world.app("blog");
    world.release(&blog, spec());
    let blog = world.store().get_app_by_id(blog.id).unwrap();
    let first = world.start_containers(&blog).await.remove(0);
    // A second deploy's container beside the first.
    world.release(&blog, spec());
    let rows = world.store().containers(blog.id).unwrap();
    let second = rows.iter().find(|row| row.name != first).unwrap().clone();
    world.start_container(&blog, &second).await;
    for (container, at, text) in [(&first, 1, "one"), (&second.name, 2, "two"), (&first, 3, "three")] {
        assert!(world.engine.print(container, line(at, text)));
    }
    let blog = world.store().get_app_by_id(blog.id).unwrap();
    (Server::start_with(world), blog, vec![first, second.name])
}

fn texts(entries: &[LogEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.text.as_str()).collect()
}

async fn read(server: &Server, app: &App, query: &LogsQuery) -> Vec<LogEntry> {
    let lines = server.root().logs(&app.name, query).await.unwrap();
    soon(lines.map(Result::unwrap).collect()).await
}

#[tokio::test]
async fn lines_of_all_containers_come_in_the_order_they_were_written() {
    let (server, blog, _) = chatty().await;
    let entries = read(&server, &blog, &LogsQuery::default()).await;
    assert_eq!(texts(&entries), ["one", "two", "three"]);
    assert_eq!(entries[0].process, "web.1");
    let last = read(&server, &blog, &LogsQuery { tail: Some(2), ..LogsQuery::default() }).await;
    assert_eq!(texts(&last), ["two", "three"]);
    assert!(read(&server, &blog, &LogsQuery { tail: Some(0), ..LogsQuery::default() }).await.is_empty());
    let web = LogsQuery { process: Some(ProcessType::web()), ..LogsQuery::default() };
    assert_eq!(read(&server, &blog, &web).await.len(), 3);
    let worker = LogsQuery { process: Some(ProcessType::new("worker").unwrap()), ..LogsQuery::default() };
    assert_eq!(refusal(server.root().logs(&blog.name, &worker).await).kind, ErrorKind::NotFound);
    let much = LogsQuery { tail: Some(1_000_000), ..LogsQuery::default() };
    assert_eq!(refusal(server.root().logs(&blog.name, &much).await).kind, ErrorKind::Refused);
}

#[tokio::test]
async fn following_goes_on_over_new_lines_and_restarted_containers_without_a_double() {
    let (server, blog, containers) = chatty().await;
    let follow = LogsQuery { follow: true, tail: Some(2), ..LogsQuery::default() };
    let mut lines = server.root().logs(&blog.name, &follow).await.unwrap();
    let mut next = async || soon(lines.next()).await.unwrap().unwrap().text;
    assert_eq!(next().await, "two");
    assert_eq!(next().await, "three");
    let engine = &server.world.engine;
    engine.print(&containers[1], line(4, "four"));
    assert_eq!(next().await, "four");
    engine.exit_container(&containers[0], ContainerExit { code: 1, out_of_memory: false });
    engine.start_container(&containers[0]).await.unwrap();
    engine.print(&containers[0], line(5, "five"));
    assert_eq!(next().await, "five");
}

#[tokio::test]
async fn following_from_now_shows_no_old_line() {
    let (server, blog, containers) = chatty().await;
    let follow = LogsQuery { follow: true, tail: Some(0), ..LogsQuery::default() };
    let mut lines = server.root().logs(&blog.name, &follow).await.unwrap();
    let reading = |engine: &paas_docker::FakeEngine| {
        engine.calls().iter().filter(|call| call.call == paas_docker::fake::FakeCall::Logs).count() >= 2
    };
    soon(server.world.engine.until(reading)).await;
    server.world.engine.print(&containers[0], line(9, "new"));
    assert_eq!(soon(lines.next()).await.unwrap().unwrap().text, "new");
}

#[tokio::test]
async fn a_follower_of_an_app_that_is_not_deployed_waits_for_its_first_container() {
    let world = World::new();
    let blog = world.app("blog");
    let server = Server::start_with(world);
    let follow = LogsQuery { follow: true, ..LogsQuery::default() };
    let mut lines = server.root().logs(&blog.name, &follow).await.unwrap();
    server.world.release(&blog, spec());
    let container = server.world.start_containers(&blog).await.remove(0);
    server.world.engine.print(&container, line(1, "hello"));
    assert_eq!(soon(lines.next()).await.unwrap().unwrap().text, "hello");
    server.shutdown.cancel();
    assert!(soon(lines.next()).await.is_none());
    soon(server.task).await.unwrap();
}

#[tokio::test]
async fn an_engine_that_is_away_is_said_and_not_a_silence() {
    let (server, blog, _) = chatty().await;
    server.world.engine.set_down(true);
    let error = refusal(server.root().logs(&blog.name, &LogsQuery::default()).await);
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.contains("systemctl start docker"), "{error:?}");
}
