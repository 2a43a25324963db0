use std::time::{Duration, Instant};

use crate::support::{App, Deaf, TestProxy, undisturbed, until};

/// How long a target rests for the first time. It is counted in whole milliseconds, of which a part may have passed.
const REST: Duration = Duration::from_millis(999);

#[tokio::test]
async fn a_target_that_refuses_rests_and_is_tried_again() {
    undisturbed(REST, async |watch| {
        let proxy = TestProxy::start().await;
        let app = App::start("well").await;
        let deaf = Deaf::new();
        proxy.put("blog", "a.test", &[("c1", app.address), ("c2", deaf.address)]).await;
        let mut wire = proxy.connect().await;
        let begin = Instant::now();
        watch.start();
        let post = "POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi";
        for _ in 0..30 {
            assert_eq!(wire.ask(post).await.text(), "hi", "one that was not sent goes to another");
        }
        let back = App::start_on("back", deaf.listen());
        for _ in 0..30 {
            assert_eq!(wire.get("a.test", "/").await.text(), "well");
        }
        watch.stop();
        until("the target's return", async || wire.get("a.test", "/").await.text() == "back").await;
        assert!(begin.elapsed() >= REST, "{:?}", begin.elapsed());
        let before = back.requests();
        for _ in 0..30 {
            assert_eq!(wire.get("a.test", "/").await.status, 200);
        }
        assert!(back.requests() > before, "it is one like the others again");
    })
    .await;
}

#[tokio::test]
async fn targets_that_all_rest_are_tried() {
    let proxy = TestProxy::start().await;
    let (one, other) = (Deaf::new(), Deaf::new());
    proxy.put("blog", "a.test", &[("c1", one.address), ("c2", other.address)]).await;
    let mut wire = proxy.connect().await;
    assert_eq!(wire.get("a.test", "/").await.status, 502);
    let _app = App::start_on("back", one.listen());
    assert_eq!(wire.get("a.test", "/").await.text(), "back");
}
