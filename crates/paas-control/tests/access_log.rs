//! The access logs of apps, as the proxy leaves them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod support;

use std::{fs, io::Write as _, path::PathBuf};

use futures_util::StreamExt as _;
use paas_control::wire::{ErrorKind, LogsQuery};
use paas_store::{Access, App};
use support::*;

const ACCESS: LogsQuery = LogsQuery { tail: None, follow: false, process: None, access: true };

struct Stage {
    server: Server,
    blog: App,
}

impl Stage {
    fn new() -> Self {
        let world = World::new();
        fs::create_dir_all(world.dir.path().join("proxy/access")).unwrap();
        let blog = world.app("blog");
        Self { server: Server::start_with(world), blog }
    }

    fn path(&self, suffix: &str) -> PathBuf {
        let service = paas_deploy::service_name(self.blog.id);
        self.server.world.dir.path().join(format!("proxy/access/{service}.log{suffix}"))
    }

    fn write(&self, suffix: &str, text: &str) {
        let mut options = fs::OpenOptions::new();
        options
            .append(true)
            .create(true)
            .open(self.path(suffix))
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }

    async fn read(&self, query: &LogsQuery) -> Vec<String> {
        let lines = self.server.root().logs(&self.blog.name, query).await.unwrap();
        soon(lines.map(|entry| entry.unwrap().text).collect()).await
    }
}

#[tokio::test]
async fn the_last_lines_come_out_of_all_files() {
    let stage = Stage::new();
    stage.write(".1", "one\ntwo\n");
    stage.write("", "three\nfo");
    assert_eq!(stage.read(&ACCESS).await, ["one", "two", "three"]);
    assert_eq!(stage.read(&LogsQuery { tail: Some(2), ..ACCESS }).await, ["two", "three"]);
}

#[tokio::test]
async fn whoever_wants_more_lines_than_are_shown_is_told_where_they_are() {
    let stage = Stage::new();
    let hint = async |access| {
        let query = LogsQuery { tail: Some(10_001), access, ..ACCESS };
        refusal(stage.server.root().logs(&stage.blog.name, &query).await).hints.remove(0)
    };
    assert!(hint(true).await.contains(stage.path("").parent().unwrap().to_str().unwrap()));
    assert!(hint(false).await.contains("docker logs"));
}

#[tokio::test]
async fn following_goes_on_with_each_line_and_over_a_full_file() {
    let stage = Stage::new();
    stage.write("", "old\n");
    let query = LogsQuery { tail: Some(1), follow: true, ..ACCESS };
    let mut lines = stage.server.root().logs(&stage.blog.name, &query).await.unwrap();
    let mut next = async || soon(lines.next()).await.unwrap().unwrap().text;
    assert_eq!(next().await, "old");
    stage.write("", "one\n");
    assert_eq!(next().await, "one");
    fs::rename(stage.path(""), stage.path(".1")).unwrap();
    stage.write("", "two\n");
    assert_eq!(next().await, "two");
}

#[tokio::test]
async fn a_log_that_is_not_there_yet_can_be_followed() {
    let stage = Stage::new();
    let error = refusal(stage.server.root().logs(&stage.blog.name, &ACCESS).await);
    assert_eq!(error.kind, ErrorKind::NotFound);
    let query = LogsQuery { follow: true, ..ACCESS };
    let mut lines = stage.server.root().logs(&stage.blog.name, &query).await.unwrap();
    stage.write("", "first\n");
    assert_eq!(soon(lines.next()).await.unwrap().unwrap().text, "first");
    stage.server.shutdown.cancel();
    assert!(soon(lines.next()).await.is_none());
}

#[tokio::test]
async fn whoever_may_not_see_the_app_sees_no_log_of_it() {
    let world = World::new();
    let shop = world.app("shop");
    let key = world.key("bob", &Access::Apps(vec![shop.name]));
    let blog = world.app("blog");
    let server = Server::start_with(world);
    assert_eq!(refusal(server.with_key(key).logs(&blog.name, &ACCESS).await).kind, ErrorKind::NotFound);
}
