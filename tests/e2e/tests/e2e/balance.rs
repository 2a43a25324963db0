//! An app of several containers.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use paas_e2e::{Http, eventually};

use crate::support::{Blog, HEALED};

const CONTAINERS: usize = 3;

/// Which container answers `/id`, asked so often, each time by somebody new.
fn who_answers(http: Http, times: usize) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    for _ in 0..times {
        *seen.entry(name(&http.get("blog", "/id"))).or_default() += 1;
    }
    seen
}

fn name(answer: &paas_e2e::Response) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["process"].as_str().expect("the name of a process").to_owned()
}

/// How often the proxy could not connect to a container.
fn unreachable(blog: &Blog) -> u64 {
    let metrics = blog.server.paas(&["metrics"]).ok().stdout;
    let line = metrics.lines().find(|line| line.starts_with("paas_proxy_upstream_unreachable"));
    let count = line.and_then(|line| line.rsplit(' ').next()).and_then(|count| count.parse().ok());
    count.unwrap_or_else(|| panic!("no such count:\n{metrics}"))
}

#[test]
fn a_busy_container_gets_less_one_that_refuses_is_left_out_and_a_visitor_may_stay_with_one() {
    let blog = Blog::deployed();
    let http = blog.http();
    blog.admin.ssh(&["ps:scale", "blog", "web=3"]).ok();
    assert_eq!(who_answers(http, 90).len(), CONTAINERS);

    // Nobody is answered before all have asked, and each asks when the one before has been counted.
    let mut asking = Vec::new();
    let mut busy = blog.in_flight();
    for _ in 0..18 {
        let mut stream = http.connect().expect("a connection").into_stream();
        write!(stream, "GET /id?ms=60000 HTTP/1.1\r\nHost: {}\r\n\r\n", http.host("blog"))
            .expect("a request");
        asking.push(stream);
        let now = eventually("the request is in flight", HEALED, || match blog.in_flight() {
            now if now.iter().sum::<u64>() > busy.iter().sum() => Ok(now),
            now => Err(format!("{now:?}")),
        });
        let chosen = (0..CONTAINERS).find(|place| now[*place] > busy[*place]).expect("a container got it");
        let is_busiest = (0..CONTAINERS).all(|place| place == chosen || busy[place] < busy[chosen]);
        assert!(!is_busiest, "{busy:?} became {now:?}: of any two the other one was less busy");
        busy = now;
    }
    drop(asking);

    let before = unreachable(&blog);
    let deaf = Instant::now();
    http.get("blog", "/deaf?until=/hear");
    let body = vec![b'x'; 64 * 1024];
    let mut sent = 0;
    while sent < 100 || deaf.elapsed() < Duration::from_millis(2_200) {
        let answer = http.post("blog", "/echo", &body);
        assert!(answer.status == 200 && answer.body == body, "{}: {}", answer.status, answer.text());
        sent += 1;
    }
    let tried = unreachable(&blog) - before;
    let time = deaf.elapsed();
    println!("{sent} requests while one of three refused, which was tried {tried} times in {time:?}");
    // At first, then after a rest of 1 s, of 2 s, of 4 s and so on; once more where one who tried was slow to tell.
    let most = u64::from((time.as_secs() + 1).ilog2()) + 2;
    assert!((1..=most).contains(&tried), "tried {tried} times in {time:?}");
    for container in blog.server.running() {
        blog.tell(&container, "/hear").expect("a container that runs");
    }
    eventually("it gets requests again", HEALED, || match who_answers(http, 30) {
        seen if seen.len() == CONTAINERS => Ok(()),
        seen => Err(format!("{seen:?}")),
    });
    blog.admin.ssh(&["http:set", "blog", "--sticky", "on"]).ok();
    assert_sticky(http);
    blog.server.assert_clean();
}

/// Whoever brings the cookie of his first answer stays; whoever brings none gets any container.
fn assert_sticky(http: Http) {
    let mut connection = http.connect().expect("a connection");
    let mut get = |cookie: &str| {
        connection.send("GET", &http.host("blog"), "/id", &[("Cookie", cookie)], b"").expect("an answer")
    };
    let first = get("a=b");
    let cookie =
        first.header("set-cookie").expect("a cookie").split(';').next().unwrap_or_default().to_owned();
    for _ in 0..40 {
        let answer = get(&cookie);
        assert_eq!((name(&answer), answer.header("set-cookie")), (name(&first), None));
    }
    assert!(who_answers(http, 60).len() > 1, "somebody without a cookie gets any");
}
