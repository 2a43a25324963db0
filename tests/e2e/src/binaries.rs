//! The binaries: the test app, which is static, and paas.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::command::{program, run};

/// The path of the test app, built on first use. It has no dependency, so one call of the compiler does; the file's name carries a hash
/// of the sources, so that a changed app is built again. `PAAS_TEST_APP` names one that is there already.
pub fn test_app() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| std::env::var_os("PAAS_TEST_APP").map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/src");
    let directory = target_directory().join("e2e");
    fs::create_dir_all(&directory).expect("a directory for the test app");
    let binary = directory.join(format!("test-app-{:016x}", hash_of(&sources)));

    // Tests are processes of their own: the first one builds, the others wait for it.
    let lock = File::create(directory.join("lock")).expect("a lock file");
    lock.lock().expect("the lock can be taken");
    if !binary.exists() {
        let unfinished = binary.with_extension("new");
        let mut rustc = program(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.envs(
            std::env::vars_os()
                .filter(|(name, _)| name == "HOME" || name == "RUSTUP_HOME" || name == "CARGO_HOME"),
        );
        rustc.args([
            "--edition",
            "2024",
            "-C",
            "opt-level=2",
            "-C",
            "strip=symbols",
            "-C",
            "target-feature=+crt-static",
        ]);
        rustc.arg("--crate-name=test_app").arg("-o").arg(&unfinished).arg(sources.join("main.rs"));
        run(rustc, b"").ok();
        fs::rename(&unfinished, &binary).expect("the test app can be moved to its place");
    }
    binary
}

fn hash_of(sources: &Path) -> u64 {
    let mut files: Vec<_> = fs::read_dir(sources)
        .expect("the sources of the test app")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs::read(file).expect("a source file").hash(&mut hasher);
    }
    hasher.finish()
}

/// The binary under test: `PAAS_BIN`, or the one of `cargo build -p paas --features failpoints`.
pub(crate) fn paas_binary() -> PathBuf {
    let binary =
        std::env::var_os("PAAS_BIN").map_or_else(|| target_directory().join("debug/paas"), PathBuf::from);
    assert!(
        binary.exists(),
        "no {}: build it with `cargo build -p paas --features failpoints`",
        binary.display()
    );
    binary
}

/// The `target` directory that this test was built in.
fn target_directory() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test");
    let deps = test.ancestors().find(|path| path.file_name().is_some_and(|name| name == "deps"));
    let profile = deps.and_then(Path::parent).expect("tests run out of target/<profile>/deps");
    profile.parent().expect("a target directory").to_path_buf()
}
