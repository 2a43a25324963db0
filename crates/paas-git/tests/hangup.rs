//! The client goes away in the middle of a push.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may panic; clippy knows only `#[test]` functions"
)]

mod support;

use std::fs;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use support::{Server, WorkTree, wait_until, within};

/// A hook that says it has begun, waits for leave to go on, and then says more than any pipe holds.
const WAITING_HOOK: &str = "echo $$ > $STATE/hook-pid
echo $PPID > $STATE/git-pid
echo begun > $STATE/begun
read go < $STATE/go
dd if=/dev/zero bs=1000 count=1000 2>/dev/null | tr '\\0' x
exit 0";

struct Waiting<'a> {
    server: &'a Server,
    push: Child,
}

/// Starts a push and waits until its hook is in the middle of its work.
fn begin<'a>(laptop: &WorkTree<'a>, hangup: &str) -> Waiting<'a> {
    let server = laptop.server;
    let begun = server.make_fifo("begun");
    server.make_fifo("go");
    server.script_hook("pre-receive", WAITING_HOOK);
    let push = laptop.spawn(&["push", "deploy", "main"], &[("TEST_HANGUP", hangup)]);
    within("the hook to begin", move || fs::read_to_string(begun).unwrap());
    Waiting { server, push }
}

impl Waiting<'_> {
    fn let_hook_go_on(&self) {
        let go = self.server.path("state").join("go");
        within("the hook to go on", move || fs::write(go, "go\n").unwrap());
    }

    /// Ends the connection, and with it the client.
    fn kill_client(&mut self) {
        kill_process(pid(&self.server.state("sshd").unwrap()), Signal::KILL).unwrap();
        self.push.wait().unwrap();
    }

    fn session_exit(&self) -> String {
        self.server.wait_for_state("exit")
    }
}

fn pid(text: &str) -> Pid {
    Pid::from_raw(text.trim().parse().unwrap()).unwrap()
}

fn wait_for_end_of(process: Pid) {
    wait_until("a process to end", || test_kill_process(process).is_err().then_some(()));
}

#[test]
fn past_the_switch_the_push_finishes_unheard() {
    for transport in ["pipes", "socketpair"] {
        let server = Server::over(transport);
        let laptop = server.work_tree("laptop");
        let mut push = begin(&laptop, "finish");
        push.kill_client();
        server.wait_for_state("hangup");
        assert_eq!(server.branch("main"), None);
        push.let_hook_go_on();
        assert_eq!(push.session_exit(), "0", "over {transport}");
        assert_eq!(server.branch("main"), Some(laptop.head()), "over {transport}");
    }
}

#[test]
fn before_the_switch_the_push_ends_and_leaves_nothing() {
    for transport in ["pipes", "socketpair"] {
        let server = Server::over(transport);
        let laptop = server.work_tree("laptop");
        let mut push = begin(&laptop, "kill");
        let hook = pid(&server.state("hook-pid").unwrap());
        assert_eq!(server.leftovers().len(), 1, "no quarantine to begin with");
        push.kill_client();
        assert_eq!(push.session_exit(), "143", "over {transport}");
        wait_for_end_of(hook);
        assert_eq!(server.branch("main"), None);
        assert!(server.leftovers().is_empty(), "over {transport}: {:?}", server.leftovers());
        // The next push finds nothing in its way.
        server.script_hook("pre-receive", "exit 0");
        laptop.ok(&["push", "deploy", "main"]);
        assert_eq!(server.branch("main"), Some(laptop.head()));
    }
}

#[test]
fn a_client_that_has_sent_all_is_still_there() {
    for transport in ["pipes", "socketpair"] {
        let server = Server::over(transport);
        let laptop = server.work_tree("laptop");
        let push = begin(&laptop, "kill");
        // From here on the session's standard input has ended; a socket is half closed.
        server.wait_for_state("half-closed");
        push.let_hook_go_on();
        let output = push.push.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", support::text(&output));
        assert!(output.stderr.len() > 1_000_000, "the hook's output was cut");
        assert_eq!(server.state("hangup"), None);
    }
}

#[test]
fn a_terminated_session_counts_as_a_client_gone() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    let push = begin(&laptop, "finish");
    let session = pid(&server.state("session").unwrap());
    kill_process(session, Signal::TERM).unwrap();
    server.wait_for_state("hangup");
    // Told once more, it still lets git finish.
    kill_process(session, Signal::HUP).unwrap();
    push.let_hook_go_on();
    assert_eq!(push.session_exit(), "0");
    assert_eq!(server.branch("main"), Some(laptop.head()));
    push.push.wait_with_output().unwrap();
}

#[test]
fn a_client_killed_while_it_sends_leaves_nothing() {
    let server = Server::over("socketpair");
    let laptop = server.work_tree("laptop");
    laptop.ok(&["push", "deploy", "main"]);
    let before = laptop.head();
    fs::remove_file(server.path("state").join("exit")).unwrap();
    fs::remove_file(server.path("state").join("sshd")).unwrap();
    // On a machine that is quick all may have arrived before the client is killed: then its hook is under way.
    server.make_fifo("go");
    server.script_hook("pre-receive", "read go < $STATE/go");
    let noise = support::noise(16_000_000);
    fs::write(laptop.path.join("noise"), noise).unwrap();
    laptop.ok(&["add", "-A"]);
    laptop.ok(&["-c", "core.compression=0", "commit", "-q", "-m", "noise"]);
    let mut push = laptop.spawn(&["-c", "pack.compression=0", "push", "deploy", "main"], &[]);
    let sshd = server.wait_for_state("sshd");
    wait_until("the pack to begin to arrive", || (!server.leftovers().is_empty()).then_some(()));
    kill_process(pid(&sshd), Signal::KILL).unwrap();
    push.wait().unwrap();
    // Whatever git says of it: told nothing, it ends as if all were well.
    server.wait_for_state("exit");
    assert_eq!(server.branch("main"), Some(before));
    assert!(server.leftovers().is_empty(), "{:?}", server.leftovers());
}

#[test]
fn two_pushes_at_once_do_not_take_each_other_s_quarantine() {
    let server = Server::over("socketpair");
    let laptop = server.work_tree("laptop");
    let first = begin(&laptop, "kill");
    // A second push ends by a signal while the first waits in its hook.
    server.script_hook("pre-receive", "kill -TERM $PPID; exit 0");
    laptop.refused(&["push", "deploy", "main:master"]);
    assert_eq!(server.leftovers().len(), 2, "{:?}", server.leftovers());
    first.let_hook_go_on();
    assert!(first.push.wait_with_output().unwrap().status.success());
    assert_eq!(server.branch("main"), Some(laptop.head()));
    // The next push, alone, clears away what the second one left.
    server.script_hook("pre-receive", "exit 0");
    laptop.ok(&["push", "deploy", "main:master"]);
    assert!(server.leftovers().is_empty(), "{:?}", server.leftovers());
}

#[test]
fn a_push_killed_without_mercy_does_not_stand_in_the_way_of_the_next() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    let push = begin(&laptop, "kill");
    let hook = pid(&server.state("hook-pid").unwrap());
    kill_process(pid(&server.state("session").unwrap()), Signal::KILL).unwrap();
    let lock = server.repository().join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    // git is still there without its session, so what it needs is not touched.
    server.script_hook("pre-receive", "exit 0");
    laptop.ok(&["push", "deploy", "main:master"]);
    assert!(lock.exists() && server.leftovers().len() == 1);
    kill_process_group(pid(&server.state("git-pid").unwrap()), Signal::KILL).unwrap();
    wait_for_end_of(hook);
    push.push.wait_with_output().unwrap();
    laptop.ok(&["push", "deploy", "main"]);
    assert_eq!(server.branch("main"), Some(laptop.head()));
    assert!(server.leftovers().is_empty(), "{:?}", server.leftovers());
}
