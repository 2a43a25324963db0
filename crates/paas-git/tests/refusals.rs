//! What a push may not bring, and how the pusher is told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may panic; clippy knows only `#[test]` functions"
)]

mod support;

use support::{Server, WorkTree};

#[test]
fn another_branch_is_refused_with_what_to_type() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    laptop.ok(&["checkout", "-q", "-b", "feature"]);
    let refused = laptop.refused(&["push", "deploy", "feature"]);
    let line =
        "remote: only main and master deploy here; to deploy this branch: git push deploy feature:main";
    assert!(refused.contains(line), "{refused}");
    assert_eq!(server.branch("feature"), None);
    laptop.ok(&["push", "deploy", "feature:main"]);
}

#[test]
fn tags_are_refused_alone_and_beside_a_deploy() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    laptop.ok(&["tag", "v1"]);
    let refused = laptop.refused(&["push", "deploy", "v1"]);
    assert!(refused.contains("remote: tags are not kept here"), "{refused}");
    // Beside a deploy the branch goes through and only the tag is refused.
    let refused = laptop.refused(&["push", "deploy", "main", "v1"]);
    assert!(refused.contains("main -> main") && refused.contains("v1 -> v1 (hook declined)"), "{refused}");
    assert_eq!(server.branch("main"), Some(laptop.head()));
    let repository = git2::Repository::open_bare(server.repository()).unwrap();
    assert!(repository.find_reference("refs/tags/v1").is_err());
}

#[test]
fn a_deploy_branch_cannot_be_deleted() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    laptop.ok(&["push", "deploy", "main"]);
    let refused = laptop.refused(&["push", "deploy", ":main"]);
    assert!(refused.contains("remote: main is what runs here and cannot be deleted"), "{refused}");
    assert_eq!(server.branch("main"), Some(laptop.head()));
}

#[test]
fn main_and_master_need_one_commit() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    laptop.ok(&["push", "deploy", "main", "main:master"]);
    let before = laptop.head();
    laptop.commit("a", "1");
    laptop.commit("a", "2");
    let refused = laptop.refused(&["push", "deploy", "main", "main~1:master"]);
    assert!(refused.contains("remote: main and master were pushed with different commits"), "{refused}");
    assert_eq!((server.branch("main"), server.branch("master")), (Some(before.clone()), Some(before)));
}

#[test]
fn unknown_commands_run_nothing() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    for remote in ["paas@host:../blog", "paas@host:a/b", "paas@host:blog;touch x", "paas@host:$(touch x)"] {
        let refused = laptop.refused(&["push", remote, "main"]);
        assert!(refused.contains("lower-case letters"), "{remote}: {refused}");
    }
    let refused = laptop.refused(&["push", "--receive-pack=git-receive-pack --help;", "deploy", "main"]);
    assert!(refused.contains("is not served here") || refused.contains("exactly one app"), "{refused}");
    assert!(server.repository().read_dir().is_err(), "a repository was made");
    assert!(!laptop.path.join("x").exists());
}

#[test]
fn a_push_that_is_too_large_is_refused() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    let noise = support::noise(600_000);
    laptop.commit("noise", &noise);
    let push = laptop.spawn(&["push", "deploy", "main"], &[("TEST_LARGEST_PUSH", "10000")]);
    let output = push.wait_with_output().unwrap();
    assert!(!output.status.success());
    assert!(support::text(&output).contains("maximum allowed size"), "{}", support::text(&output));
    assert_eq!(server.branch("main"), None);
    assert!(server.leftovers().is_empty());
}

#[test]
fn a_tree_that_would_write_into_dot_git_is_refused() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    for name in [".git", ".GIT", "git~1", ".", ".."] {
        commit_raw_tree(&laptop, |blob, _| [format!("100644 {name}\0").as_bytes(), blob].concat());
        let refused = laptop.refused(&["push", "-f", "deploy", "evil:main"]);
        assert!(refused.contains("fsck") || refused.contains("unpacker error"), "{name}: {refused}");
        assert_eq!(server.branch("main"), None, "{name}");
    }
    assert!(server.leftovers().is_empty());
}

#[test]
fn a_module_url_that_would_be_an_option_is_refused() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    laptop.commit(".gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = -u./payload\n");
    let refused = laptop.refused(&["push", "deploy", "main"]);
    assert!(refused.contains("gitmodulesUrl"), "{refused}");
    assert_eq!(server.branch("main"), None);
}

#[test]
fn harmless_faults_of_old_histories_are_taken() {
    let server = Server::new();
    let laptop = server.work_tree("laptop");
    commit_raw_tree(&laptop, |_, tree| [b"040000 directory\0", tree].concat());
    laptop.ok(&["push", "deploy", "evil:main"]);
    assert!(server.branch("main").is_some());
}

/// Puts a commit on the branch `evil` whose tree is written byte by byte. The function gets the ids of a blob and of a tree.
fn commit_raw_tree(laptop: &WorkTree<'_>, tree: impl FnOnce(&[u8], &[u8]) -> Vec<u8>) {
    let repository = git2::Repository::open(&laptop.path).unwrap();
    let blob = repository.blob(b"content").unwrap();
    let inner = repository.head().unwrap().peel_to_tree().unwrap().id();
    let bytes = tree(blob.as_bytes(), inner.as_bytes());
    let tree = repository.odb().unwrap().write(git2::ObjectType::Tree, &bytes).unwrap();
    let id = laptop.ok(&["commit-tree", "-m", "evil", &tree.to_string()]);
    laptop.ok(&["update-ref", "refs/heads/evil", id.trim()]);
}
