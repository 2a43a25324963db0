//! What is the same for every container of ours.

use std::collections::HashMap;

use bollard::models::{
    HostConfig, HostConfigLogConfig, RestartPolicy as EnginePolicy, RestartPolicyNameEnum,
};

use crate::engine::RestartPolicy;

/// The capabilities a container keeps: the engine's default set without `MKNOD`, `NET_RAW`, `AUDIT_WRITE` and `SETFCAP`. Entrypoints that `chown`
/// their data and change to another user (nginx, postgres, gosu) need these.
pub(crate) const CAPABILITIES: [&str; 10] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Processes and threads in one container: no fork bomb takes the server.
pub(crate) const PIDS_LIMIT: i64 = 1024;

/// Seconds between SIGTERM and SIGKILL when the engine itself goes down.
pub(crate) const STOP_TIMEOUT_SECONDS: i64 = 30;

/// The host side of every container: no new privileges, few capabilities, an init process that reaps and forwards signals, bounded processes and logs,
/// no published port. With a memory limit there is no swap beyond it.
pub(crate) fn host_config(restart: RestartPolicy, memory_bytes: Option<u64>) -> HostConfig {
    let memory = memory_bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    HostConfig {
        security_opt: Some(vec!["no-new-privileges:true".to_owned()]),
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(CAPABILITIES.map(str::to_owned).to_vec()),
        privileged: Some(false),
        publish_all_ports: Some(false),
        init: Some(true),
        pids_limit: Some(PIDS_LIMIT),
        memory,
        memory_swap: memory,
        log_config: Some(log_config()),
        restart_policy: Some(restart_policy(restart)),
        ..Default::default()
    }
}

/// Our word for the engine's.
pub(crate) fn restart_policy(policy: RestartPolicy) -> EnginePolicy {
    let name = match policy {
        RestartPolicy::Never => RestartPolicyNameEnum::NO,
        RestartPolicy::UnlessStopped => RestartPolicyNameEnum::UNLESS_STOPPED,
    };
    EnginePolicy { name: Some(name), maximum_retry_count: None }
}

/// The binary driver `local` rotates and compresses; the engine's own log call reads it.
fn log_config() -> HostConfigLogConfig {
    let limits = [("max-size", "10m"), ("max-file", "3")];
    HostConfigLogConfig {
        typ: Some("local".to_owned()),
        config: Some(
            limits.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect::<HashMap<_, _>>(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_limit_allows_no_swap_beyond_it() {
        let limited = host_config(RestartPolicy::Never, Some(64 << 20));
        assert_eq!((limited.memory, limited.memory_swap), (Some(64 << 20), Some(64 << 20)));
        let free = host_config(RestartPolicy::Never, None);
        assert_eq!((free.memory, free.memory_swap), (None, None));
    }
}
