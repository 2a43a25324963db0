//! A request never reaches another app's container, whatever the engine restarts.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use paas_e2e::{AppRepo, Client, Http, Server, eventually, wait_until};

use crate::support::HEALED;

const APPS: [&str; 2] = ["blog", "shop"];
/// Requests that must be answered between two blows.
const BETWEEN: u64 = 40;

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
