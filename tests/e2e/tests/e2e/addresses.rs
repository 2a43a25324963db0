//! A request never reaches another app's container, whatever the engine restarts.

use std::{
    collections::BTreeMap,
    io::Write as _,
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use paas_e2e::{AppRepo, Client, Connection, Http, HttpError, Response, Server, eventually, wait_until};

use crate::support::HEALED;

const APPS: [&str; 2] = ["blog", "shop"];
/// Requests that must be answered between two blows.
const BETWEEN: u64 = 40;

/// How many visit an app that is destroyed, each on a connection that stays open.
const REGULARS: usize = 3;
/// Between two requests of each. Without a pause the engine once waited for minutes until it could change the rules of a network.
const PACE: Duration = Duration::from_millis(5);

/// Asks every app who answers, without a pause.
struct Askers {
    stop: Arc<AtomicBool>,
    /// How often each app answered for itself.
    right: Arc<[AtomicU64; APPS.len()]>,
    threads: Vec<thread::JoinHandle<BTreeMap<String, u64>>>,
}

impl Askers {
    fn start(http: Http) -> Self {
        let (stop, right) = (Arc::<AtomicBool>::default(), Arc::<[AtomicU64; APPS.len()]>::default());
        let threads = APPS.iter().enumerate().map(|(number, app)| {
            let (stop, right) = (Arc::clone(&stop), Arc::clone(&right));
            thread::spawn(move || ask(http, app, &stop, &right[number]))
        });
        let threads = threads.collect();
        Self { stop, right, threads }
    }

    /// Each app has answered: one alone would tell nothing of the other's requests.
    #[track_caller]
    fn wait_for_more(&self) {
        for (app, right) in APPS.iter().zip(self.right.iter()) {
            let goal = right.load(Ordering::Relaxed) + BETWEEN;
            assert!(wait_until(HEALED, || right.load(Ordering::Relaxed) >= goal), "{app} does not come back");
        }
    }

    /// Who answered in the name of another, and how often.
    fn stop(self) -> BTreeMap<String, u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    }
}

fn ask(http: Http, app: &str, stop: &AtomicBool, right: &AtomicU64) -> BTreeMap<String, u64> {
    let mut wrong = BTreeMap::new();
    while !stop.load(Ordering::Relaxed) {
        // While its container is away an app answers with an error page, or the connection ends: that is no wrong app.
        let Ok(answer) = http.try_get(app, "/id") else { continue };
        if answer.status != 200 {
            continue;
        }
        let who = answer.json()["app"].as_str().unwrap_or_default().to_owned();
        if who == app {
            right.fetch_add(1, Ordering::Relaxed);
        } else {
            *wrong.entry(format!("{who} answered for {app}")).or_default() += 1;
        }
    }
    wrong
}

fn deployed(admin: &Client, app: &str) -> AppRepo {
    let repo = admin.app_repo(app);
    repo.push().ok();
    repo
}

/// Where the engine has put a container.
fn address(server: &Server, container: &str) -> String {
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    server.engine().docker(&["inspect", "--format", format, container]).ok().stdout.trim().to_owned()
}

/// Both containers stop and start in the other order, which is how an engine without fixed addresses gives each the other's.
#[test]
fn a_restart_by_the_engine_leads_no_request_to_another_app() {
    let server = Server::start();
    let admin = server.admin();
    let repos = APPS.map(|app| deployed(&admin, app));
    let askers = Askers::start(server.http());
    askers.wait_for_more();
    let (blog, shop) = ("paas-blog-web-1-v1", "paas-shop-web-1-v1");
    let docker = |args: &[&str]| server.engine().docker(args).ok();
    let addresses = || [blog, shop].map(|name| address(&server, name));
    let first = addresses();
    for names in [[blog, shop], [shop, blog]] {
        let mut restart = vec!["restart", "--time", "1"];
        restart.extend(names);
        docker(&restart);
        askers.wait_for_more();
        assert_eq!(addresses(), first, "each has its address again");
    }
    // Their processes end by themselves: the engine starts them again by its policy.
    for app in APPS {
        let _ = server.http().try_get(app, "/exit?code=1");
    }
    askers.wait_for_more();
    // These the reconciler brings back.
    docker(&["kill", shop, blog]);
    askers.wait_for_more();
    // New containers beside the old ones, whose addresses become free.
    for repo in &repos {
        repo.push_version("2").ok();
    }
    let second = ["paas-blog-web-1-v2", "paas-shop-web-1-v2"].map(|name| address(&server, name));
    assert!(
        second.iter().all(|address| !first.contains(address)),
        "{second:?} were free, {first:?} are not yet"
    );
    docker(&["restart", "--time", "1", "paas-shop-web-1-v2", "paas-blog-web-1-v2"]);
    askers.wait_for_more();
    assert_eq!(askers.stop(), BTreeMap::new());
    for app in APPS {
        eventually("the new version answers", HEALED, || match server.http().try_get(app, "/") {
            Ok(answer) if answer.text() == "version 2\n" => Ok(()),
            other => Err(format!("{other:?}")),
        });
    }
    server.assert_clean();
}

/// Ask one app who answers, each on a connection that stays open for as long as the proxy likes.
struct Regulars {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    threads: Vec<thread::JoinHandle<BTreeMap<String, u64>>>,
}

impl Regulars {
    fn start(http: Http, app: &str) -> Self {
        let (stop, answers) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let thread = |_| {
            let (stop, answers, app) = (Arc::clone(&stop), Arc::clone(&answers), app.to_owned());
            thread::spawn(move || visit(http, &app, &stop, &answers))
        };
        let threads = (0..REGULARS).map(thread).collect();
        Self { stop, answers, threads }
    }

    #[track_caller]
    fn wait_for_more(&self) {
        let goal = self.answers.load(Ordering::Relaxed) + BETWEEN;
        assert!(wait_until(HEALED, || self.answers.load(Ordering::Relaxed) >= goal), "nobody answers");
    }

    /// Which app answered or with what status nobody did, and how often.
    fn stop(self) -> BTreeMap<String, u64> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = BTreeMap::new();
        for seen in self.threads.into_iter().map(|thread| thread.join().unwrap()) {
            for (who, count) in seen {
                *all.entry(who).or_default() += count;
            }
        }
        all
    }
}

fn visit(http: Http, app: &str, stop: &AtomicBool, answers: &AtomicU64) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    let mut connection = None;
    while !stop.load(Ordering::Relaxed) {
        let answer = connection
            .take()
            .map_or_else(|| http.connect(), Ok)
            .and_then(|mut open| Ok((open.send("GET", &http.host(app), "/id", &[], b"")?, open)));
        thread::sleep(PACE);
        // Until a proxy that was killed is back there is none.
        let Ok((answer, open)) = answer else { continue };
        let who = match answer.status {
            200 => answer.json()["app"].as_str().unwrap_or_default().to_owned(),
            status => status.to_string(),
        };
        *seen.entry(who).or_default() += 1;
        answers.fetch_add(1, Ordering::Relaxed);
        connection = (!answer.is_last()).then_some(open);
    }
    seen
}

/// Sends this much of a request to an app.
fn begin(http: Http, app: &str, request: &str, rest: &str) -> TcpStream {
    let mut stream = http.connect().expect("a connection").into_stream();
    write!(stream, "{request} HTTP/1.1\r\nHost: {}\r\n{rest}", http.host(app)).expect("a request");
    stream
}

/// Sends the rest of a request, if somebody still takes it, and reads the answer.
fn end(mut stream: TcpStream, rest: &str) -> Result<Response, HttpError> {
    let _ = stream.write_all(rest.as_bytes());
    Connection::over(stream)?.receive()
}

/// What happens to the proxy while an app is destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    Killed,
    /// What is in flight stays with a process that drains.
    HandedOver,
}

/// Destroys `old`, which is the only app, with requests on their way to it, and deploys `new` in its place.
fn replace(server: &mut Server, old: (&str, &AppRepo), new: (&str, &AppRepo), meanwhile: Meanwhile) {
    let (admin, http) = (server.admin(), server.http());
    old.1.push().ok();
    let place = address(server, &format!("paas-{}-web-1-v1", old.0));

    // The app is asked when a body of known length has begun, so it does not know of the second of these.
    let slow = begin(http, old.0, "GET /slow?ms=60000", "\r\n");
    let known = begin(http, old.0, "POST /log?text=late-known", "Content-Length: 10\r\n\r\nabc");
    let chunked =
        begin(http, old.0, "POST /log?text=late-chunked", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    eventually("three requests are in flight", HEALED, || {
        let count = &server.proxied()[0]["targets"][0]["in_flight"];
        if *count == 3 { Ok(()) } else { Err(format!("{count} are")) }
    });
    let mut idle = http.connect().expect("a connection");
    let mut ask = || idle.send("GET", &http.host(old.0), "/id", &[], b"");
    assert_eq!(ask().expect("an answer").json()["app"], old.0);
    let regulars = Regulars::start(http, old.0);
    regulars.wait_for_more();

    let destroy = || admin.ssh(&["apps:destroy", old.0, "--force"]);
    match meanwhile {
        Meanwhile::Nothing => drop(destroy().ok()),
        Meanwhile::Killed => {
            server.proxy().kill();
            destroy().fails();
            assert_eq!(server.database().app_ids().len(), 1, "it keeps its network");
            server.start_proxy();
            eventually("it is gone", HEALED, || match server.database().app_ids() {
                ids if ids.is_empty() => Ok(()),
                ids => Err(format!("{ids:?}")),
            });
        }
        Meanwhile::HandedOver => {
            server.reload_proxy();
            destroy().ok();
        }
    }
    new.1.push().ok();
    http.serves(new.0, "1");
    assert_eq!(address(server, &format!("paas-{}-web-1-v1", new.0)), place, "else this shows nothing");
    regulars.wait_for_more();

    let ends = [end(slow, ""), end(known, "defghij"), end(chunked, "0\r\n\r\n")];
    let statuses: Vec<_> = ends.iter().map(|end| end.as_ref().map_or(0, |answer| answer.status)).collect();
    let (wanted, asked_again) = match meanwhile {
        Meanwhile::Killed => (0, None),
        _ => (504, Some(404)),
    };
    assert_eq!(statuses, [wanted; 3], "{meanwhile:?}: {ends:?}");
    // A process that has handed over ends its connections sooner or later.
    let asked = ask().ok().map(|answer| answer.status);
    let has_ended = matches!(meanwhile, Meanwhile::HandedOver) && asked.is_none();
    assert!(has_ended || asked == asked_again, "{meanwhile:?}: {asked:?}");
    let seen = regulars.stop();
    println!("{meanwhile:?}: {} is at the address of {} now, whose visitors saw {seen:?}", new.0, old.0);
    assert!(seen.contains_key(old.0) && seen.contains_key("404"), "{seen:?}");
    assert!(seen.keys().all(|who| [old.0, "404", "502", "504"].contains(&who.as_str())), "{seen:?}");
    http.get(new.0, "/log?text=own");
    eventually("the new app has logged what is its own, and that alone", HEALED, || {
        let log = admin.ssh(&["logs", new.0]).ok().never_says("late").stdout;
        if log.contains("own") { Ok(()) } else { Err(log) }
    });
}

/// The next app gets the network of one that is gone, and its first container the address of that one's first.
#[test]
fn an_app_in_the_place_of_a_destroyed_one_gets_none_of_its_requests() {
    let mut server = Server::start();
    let repos = ["blog", "wiki"].map(|app| server.admin().app_repo(app));
    let (blog, wiki) = (("blog", &repos[0]), ("wiki", &repos[1]));
    replace(&mut server, blog, wiki, Meanwhile::Nothing);
    replace(&mut server, wiki, blog, Meanwhile::Killed);
    replace(&mut server, blog, wiki, Meanwhile::HandedOver);
    server.assert_clean();
}
