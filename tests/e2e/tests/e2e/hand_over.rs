//! Another process takes the running proxy's place, as at an upgrade.

use std::fs;
use std::time::{Duration, Instant};

use paas_e2e::{Load, LoadPlan, ServerOptions, WebSocket, is_whole};

use crate::support::Blog;

const RELOADS: u64 = 3;
/// The proxy's own drain limit, and how long it takes to end what is left then.
const LIMIT: Duration = Duration::from_secs(30);
const END: Duration = Duration::from_secs(5);

#[test]
fn an_upgrade_of_the_proxy_under_load_fails_no_request() {
    let mut blog = Blog::deployed_with(ServerOptions { own_binary: true, ..ServerOptions::default() });
    let (http, first) = (blog.http(), blog.server.proxy().pid());
    let plan = LoadPlan { http2: Some(blog.https()), ..LoadPlan::default() };
    let load = Load::start_as(http, "blog", &plan);
    load.wait_for_more(500);
    let mut socket = WebSocket::open(http, "blog");
    let old = fs::metadata(format!("/proc/{first}/exe")).unwrap().len();
    for more in 1..=RELOADS {
        blog.server.upgrade_binary();
        let pid = blog.server.reload_proxy();
        let new = fs::metadata(format!("/proc/{pid}/exe")).unwrap().len();
        assert!(new > old, "the process {pid} runs the old binary");
        load.wait_for_more(500);
        socket.echoes(&format!("a tunnel through the first of {more}"));
    }
    // It would live, and the old version with it, as long as the first one drains.
    drop(socket);
    // The new one is told of changes, and of what still runs in those before it.
    blog.repo.push_version("2").ok();
    load.wait_for_more(500);
    load.stop().assert_none_failed(2_500);
    http.serves("blog", "2");
    blog.server.assert_clean();
}

#[test]
fn a_websocket_lives_until_the_limit_of_a_proxy_that_has_handed_over() {
    if !is_whole() {
        println!("left out: it takes {LIMIT:?} to wait for, with PAAS_TEST_ALL=1");
        return;
    }
    let mut blog = Blog::deployed();
    let mut socket = WebSocket::open(blog.http(), "blog");
    let begin = Instant::now();
    blog.server.reload_proxy();
    socket.echoes("still there");
    let (opcode, payload) = socket.receive().expect("a close frame");
    assert_eq!((opcode, payload.as_slice()), (8, &[0x03, 0xe9][..]));
    assert!(begin.elapsed() >= LIMIT && begin.elapsed() < LIMIT + END, "{:?}", begin.elapsed());
    socket.close(&payload).expect("the close frame can be answered");
    assert!(blog.server.proxy().wait(LIMIT).success());
    assert!(begin.elapsed() < LIMIT + END, "{:?}", begin.elapsed());
    WebSocket::open(blog.http(), "blog").echoes("to the new one");
}
