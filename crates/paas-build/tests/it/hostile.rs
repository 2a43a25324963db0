//! Trees that no honest client makes, and those that cannot be built from a push.

use crate::common::{DOCKERFILE, Item, Repo, chain, file, link};
use paas_build::{Limits, PlanError, Settings, Source, SourceError, plan};
use proptest::prelude::*;

fn refused(repo: &Repo, items: Vec<(&str, Item)>) -> String {
    let mut all = vec![("Dockerfile", file(DOCKERFILE))];
    all.extend(items);
    chain(&repo.plan(all).unwrap_err())
}

#[test]
fn names_that_would_escape_are_refused() {
    let repo = Repo::new();
    let dockerfile = repo.blob(DOCKERFILE.as_bytes());
    let blob = repo.blob(b"x");
    let inner = repo.raw_tree(&[(b"passwd", 0o100_644, blob)]);
    let too_long = [b'x'; 256];
    for (name, mode, oid) in [
        (&b".git"[..], 0o040_000, inner),
        (b".GIT", 0o040_000, inner),
        (b"git~1", 0o100_644, blob),
        (b"..", 0o040_000, inner),
        (b".", 0o040_000, inner),
        (b"../../etc", 0o040_000, inner),
        (b"/etc/passwd", 0o100_644, blob),
        (b"a/b", 0o100_644, blob),
        (b"device", 0o060_644, blob),
        (b"pipe", 0o010_644, blob),
        (&too_long, 0o100_644, blob),
    ] {
        for nested in [false, true] {
            let hostile = [(name, mode, oid)];
            let tree = if nested {
                let inner = repo.raw_tree(&hostile);
                repo.raw_tree(&[(b"Dockerfile", 0o100_644, dockerfile), (b"d", 0o040_000, inner)])
            } else {
                repo.raw_tree(&[(b"Dockerfile", 0o100_644, dockerfile), hostile[0]])
            };
            let source = repo.source(&repo.commit_tree(tree));
            let error = plan(&source, &Settings::default());
            assert!(error.is_err(), "{} nested {nested}", String::from_utf8_lossy(name));
        }
    }
}

#[test]
fn two_entries_of_one_name_are_refused() {
    let repo = Repo::new();
    let dockerfile = repo.blob(DOCKERFILE.as_bytes());
    let target = repo.blob(b"/etc");
    let inner = repo.raw_tree(&[(b"passwd", 0o100_644, dockerfile)]);
    // Unpacked carelessly, this writes through the link.
    let tree = repo.raw_tree(&[
        (b"Dockerfile", 0o100_644, dockerfile),
        (b"a", 0o120_000, target),
        (b"b", 0o100_644, dockerfile),
        (b"a", 0o040_000, inner),
    ]);
    let error = plan(&repo.source(&repo.commit_tree(tree)), &Settings::default()).unwrap_err();
    assert!(chain(&error).contains("two entries"), "{}", chain(&error));
}

#[test]
fn links_out_of_the_tree_are_sent_as_links_and_never_read() {
    let repo = Repo::new();
    let commit = repo.commit([
        ("Dockerfile", file(DOCKERFILE)),
        ("etc", link("/etc")),
        ("up", link("../../../etc/passwd")),
    ]);
    let sent = repo.send(&commit, &Settings::default());
    assert_eq!(sent.find("etc").target.as_deref(), Some(&b"/etc"[..]));
    assert_eq!(sent.find("up").target.as_deref(), Some(&b"../../../etc/passwd"[..]));
    assert!(sent.find("up").content.is_empty());
    let source = repo.source(&commit);
    for path in ["etc/passwd", "up"] {
        assert!(chain(&source.read(path).unwrap_err()).contains("outside the repository"), "{path}");
    }
}

#[test]
fn a_dockerfile_behind_links_is_followed_inside_and_refused_outside() {
    let repo = Repo::new();
    let commit = repo.commit([
        ("Dockerfile", link("docker/../real/prod")),
        ("docker/x", file("x")),
        ("real/prod", file(DOCKERFILE)),
    ]);
    let sent = repo.send(&commit, &Settings::default());
    assert_eq!(sent.plan.dockerfile, "real/prod");
    assert_eq!(sent.find("real/prod").content, DOCKERFILE.as_bytes());

    for target in ["/etc/passwd", "../../etc/passwd", "docker/../../etc/passwd"] {
        let error = repo.plan([("Dockerfile", link(target)), ("docker/x", file("x"))]).unwrap_err();
        assert!(chain(&error).contains("outside the repository"), "{target}: {}", chain(&error));
    }
    // A link to a deeper directory makes `..` mean something else than it says.
    let error = repo
        .plan([("Dockerfile", link("d/../../../../x")), ("d", link("a/b")), ("a/b/c", file("c"))])
        .unwrap_err();
    assert!(chain(&error).contains("outside"), "{}", chain(&error));
    let error = repo.plan([("Dockerfile", link("b")), ("b", link("Dockerfile"))]).unwrap_err();
    assert!(chain(&error).contains("symbolic links"), "{}", chain(&error));
    let error = repo.plan([("Dockerfile", link("gone")), ("a", file("a"))]).unwrap_err();
    assert!(matches!(error, PlanError::NoDockerfile { .. }), "{error}");
}

#[test]
fn an_ignore_file_that_leads_outside_stops_the_build() {
    let repo = Repo::new();
    let text = refused(&repo, vec![(".dockerignore", link("/etc/hostname"))]);
    assert!(text.contains("outside the repository"), "{text}");
}

#[test]
fn submodules_are_refused_unless_ignored() {
    let repo = Repo::new();
    let text = refused(&repo, vec![("vendor/lib", Item::Submodule)]);
    assert!(text.contains("vendor/lib is a git submodule") && text.contains(".dockerignore"), "{text}");
    let items = [
        ("Dockerfile", file(DOCKERFILE)),
        ("vendor/lib", Item::Submodule),
        (".dockerignore", file("vendor")),
    ];
    assert_eq!(repo.send(&repo.commit(items), &Settings::default()).names(), [".dockerignore", "Dockerfile"]);
}

#[test]
fn lfs_pointers_are_refused_unless_ignored() {
    let repo = Repo::new();
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n", "a".repeat(64));
    let text = refused(&repo, vec![("img/big.png", file(&pointer))]);
    assert!(text.contains("img/big.png is a Git LFS pointer") && text.contains("git lfs migrate"), "{text}");
    let items = [
        ("Dockerfile", file(DOCKERFILE)),
        ("img/big.png", file(&pointer)),
        (".dockerignore", file("**/*.png")),
    ];
    assert!(repo.plan(items).is_ok());
    let long_text = pointer.clone() + &"x".repeat(2_000);
    assert!(repo.plan([("Dockerfile", file(DOCKERFILE)), ("docs.txt", file(long_text))]).is_ok());
}

#[test]
fn a_tree_of_billions_of_files_ends_quickly() {
    let repo = Repo::new();
    let dockerfile = repo.blob(DOCKERFILE.as_bytes());
    let mut tree = repo.raw_tree(&[(b"f", 0o100_644, dockerfile)]);
    for _ in 0..10 {
        let names: Vec<Vec<u8>> = (0..10).map(|n| format!("d{n}").into_bytes()).collect();
        let entries: Vec<_> = names.iter().map(|name| (name.as_slice(), 0o040_000, tree)).collect();
        tree = repo.raw_tree(&entries);
    }
    let root = repo.raw_tree(&[(b"Dockerfile", 0o100_644, dockerfile), (b"bomb", 0o040_000, tree)]);
    let limits = Limits { entries: 10_000, ..Limits::default() };
    let error =
        plan(&repo.source(&repo.commit_tree(root)), &Settings { limits, ..Settings::default() }).unwrap_err();
    assert!(chain(&error).contains("more than 10000 files"), "{}", chain(&error));

    let mut deep = repo.raw_tree(&[(b"Dockerfile", 0o100_644, dockerfile)]);
    for _ in 0..5_000 {
        deep = repo.raw_tree(&[(b"Dockerfile", 0o100_644, dockerfile), (b"d", 0o040_000, deep)]);
    }
    let error = plan(&repo.source(&repo.commit_tree(deep)), &Settings::default()).unwrap_err();
    assert!(chain(&error).contains("128 directories deep"), "{}", chain(&error));
}

#[test]
fn files_that_are_too_large_are_named() {
    let repo = Repo::new();
    let source = repo.source(&repo.commit([
        ("Dockerfile", file(DOCKERFILE)),
        ("a/big", file([0; 3_000])),
        ("b", file([0; 900])),
    ]));
    let limits = Limits { file_bytes: 2_000, ..Limits::default() };
    let error = plan(&source, &Settings { limits, ..Settings::default() }).unwrap_err().to_string();
    assert!(error.contains("a/big has 3000 bytes") && error.contains("2000"), "{error}");
    let limits = Limits { total_bytes: 3_500, ..Limits::default() };
    let error = plan(&source, &Settings { limits, ..Settings::default() }).unwrap_err().to_string();
    assert!(error.contains("3500 bytes together"), "{error}");
}

#[test]
fn damage_is_an_error_before_anything_is_sent() {
    let repo = Repo::new();
    let dockerfile = repo.blob(DOCKERFILE.as_bytes());
    let missing = git2::Oid::from_str("1234567890123456789012345678901234567890").unwrap();
    for (mode, oid) in
        [(0o100_644, missing), (0o040_000, missing), (0o120_000, missing), (0o040_000, dockerfile)]
    {
        let tree = repo.raw_tree(&[(b"Dockerfile", 0o100_644, dockerfile), (b"x", mode, oid)]);
        assert!(plan(&repo.source(&repo.commit_tree(tree)), &Settings::default()).is_err(), "{mode:o}");
    }
    let tree = repo.raw_tree(&[(b"f", 0o100_644, dockerfile)]);
    let error = repo.plan([("Dockerfile", file(DOCKERFILE)), ("x", Item::Raw(0o100_644, tree))]).unwrap_err();
    assert!(chain(&error).contains("git fsck"), "{}", chain(&error));
}

#[test]
fn only_a_whole_commit_id_opens() {
    let repo = Repo::new();
    let commit = repo.commit([("Dockerfile", file(DOCKERFILE))]);
    for bad in
        ["main", "HEAD", "", &commit[..7], &"0".repeat(40), &commit.to_uppercase(), "--help", &"a".repeat(64)]
    {
        assert!(Source::open(&repo.path(), None, bad).is_err(), "{bad}");
    }
    let tree = repo.source(&commit);
    assert_eq!(tree.commit().id.as_str(), commit);
    assert!(matches!(
        Source::open(repo.temp.path(), None, &commit).unwrap_err(),
        SourceError::NotRepository(_)
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever bytes a client puts into its trees: a plan that succeeds sends only names below the context, each once, parents first.
    #[test]
    fn no_tree_escapes(
        names in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(b'.'), Just(b'/'), Just(b'a'), Just(b'\\'), Just(b'~'), Just(b'g'), any::<u8>()], 0..6), 1..5),
        depth in 0_usize..3,
    ) {
        let repo = Repo::new();
        let dockerfile = repo.blob(DOCKERFILE.as_bytes());
        let names: Vec<Vec<u8>> = names.into_iter().map(|name| name.into_iter().filter(|b| *b != 0).collect()).collect();
        let mut tree = repo.raw_tree(&names.iter().map(|name| (name.as_slice(), 0o100_644, dockerfile)).collect::<Vec<_>>());
        for name in names.iter().cycle().take(depth) {
            tree = repo.raw_tree(&[(name, 0o040_000, tree)]);
        }
        let root = repo.raw_tree(&[(b"Dockerfile", 0o100_644, dockerfile), (b"in", 0o040_000, tree)]);
        let source = repo.source(&repo.commit_tree(root));
        if let Ok(plan) = plan(&source, &Settings::default()) {
            let sent = crate::common::read(&crate::common::collect(&source, &plan));
            let mut seen = std::collections::BTreeSet::new();
            for entry in &sent {
                let name = entry.name.strip_suffix(b"/").unwrap_or(&entry.name);
                prop_assert!(!name.starts_with(b"/"));
                prop_assert!(name.split(|b| *b == b'/').all(|part| !matches!(part, b"" | b"." | b"..")));
                if let Some(at) = name.iter().rposition(|b| *b == b'/') {
                    prop_assert!(seen.contains(&name[..at]), "no parent of {:?}", name);
                }
                prop_assert!(seen.insert(name));
            }
            prop_assert_eq!(sent.len() as u64, plan.stats.files + plan.stats.directories + plan.stats.links);
        }
    }
}
