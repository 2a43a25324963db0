//! Files by which somebody outside tells the app something: `docker cp` puts them into its container.

use std::path::Path;
use std::thread;
use std::time::Duration;

const POLL: Duration = Duration::from_millis(10);

/// Returns when the file is there.
pub(crate) fn wait_for(path: &str) {
    while !Path::new(path).exists() {
        thread::sleep(POLL);
    }
}
