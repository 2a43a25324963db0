//! What access logs take of the disk.

use std::{collections::BTreeMap, ffi::OsStr, fs, path::Path, time::Duration};

use paas_e2e::eventually;

use crate::support::Blog;

const LOGGED: Duration = Duration::from_secs(30);
/// Of one app: the file that is written to, and three before it.
const FILES: [&str; 4] = [".log", ".log.1", ".log.2", ".log.3"];
const FILE: usize = 10 * 1024 * 1024;

#[test]
fn an_access_log_has_a_bound_on_the_disk_and_keeps_what_is_newest() {
    let blog = Blog::deployed();
    let (admin, http) = (&blog.admin, blog.http());
    admin.ssh(&["access-log:set", "blog", "--format", "json"]).ok();
    // The proxy's own answers are logged as well, and a small app need not read what fills the log.
    admin.ssh(&["maintenance:on", "blog"]).ok();
    let mut connection = http.connect().expect("a connection");
    let mut visit = |target: &str| {
        let answer = connection.send("GET", &http.host("blog"), target, &[], b"").expect("an answer");
        assert_eq!(answer.status, 503, "{answer:?}");
    };
    // By `paas logs`, which follows it over the files.
    let until_newest_is = |mark: &str| {
        eventually(&format!("{mark} is in the access log"), LOGGED, || {
            let newest = admin.ssh(&["logs", "blog", "--access", "-n", "1"]).ok().stdout;
            if newest.contains(mark) { Ok(()) } else { Err(newest) }
        });
    };
    let files = || -> BTreeMap<String, Vec<u8>> {
        let listed = fs::read_dir(blog.server.path("data/proxy/access")).expect("the folder of access logs");
        let paths = listed.map(|entry| entry.expect("an entry").path());
        let name = |path: &Path| path.file_name().and_then(OsStr::to_str).expect("a name").to_owned();
        let logs = paths.filter(|path| name(path).contains(".log"));
        logs.map(|path| (name(&path), fs::read(&path).expect("a file"))).collect()
    };
    let has_first = |log: &Vec<u8>| String::from_utf8_lossy(log).contains("mark=first");

    visit("/?mark=first");
    until_newest_is("mark=first");
    assert!(files().values().any(has_first));
    let fill = format!("/?fill={}", "f".repeat(7 * 1024));
    let times = FILE * (FILES.len() + 1) / fill.len();
    for _ in 0..times {
        visit(&fill);
    }
    visit("/?mark=last");
    until_newest_is("mark=last");
    let files = files();
    let lengths: Vec<_> = files.iter().map(|(name, log)| (name, log.len())).collect();
    assert_eq!(lengths.len(), FILES.len(), "{lengths:?}");
    assert!(FILES.iter().all(|end| files.keys().any(|name| name.ends_with(end))), "{lengths:?}");
    assert!(lengths.iter().all(|(_, length)| *length <= FILE), "{lengths:?}");
    assert!(!files.values().any(has_first), "the oldest went");
    blog.server.assert_clean();
}
