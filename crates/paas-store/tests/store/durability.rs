//! What was acknowledged is there after `kill -9`, and nothing is there by halves.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use paas_domain::{AppId, ConfigKey, Secret};
use rusqlite::Connection;

use crate::support::{Place, app_name, open, set, unset};

/// Where the child finds its database; without it `child` is no test.
const DIR: &str = "PAAS_STORE_CHILD_DIR";
/// The write the child begins with.
const FIRST: &str = "PAAS_STORE_CHILD_FIRST";
/// How often the parent kills.
const KILLS: &str = "PAAS_STORE_KILLS";
/// The names that are written round and round.
const NAMES: u64 = 8;

/// Both halves of one write: a value under one name, the same under another, and now and then one name goes.
fn write(number: u64) -> Vec<(ConfigKey, Option<Secret>)> {
    let slot = number % NAMES;
    let length = usize::try_from(number * 2_654_435_761 % 150).unwrap();
    let value = format!("{number}:{}", "v\n$é".repeat(length / 5));
    let other =
        if number.is_multiple_of(7) { unset(&format!("B{slot}")) } else { set(&format!("B{slot}"), &value) };
    vec![set(&format!("A{slot}"), &value), other]
}

/// The config after that write and all before it.
fn after(number: u64) -> BTreeMap<ConfigKey, Secret> {
    let mut config = BTreeMap::new();
    // The first write is number 1; what is older than two rounds was written over.
    for (key, value) in (number.saturating_sub(2 * NAMES).max(1)..=number).flat_map(write) {
        match value {
            Some(value) => config.insert(key, value),
            None => config.remove(&key),
        };
    }
    config
}

/// Not a test by itself: the process that is killed. It writes, and prints the number of each write that was acknowledged.
#[test]
#[ignore = "run by the test beside it"]
fn child() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let store = open(Path::new(&dir), "10.208.0.0/12");
    let app = store.get_app(&app_name("blog")).unwrap().id;
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    for number in first..first + 100_000 {
        store.change_config(app, &write(number)).unwrap();
        println!("ack {number}");
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the test runs itself again; no shell, and only its own arguments"
)]
fn start(dir: &Path, first: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "durability::child", "--ignored", "--nocapture", "--test-threads", "1"])
        .env(DIR, dir)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The acknowledgements a child has given.
struct Acks {
    last: u64,
    count: u32,
}

impl Acks {
    fn note(&mut self, line: &str) {
        // libtest prints its own lines, and the first of ours at the end of one.
        if let Some((_, number)) = line.split_once("ack ") {
            assert_eq!(number.parse(), Ok(self.last + 1), "the child writes in order");
            self.last += 1;
            self.count += 1;
        }
    }
}

/// Kills the child after some acknowledgements, somewhere inside the next write, and says the last one it gave.
fn kill_at_random(dir: &Path, last: u64) -> u64 {
    let mut child = start(dir, last + 1);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acks = Acks { last, count: 0 };
    // None at all is a kill while it opens the file; hundreds fill the log until SQLite copies it into the file.
    let most = if rand::random_ratio(1, 4) { 400 } else { 60 };
    let enough = rand::random_range(0..most);
    while acks.count < enough {
        acks.note(&lines.next().expect("the child lives until it is killed").unwrap());
    }
    // Not to wait for anything: to fall into every phase of a write, which takes about this long.
    std::thread::sleep(Duration::from_micros(rand::random_range(0..4000)));
    child.kill().unwrap();
    // What it had printed before it died was acknowledged too.
    lines.map_while(Result::ok).for_each(|line| acks.note(&line));
    assert_eq!(child.wait().unwrap().signal(), Some(9), "it did not end by itself");
    acks.last
}

/// The number of the last write that is there. It is the last one acknowledged or the one after it, whole.
fn recovered(dir: &Path, app: AppId, acknowledged: u64) -> u64 {
    let store = open(dir, "10.208.0.0/12");
    let config = store.config(app).unwrap();
    let found = (acknowledged..=acknowledged + 1).find(|number| config == after(*number));
    let found = found.unwrap_or_else(|| {
        let a: Vec<_> =
            config.iter().map(|(key, value)| (key.as_str(), value.expose().split(':').next())).collect();
        panic!("neither the config after write {acknowledged} nor after the next one: {a:?}")
    });
    let db = Connection::open(dir.join("paas.db")).unwrap();
    for check in ["quick_check", "integrity_check"] {
        let report: String = db.query_row(&format!("PRAGMA {check}"), [], |row| row.get(0)).unwrap();
        assert_eq!(report, "ok", "{check}");
    }
    found
}

/// A process is killed with SIGKILL at random points while it writes config vars, two in each transaction, over one database that lives through all
/// kills. After each kill the file must be sound, and hold exactly the writes up to the last acknowledged one, or one more that was on its way.
///
/// A dozen kills by default. For a long run, without nextest's time limit:
/// `PAAS_STORE_KILLS=1000 cargo test -p paas-store --test store -- --exact durability::acknowledged_writes_survive_kill_9`
///
/// It shows the death of a process, not of a machine: for a power cut the store relies on `synchronous=FULL`.
#[test]
fn acknowledged_writes_survive_kill_9() {
    let kills: u32 =
        std::env::var(KILLS).map_or(12, |text| text.parse().expect("PAAS_STORE_KILLS is a number"));
    let place = Place::new();
    let app = place.app("blog").id;
    let label = place.store.instance_label().to_owned();
    let dir = place.close();
    let mut last = 0;
    for _ in 0..kills {
        let acknowledged = kill_at_random(dir.path(), last);
        last = recovered(dir.path(), app, acknowledged);
    }
    assert!(kills < 12 || last > u64::from(kills), "writes happened: {last}");
    assert_eq!(open(dir.path(), "10.208.0.0/12").instance_label(), label);
}
