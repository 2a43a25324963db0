//! Control dies by SIGKILL at each step of a deploy and is started again: the old or the new version serves, the deploy ends by itself, and nothing is left over.

use std::time::Instant;

use paas_e2e::{AppRepo, Server, eventually, sample};

use crate::support::HEALED;

const STATES: [&str; 8] =
    ["queued", "building", "releasing", "starting", "checking", "switching", "draining", "done"];

/// What is under way when control dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    FirstDeploy,
    Redeploy,
}

#[test]
fn a_crash_at_each_step_of_a_first_deploy() {
    grid(Kind::FirstDeploy);
}

#[test]
fn a_crash_at_each_step_of_a_redeploy() {
    grid(Kind::Redeploy);
}

fn grid(kind: Kind) {
    let mut server = Server::start();
    for state in STATES {
        for side in sample(&["before", "after"], 1) {
            crash(&mut server, kind, &format!("deploy-{state}-{side}"), &format!("{state}-{side}"));
        }
    }
}

fn crash(server: &mut Server, kind: Kind, failpoint: &str, app: &str) {
    let repo = server.admin().app_repo(app);
    repo.write("Procfile", "release: /app release\nweb: /app\n");
    server.admin().ssh(&["apps:create", app]).ok();
    server.admin().ssh(&["storage:create", app]).ok();
    server.admin().ssh(&["storage:mount", app, &format!("{app}:/data")]).ok();
    if kind == Kind::Redeploy {
        repo.commit_and_push("Version 1").ok();
    }
    restart_with(server, Some(&format!("{failpoint}=return")));

    repo.set("version", "2").commit("Version 2");
    let push = repo.push_in_background();
    server.control().wait(HEALED);
    let died = Instant::now();
    restart_with(server, None);
    push.wait();
    eventually(&format!("{failpoint}: the deploy ends"), HEALED, || {
        let unfinished = server.database().unfinished_deploys();
        if unfinished.is_empty() { Ok(()) } else { Err(format!("{unfinished:?}")) }
    });
    server.assert_clean();
    assert_one_version_serves(server, &repo, kind, app);
    assert!(died.elapsed() < HEALED, "{failpoint}: healed only after {:?}", died.elapsed());

    repo.set("version", "3").commit("Version 3");
    repo.push().ok();
    server.http().serves(app, "3");
    let releases = server.http().get(app, "/read?name=releases").text();
    assert!(releases.matches("2\n").count() <= 1, "{failpoint}: the release command ran twice: {releases:?}");
    server.assert_clean();
    server.admin().ssh(&["apps:destroy", app, "--force", "--volumes"]).ok();
}

/// The branch says which version must serve: the new one if the deploy got past the switch, else what was there before.
fn assert_one_version_serves(server: &Server, repo: &AppRepo, kind: Kind, app: &str) {
    let deploys = server.database().deploys(app);
    // Before the first state is stored there is no row, and so nothing to repair.
    let state = deploys.last().map_or("absent", |deploy| deploy.state.as_str());
    let answer = server.http().get(app, "/");
    let seen = (answer.status, answer.text());
    let (old, new) = ((200, "version 1\n".to_owned()), (200, "version 2\n".to_owned()));
    let is_redeploys_own = deploys.len() > usize::from(kind == Kind::Redeploy);
    match kind {
        _ if state == "done" && is_redeploys_own => assert_eq!(seen, new, "{app}: {deploys:?}"),
        Kind::Redeploy => assert_eq!(seen, old, "{app}: {deploys:?}"),
        Kind::FirstDeploy => assert_eq!(seen.0, 404, "{app}: {deploys:?}"),
    }
    let is_branch_new = repo.server_head() == Some(repo.head());
    assert!(!is_branch_new || seen == new, "{app}: the branch moved to what does not run: {deploys:?}");
}

fn restart_with(server: &mut Server, failpoints: Option<&str>) {
    server.set_failpoints(failpoints);
    server.control().kill();
    server.start_control();
}
