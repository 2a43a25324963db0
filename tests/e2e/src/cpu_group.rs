//! A process that comes before others when the processors are busy, as its unit says.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::process::Process;

const UNIT: &str = include_str!("../../../systemd/paas-proxy.service");
/// What a group has that says nothing, by `cgroup-v1/sched-design-CFS` and by `systemd.resource-control(5)`.
const USUAL_SHARES: u64 = 1024;
const USUAL_WEIGHT: u64 = 100;
const PROCESSES: &str = "cgroup.procs";

/// A control group of the kernel with one process in it, until it is dropped.
#[derive(Debug)]
pub struct CpuGroup {
    directory: PathBuf,
}

impl CpuGroup {
    /// Puts a process into a group with the weight of the proxy's unit. systemd does that for the proxy; here it is nobody's unit.
    pub(crate) fn of_proxy(process: &Process) -> Self {
        let weight =
            UNIT.lines().find_map(|line| line.strip_prefix("CPUWeight=")).expect("CPUWeight= in the unit");
        let weight: u64 = weight.parse().expect("a weight");
        Self::with(weight, process.pid()).expect("a control group for the processors (version 1 or 2)")
    }

    fn with(weight: u64, pid: u32) -> io::Result<Self> {
        let (root, file, value) = match hierarchy() {
            Hierarchy::Legacy(root) => (root, "cpu.shares", weight * USUAL_SHARES / USUAL_WEIGHT),
            Hierarchy::Unified(root) => {
                fs::write(root.join("cgroup.subtree_control"), "+cpu")?;
                (root, "cpu.weight", weight)
            }
        };
        let group = Self { directory: root.join(format!("paas-e2e-{pid}")) };
        fs::create_dir(&group.directory)?;
        fs::write(group.directory.join(file), value.to_string())?;
        fs::write(group.directory.join(PROCESSES), pid.to_string())?;
        Ok(group)
    }
}

impl Drop for CpuGroup {
    fn drop(&mut self) {
        // One that has ended is in no group, and the group of one that has not can stay.
        let parent = self.directory.parent().map(|parent| parent.join(PROCESSES));
        let pids = fs::read_to_string(self.directory.join(PROCESSES)).unwrap_or_default();
        for pid in pids.lines() {
            let _ = parent.as_ref().map(|parent| fs::write(parent, pid));
        }
        let _ = fs::remove_dir(&self.directory);
    }
}

enum Hierarchy {
    Legacy(PathBuf),
    Unified(PathBuf),
}

fn hierarchy() -> Hierarchy {
    let root = Path::new("/sys/fs/cgroup");
    let legacy = root.join("cpu");
    if legacy.is_dir() { Hierarchy::Legacy(legacy) } else { Hierarchy::Unified(root.to_owned()) }
}
