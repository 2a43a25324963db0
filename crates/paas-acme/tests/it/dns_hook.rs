use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use paas_acme::{Challenge, DnsHook, Proof, Solver};
use paas_acme_testkit::{TestDns, own_address};
use tempfile::TempDir;

use crate::support::host;

/// A hook that keeps records as files of the directory, as [`TestDns::txt_from`] reads them. It is such a directory's neighbour.
pub(crate) fn hook_script(records: &TempDir) -> PathBuf {
    let directory = records.path().display();
    script(
        records,
        &format!(
            "case $1 in\n\
         present) echo \"$3\" >> {directory}/\"$2\" ;;\n\
         cleanup) grep -v -x -F -e \"$3\" {directory}/\"$2\" > {directory}/rest; mv {directory}/rest {directory}/\"$2\" ;;\n\
         esac"
        ),
    )
}

fn script(directory: &TempDir, text: &str) -> PathBuf {
    let file = directory.path().join("hook.sh");
    fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).unwrap();
    file
}

fn challenge(value: &str) -> Challenge {
    let proof = Proof::Dns01 { name: "_acme-challenge.example.org".into(), value: value.into() };
    Challenge { host: host("*.example.org"), proof }
}

#[tokio::test]
async fn a_hook_gets_its_words_as_they_are() {
    let (directory, dns) = (tempfile::tempdir().unwrap(), TestDns::start(own_address().into()).await);
    dns.txt_from(directory.path());
    let hook = DnsHook::new(hook_script(&directory)).with_resolver(Some(dns.address()));
    // Both values are of one name at a time, and one looks like an option.
    for value in ["-n8Hs_e", "second"] {
        hook.present(&challenge(value)).await.unwrap();
    }
    let file = directory.path().join("_acme-challenge.example.org");
    assert_eq!(fs::read_to_string(&file).unwrap(), "-n8Hs_e\nsecond\n");
    hook.remove(&challenge("-n8Hs_e")).await;
    assert_eq!(fs::read_to_string(&file).unwrap(), "second\n");
}

#[tokio::test]
async fn a_record_is_removed_when_nobody_waits_any_more() {
    let (directory, dns) = (tempfile::tempdir().unwrap(), TestDns::start(own_address().into()).await);
    dns.txt_from(directory.path());
    let hook = DnsHook::new(hook_script(&directory)).with_resolver(Some(dns.address()));
    hook.present(&challenge("value")).await.unwrap();
    hook.abandon(&challenge("value"));
    let file = directory.path().join("_acme-challenge.example.org");
    while fs::read_to_string(&file).is_ok_and(|text| !text.is_empty()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_hook_that_fails_is_told_without_what_it_said() {
    let directory = tempfile::tempdir().unwrap();
    let hook = DnsHook::new(script(&directory, "echo 'the token hunter2 has no rights' >&2; exit 3"));
    let error = hook.present(&challenge("x")).await.unwrap_err().to_string();
    assert!(error.contains("did not present _acme-challenge.example.org"), "{error}");
    assert!(error.contains("exit status: 3") && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_hook_that_does_not_end_is_killed_with_all_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    // What it has started ends too.
    let text = format!("sleep 1000 & echo $! > {0}.new; mv {0}.new {0}; wait", pid.display());
    let hook = DnsHook::new(script(&directory, &text));
    for limit in [1, 2, 4, 8] {
        let hook = hook.clone().with_time_limit(Duration::from_secs(limit));
        let error = hook.present(&challenge("x")).await.unwrap_err().to_string();
        let expected = format!("present` had not ended after {limit} seconds and was killed");
        assert!(error.ends_with(&expected), "{error}");
        // A machine that is busy may have killed it before it had started anything.
        if pid.exists() {
            break;
        }
    }
    let process = PathBuf::from("/proc").join(fs::read_to_string(pid).unwrap().trim());
    // The kernel is told to kill it; that it is gone is seen a moment later.
    let state = || fs::read_to_string(process.join("stat")).unwrap_or_else(|_| ") Z".into());
    while !state().contains(") Z") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_seen_is_said() {
    let (directory, dns) = (tempfile::tempdir().unwrap(), TestDns::start(own_address().into()).await);
    let hook = DnsHook::new(script(&directory, "exit 0"))
        .with_resolver(Some(dns.address()))
        .with_time_limit(Duration::from_secs(1));
    let error = hook.present(&challenge("x")).await.unwrap_err().to_string();
    assert!(
        error.contains("the TXT record of _acme-challenge.example.org cannot be seen after 1 seconds"),
        "{error}"
    );
    assert!(dns.asked("_acme-challenge.example.org") >= 1);
}

#[tokio::test]
async fn a_record_is_looked_for_until_it_can_be_seen() {
    let (directory, dns) = (tempfile::tempdir().unwrap(), TestDns::start(own_address().into()).await);
    dns.txt_from(directory.path());
    let hook = DnsHook::new(script(&directory, "exit 0")).with_resolver(Some(dns.address()));
    let challenge = challenge("value");
    let published = async {
        while dns.asked("_acme-challenge.example.org") == 0 {
            tokio::task::yield_now().await;
        }
        fs::write(directory.path().join("_acme-challenge.example.org"), "value\n").unwrap();
    };
    let (presented, ()) = tokio::join!(hook.present(&challenge), published);
    presented.unwrap();
    assert!(dns.asked("_acme-challenge.example.org") >= 2);
}

#[tokio::test]
async fn a_hook_that_is_not_there_is_said() {
    let hook = DnsHook::new("/nowhere/hook".into());
    let error = hook.present(&challenge("x")).await.unwrap_err().to_string();
    assert!(error.contains("/nowhere/hook is not an executable file"), "{error}");
}
