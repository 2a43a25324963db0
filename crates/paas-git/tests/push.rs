//! Pushes of the real git client, from its first byte to the branch.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may panic; clippy knows only `#[test]` functions"
)]

mod support;

use std::fs;

use support::Server;

#[test]
fn a_push_arrives_and_a_clone_brings_it_back() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    let said = laptop.ok(&["push", "deploy", "main"]);
    assert!(said.contains(&format!("remote: deploying {} of main", laptop.head())), "{said}");
    assert!(said.contains("remote: the branch has moved"), "{said}");
    assert_eq!(server.branch("main"), Some(laptop.head()));
    assert_eq!(server.leftovers(), Vec::<std::path::PathBuf>::new());

    for protocol in ["0", "2"] {
        let name = format!("copy-{protocol}");
        laptop.ok(&[
            "-c",
            &format!("protocol.version={protocol}"),
            "clone",
            "-q",
            "paas@host:/blog.git",
            &name,
        ]);
        assert_eq!(fs::read_to_string(laptop.path.join(name).join("Dockerfile")).unwrap(), "FROM scratch\n");
    }
}

#[test]
fn a_push_over_a_socket_pair_arrives() {
    let server = Server::over("socketpair");
    let laptop = server.work_tree("laptop");
    laptop.ok(&["push", "deploy", "main"]);
    assert_eq!(server.branch("main"), Some(laptop.head()));
    assert_eq!(server.state("hangup"), None);
}

#[test]
fn a_large_push_arrives_whole() {
    let server = Server::over("socketpair");
    let laptop = server.work_tree("laptop");
    let noise = support::noise(2_000_000);
    let commit = laptop.commit("noise", &noise);
    laptop.ok(&["push", "deploy", "main"]);
    assert_eq!(server.branch("main"), Some(commit));
}

#[test]
fn master_deploys_and_a_force_push_too() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    laptop.ok(&["push", "deploy", "main:master"]);
    assert_eq!(server.branch("master"), Some(laptop.head()));
    laptop.commit("a", "1");
    laptop.ok(&["push", "deploy", "main"]);
    laptop.ok(&["commit", "-q", "--amend", "-m", "again"]);
    let refused = laptop.refused(&["push", "deploy", "main"]);
    assert!(refused.contains("non-fast-forward"), "{refused}");
    laptop.ok(&["push", "-f", "deploy", "main"]);
    assert_eq!(server.branch("main"), Some(laptop.head()));
}

#[test]
fn the_hook_sees_the_quarantine_and_only_our_environment() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    server.script_hook(
        "pre-receive",
        "cat > $STATE/lines; env > $STATE/env; ls $GIT_QUARANTINE_PATH/pack > $STATE/quarantine",
    );
    laptop.ok(&["push", "deploy", "main"]);
    let zero = "0".repeat(40);
    assert_eq!(server.state("lines").unwrap(), format!("{zero} {} refs/heads/main\n", laptop.head()));
    assert!(server.state("quarantine").unwrap().contains(".pack"));

    let environment = server.state("env").unwrap();
    let allowed = [
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_PARAMETERS",
        "GIT_DIR",
        "GIT_EXEC_PATH",
        "GIT_OBJECT_DIRECTORY",
        // Always 0: push options are not advertised.
        "GIT_PUSH_OPTION_COUNT",
        "GIT_PROTOCOL",
        "GIT_QUARANTINE_PATH",
        "HOME",
        "LC_ALL",
        "OLDPWD",
        "PAAS_APP",
        "PAAS_PUSH",
        "PATH",
        "PWD",
        "_",
    ];
    for line in environment.lines() {
        let name = line.split('=').next().unwrap();
        assert!(allowed.contains(&name), "{name} reached the hook");
    }
    assert!(
        environment.contains("PAAS_APP=blog\n") && environment.contains("PAAS_PUSH=p1\n"),
        "{environment}"
    );
    assert!(
        !environment.contains("GIT_PUSH_OPTION_COUNT=") || environment.contains("GIT_PUSH_OPTION_COUNT=0\n")
    );
    assert!(environment.contains("HOME=/nonexistent\n"), "{environment}");
}

#[test]
fn the_repository_s_own_configuration_does_not_decide() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    laptop.ok(&["push", "deploy", "main"]);
    let evil = server.path("evil");
    fs::create_dir(&evil).unwrap();
    let config = format!(
        "\n[core]\n\thooksPath = {}\n[receive]\n\tfsckObjects = false\n\tadvertisePushOptions = true\n\tdenyNonFastForwards = true\n",
        evil.display()
    );
    let path = server.repository().join("config");
    fs::write(&path, fs::read_to_string(&path).unwrap() + &config).unwrap();
    laptop.ok(&["commit", "-q", "--amend", "-m", "again"]);
    let said = laptop.ok(&["push", "-f", "deploy", "main"]);
    assert!(said.contains("remote: deploying"), "our hooks did not run: {said}");
    let refused = laptop.refused(&["push", "-o", "evil", "deploy", "main"]);
    assert!(refused.contains("push options"), "{refused}");
}

#[test]
fn a_shallow_clone_can_push() {
    let server = Server::new();
    let origin = server.work_tree("origin");
    for n in 0..3 {
        origin.commit("n", &n.to_string());
    }
    let url = format!("file://{}", origin.path.display());
    origin.ok(&["clone", "-q", "--depth", "1", &url, "shallow"]);
    let shallow = support::WorkTree { server: &server, path: origin.path.join("shallow") };
    shallow.ok(&["push", "paas@host:blog", "main"]);
    assert_eq!(server.branch("main"), Some(shallow.head()));
    let next = shallow.commit("n", "next");
    shallow.ok(&["push", "paas@host:blog", "main"]);
    assert_eq!(server.branch("main"), Some(next));
    // The whole history may follow later.
    origin.ok(&["push", "-f", "deploy", "main"]);
    assert_eq!(server.branch("main"), Some(origin.head()));
}

#[test]
fn a_failing_deploy_refuses_the_push_and_keeps_nothing() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    laptop.ok(&["push", "deploy", "main"]);
    let before = laptop.head();
    server.script_hook("pre-receive", "echo ' !     no Dockerfile'; exit 1");
    let failed = laptop.commit("a", "1");
    let refused = laptop.refused(&["push", "deploy", "main"]);
    assert!(refused.contains("remote:  !     no Dockerfile"), "{refused}");
    assert!(refused.contains("[remote rejected] main -> main (pre-receive hook declined)"), "{refused}");
    assert_eq!(server.branch("main"), Some(before));
    assert!(server.leftovers().is_empty());
    let repository = git2::Repository::open_bare(server.repository()).unwrap();
    assert!(
        repository.find_commit(git2::Oid::from_str(&failed).unwrap()).is_err(),
        "the refused commit was kept"
    );
}
