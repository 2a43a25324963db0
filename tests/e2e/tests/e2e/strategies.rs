//! Deploys that let one version run at a time, and canaries, as a person types them.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use paas_e2e::{Http, Load, Response, ServerOptions, eventually};

use crate::support::{Blog, HEALED};

/// A server on which version 1 of an app runs that ends when another of its containers holds its lock.
fn exclusive() -> Blog {
    let blog = Blog::not_deployed(ServerOptions::default());
    blog.repo.write("Procfile", "release: /app release\nweb: /app\nworker: /app worker\n");
    blog.repo.write(
        "paas.toml",
        "[deploy]\nstrategy = \"hold\"\ndrain_timeout = \"5s\"\n[volumes]\ndata = \"/data\"\n",
    );
    blog.repo.set("lock", "only-one");
    blog.repo.commit_and_push("An app with one writer").ok();
    blog.http().serves("blog", "1");
    blog
}

/// Which versions answer new visitors, and how often.
fn visitors(blog: &Blog, count: usize) -> BTreeMap<String, usize> {
    let mut versions = BTreeMap::new();
    for _ in 0..count {
        *versions.entry(blog.http().get("blog", "/").text().trim_end().to_owned()).or_default() += 1;
    }
    versions
}

#[test]
fn an_app_with_one_writer_is_redeployed_under_load_without_losing_a_request() {
    let blog = exclusive();
    let watch = blog.server.engine().watch(blog.server.instance());
    let load = Load::start(blog.http(), "blog");
    load.wait_for_more(500);
    for version in ["2", "3"] {
        blog.repo.push_version(version).ok().says("Visitors waited up to");
        load.wait_for_more(500);
    }
    blog.admin.ssh(&["ps:restart", "blog"]).ok().says("Visitors waited up to");
    load.wait_for_more(500);
    let report = load.stop();
    report.assert_none_failed(2_000);
    let versions: Vec<_> = report.versions.keys().map(String::as_str).collect();
    assert_eq!(versions, ["1", "2", "3"]);
    blog.server.assert_clean();
    let watched = watch.end();
    assert_eq!(watched.deploys_at_once, 1, "{watched:?}");
    // Two pushes with a release command, a web process and a worker, and a restart of the last two.
    assert_eq!(watched.started, 8, "{watched:?}");
}

/// Beyond `--hold-requests` at once, beyond `--hold-timeout` then; and whatever bodies those who wait would send, nobody reads them.
#[test]
fn no_more_wait_than_may_nor_longer_nor_with_their_bodies() {
    let mut blog = exclusive();
    let (http, proxy) = (blog.http(), blog.server.proxy().pid());
    let waiting = |count: usize, size: usize| {
        let post = move || http.post("blog", "/echo", &vec![b'x'; size]);
        (0..count).map(|_| thread::spawn(post)).collect::<Vec<_>>()
    };
    let hold = |count: &str, timeout: &str| {
        blog.admin.ssh(&["http:set", "blog", "--hold-requests", count, "--hold-timeout", timeout]).ok();
        let push = blog.repo.push_in_background();
        assert!(push.says_within("Stopping the old version", HEALED), "{}", push.printed());
        // That is said before the proxy is told.
        eventually("the requests are held", HEALED, || match &blog.server.proxied()[0]["spec"]["state"] {
            state if state == "held" => Ok(()),
            state => Err(format!("{state}")),
        });
        push
    };
    // A version that takes longer to start than anybody may wait.
    blog.commit_that_waits("2");
    let push = hold("2", "1s");
    let answers: Vec<_> = waiting(6, 4).into_iter().map(|post| post.join().unwrap()).collect();
    for answer in &answers {
        assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true), "{answer:?}");
    }
    blog.let_listen("2");
    push.wait().ok();
    http.serves("blog", "2");

    // As large as they are, they wait outside.
    let (count, size) = (24, 4 << 20);
    blog.commit_that_waits("3");
    let before = resident(proxy);
    let push = hold("1000", "1m");
    let posts = waiting(count, size);
    eventually("all wait", HEALED, || match &blog.server.proxied()[0]["waiting"] {
        waiting if *waiting == count => Ok(()),
        waiting => Err(format!("{waiting} wait")),
    });
    let grown = resident(proxy).saturating_sub(before);
    println!("{count} requests of {size} bytes wait; the proxy has grown by {grown} bytes");
    assert!(grown < 24 << 20, "the proxy has grown by {grown} bytes");
    blog.let_listen("3");
    push.wait().ok();
    for post in posts {
        let answer = post.join().unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, size));
    }
    blog.server.assert_clean();
}

/// How much memory a process has, in bytes.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line of the kernel's");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

#[test]
fn a_version_that_fails_under_hold_loses_no_request_either() {
    let blog = exclusive();
    let load = Load::start(blog.http(), "blog");
    load.wait_for_more(500);
    blog.repo.set("exit_at_once", "3");
    let ran = blog.repo.commit_and_push("Broken").fails();
    ran.says("exited with code 3").says("Starting the old version again").says("Visitors waited up to");
    load.wait_for_more(500);
    load.stop().assert_none_failed(1_000);
    blog.http().serves("blog", "1");
    blog.server.assert_clean();
}

#[test]
fn visitors_of_an_app_that_is_recreated_are_answered_503() {
    let blog = exclusive();
    blog.admin.ssh(&["deploys:set", "blog", "--strategy", "recreate"]).ok();
    blog.admin.ssh(&["apps:info", "blog"]).ok().says("strategy = recreate (set by command)");
    blog.commit_that_waits("2");
    let push = blog.repo.push_in_background();
    assert!(push.says_within("Stopping the old version", HEALED), "{}", push.printed());
    eventually("a visitor is answered 503", HEALED, || {
        let answer = blog.http().get("blog", "/");
        if answer.status == 503 { Ok(()) } else { Err(format!("{answer:?}")) }
    });
    blog.let_listen("2");
    push.wait().ok().says("Visitors were answered 503 for");
    blog.http().serves("blog", "2");
    blog.server.assert_clean();
}

#[test]
fn a_canary_is_given_to_more_and_then_to_all() {
    let mut blog = Blog::deployed();
    let ssh = |args: &[&str]| blog.admin.ssh(args);
    ssh(&["releases:promote", "blog"]).fails().says("has no candidate");
    ssh(&["releases:canary", "blog", "10"]).ok().says("10 % of the visitors will get the next push");
    blog.repo
        .push_version("2")
        .ok()
        .says("v2 is the candidate: 10 % of the visitors get it, the others v1")
        .says("releases:promote blog")
        .says("Deployed v2 to 10 % of the visitors, as a candidate");
    ssh(&["releases", "blog"]).ok().says("v2 (candidate, 10 %)").says("v1 (current)");
    ssh(&["ps", "blog"]).ok().says("v2 (candidate)");
    ssh(&["apps:info", "blog"]).ok().says("v2 (10 % of the visitors)");
    let seen = visitors(&blog, 300);
    assert!(seen["version 1"] > 200 && seen.contains_key("version 2"), "{seen:?}");

    blog.server.kill_and_restart_control();
    let ssh = |args: &[&str]| blog.admin.ssh(args);
    ssh(&["releases:canary", "blog", "100"]).ok().says("100 % of the visitors get v2");
    assert_eq!(visitors(&blog, 20).keys().collect::<Vec<_>>(), ["version 2"]);
    ssh(&["releases:canary", "blog", "0"]).ok();
    assert_eq!(visitors(&blog, 20).keys().collect::<Vec<_>>(), ["version 1"]);
    let load = Load::start(blog.http(), "blog");
    load.wait_for_more(300);
    ssh(&["releases:promote", "blog"]).ok().says("Deployed v2");
    load.wait_for_more(300);
    load.stop().assert_none_failed(600);
    blog.http().serves("blog", "2");
    assert_eq!(blog.server.running(), ["paas-blog-web-1-v2"]);
    blog.server.assert_clean();
}

#[test]
fn an_aborted_canary_leaves_the_active_release_and_the_branch_at_its_commit() {
    let blog = Blog::deployed();
    let ssh = |args: &[&str]| blog.admin.ssh(args);
    ssh(&["releases:canary", "blog", "50"]).ok();
    blog.repo.push_version("2").ok();
    let load = Load::start(blog.http(), "blog");
    load.wait_for_more(300);
    ssh(&["releases:abort", "blog"]).ok().says("v2 is no longer the candidate");
    load.wait_for_more(300);
    load.stop().assert_none_failed(600);
    ssh(&["releases", "blog"]).ok().says("v2 (aborted)");
    assert_eq!(blog.repo.server_head(), Some(blog.repo.head()));
    assert_eq!(blog.server.running(), ["paas-blog-web-1-v1"]);
    ssh(&["releases:canary", "blog", "off"]).ok();
    blog.repo.push_version("3").ok().says("Deployed v3");
    blog.http().serves("blog", "3");
    blog.server.assert_clean();
}

/// Somebody who brings the cookies he was given.
#[derive(Debug)]
struct Regular {
    cookie: String,
    /// What he saw first.
    version: String,
}

impl Regular {
    /// One who has not been here, or whose draws were for other candidates.
    fn new(http: Http, cookie: &str) -> Self {
        let answer = ask(http, cookie);
        let field = answer.header("set-cookie").expect("he is to remember what he drew");
        let cookie = field.split(';').next().unwrap_or_default().to_owned();
        assert!(cookie.starts_with("paas_canary="), "{field}");
        Self { cookie, version: answer.text() }
    }
}

fn ask(http: Http, cookie: &str) -> Response {
    let mut connection = http.connect().expect("a connection");
    let fields = [("Cookie", cookie), ("Connection", "close")];
    connection.send("GET", &http.host("blog"), "/", &fields, b"").expect("an answer")
}

/// Each sees what he saw first, by whatever connection he comes.
fn assert_all_stay(http: Http, regulars: &[Regular]) {
    for _ in 0..4 {
        for regular in regulars {
            assert_eq!(ask(http, &regular.cookie).text(), regular.version, "{regular:?}");
        }
    }
    let seen: BTreeSet<_> = regulars.iter().map(|regular| &regular.version).collect();
    assert_eq!(seen.len(), 2, "half of forty drew the candidate: {seen:?}");
}

/// Whatever they drew, and those who drew nothing.
fn assert_all_see(http: Http, regulars: &[Regular], version: &str) {
    for cookie in regulars.iter().map(|regular| regular.cookie.as_str()).chain(["a=b"]) {
        assert_eq!(ask(http, cookie).text(), format!("version {version}\n"), "{cookie}");
    }
}

#[test]
fn a_visitor_stays_with_what_he_drew_until_the_canary_ends() {
    let blog = Blog::deployed();
    let http = blog.http();
    let ssh = |args: &[&str]| blog.admin.ssh(args).ok();
    ssh(&["releases:canary", "blog", "50"]);
    blog.repo.push_version("2").ok().says("v2 is the candidate");
    let first: Vec<_> = (0..40).map(|_| Regular::new(http, "a=b")).collect();
    assert_all_stay(http, &first);
    ssh(&["releases:promote", "blog"]);
    assert_all_see(http, &first, "2");

    blog.repo.push_version("3").ok().says("v3 is the candidate");
    let second: Vec<_> = first.iter().map(|regular| Regular::new(http, &regular.cookie)).collect();
    assert_all_stay(http, &second);
    ssh(&["releases:abort", "blog"]);
    assert_all_see(http, &second, "2");
    assert_all_see(http, &first, "2");
    blog.server.assert_clean();
}

#[test]
fn one_version_at_a_time_and_a_canary_exclude_each_other() {
    let blog = exclusive();
    let ssh = |args: &[&str]| blog.admin.ssh(args);
    ssh(&["releases:canary", "blog", "10"]).fails().says("--strategy rolling");
    ssh(&["deploys:set", "blog", "--strategy", "rolling"]).ok();
    ssh(&["releases:canary", "blog", "10"]).ok();
    ssh(&["deploys:set", "blog", "--strategy", "hold"]).fails().says("releases:canary blog off");
}
