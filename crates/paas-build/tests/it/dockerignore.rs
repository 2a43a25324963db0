//! What `.dockerignore` leaves out, against what Docker itself left out of the same tree.

use crate::common::{Repo, file};
use paas_build::Settings;

const TREE: &[&str] = &[
    "!bang",
    "#hash",
    ".env",
    "README.md",
    "[x]",
    "a.go",
    "barfoo",
    "docs/a b.md",
    "foo/bar",
    "foo/baz/qux",
    "node_modules/m.js",
    "secret.txt",
    "src/README.md",
    "src/a.go",
    "src/app/deep/x.txt",
    "src/app/main.go",
    "src/node_modules/n.js",
    "tmp/drop/x",
    "tmp/keep",
    "ünï.txt",
];

enum Expected {
    Kept(&'static str),
    Dropped(&'static str),
}
use Expected::{Dropped, Kept};

/// Recorded from the Docker client 28.2.2 (`COPY . /ctx` of this tree, then the image's content), except where a comment says otherwise.
const TABLE: &[(&str, Expected)] = &[
    ("", Dropped("")),
    ("*", Kept("")),
    ("*.md", Dropped("README.md")),
    ("**/*.md", Dropped("README.md|docs/a b.md|src/README.md")),
    ("node_modules", Dropped("node_modules/|node_modules/m.js")),
    ("**/node_modules", Dropped("node_modules/|node_modules/m.js|src/node_modules/|src/node_modules/n.js")),
    ("node_modules/", Dropped("node_modules/|node_modules/m.js")),
    ("/node_modules", Dropped("node_modules/|node_modules/m.js")),
    (
        "./src",
        Dropped(
            "src/|src/README.md|src/a.go|src/app/|src/app/deep/|src/app/deep/x.txt|src/app/main.go|src/node_modules/|src/node_modules/n.js",
        ),
    ),
    (
        "src/",
        Dropped(
            "src/|src/README.md|src/a.go|src/app/|src/app/deep/|src/app/deep/x.txt|src/app/main.go|src/node_modules/|src/node_modules/n.js",
        ),
    ),
    ("/src/app/", Dropped("src/app/|src/app/deep/|src/app/deep/x.txt|src/app/main.go")),
    (
        "src/app/..",
        Dropped(
            "src/|src/README.md|src/a.go|src/app/|src/app/deep/|src/app/deep/x.txt|src/app/main.go|src/node_modules/|src/node_modules/n.js",
        ),
    ),
    ("../src", Dropped("")),
    (
        "/../src",
        Dropped(
            "src/|src/README.md|src/a.go|src/app/|src/app/deep/|src/app/deep/x.txt|src/app/main.go|src/node_modules/|src/node_modules/n.js",
        ),
    ),
    (".", Dropped("")),
    ("/", Dropped("")),
    ("# *\n#hash", Dropped("")),
    (" #hash", Dropped("#hash")),
    ("\\#hash", Dropped("#hash")),
    ("\\!bang", Dropped("!bang")),
    ("!bang", Dropped("")),
    (
        "\u{feff}src",
        Dropped(
            "src/|src/README.md|src/a.go|src/app/|src/app/deep/|src/app/deep/x.txt|src/app/main.go|src/node_modules/|src/node_modules/n.js",
        ),
    ),
    (
        "src\r\nfoo\r\n",
        Dropped(
            "foo/|foo/bar|foo/baz/|foo/baz/qux|src/|src/README.md|src/a.go|src/app/|src/app/deep/|src/app/deep/x.txt|src/app/main.go|src/node_modules/|src/node_modules/n.js",
        ),
    ),
    (
        "  src  \n\t",
        Dropped(
            "src/|src/README.md|src/a.go|src/app/|src/app/deep/|src/app/deep/x.txt|src/app/main.go|src/node_modules/|src/node_modules/n.js",
        ),
    ),
    (
        "*\n!src",
        Kept(
            "src/|src/README.md|src/a.go|src/app/|src/app/deep/|src/app/deep/x.txt|src/app/main.go|src/node_modules/|src/node_modules/n.js",
        ),
    ),
    ("*\n!src/app", Kept("src/|src/app/|src/app/deep/|src/app/deep/x.txt|src/app/main.go")),
    ("*\n!src/app/main.go", Kept("src/|src/app/|src/app/main.go")),
    (
        "src\n!src/app/main.go\nsrc/app",
        Dropped(
            "src/README.md|src/a.go|src/app/deep/|src/app/deep/x.txt|src/node_modules/|src/node_modules/n.js",
        ),
    ),
    ("src\n!src/app", Dropped("src/README.md|src/a.go|src/node_modules/|src/node_modules/n.js")),
    (
        "!src\nsrc",
        Dropped(
            "src/|src/README.md|src/a.go|src/app/|src/app/deep/|src/app/deep/x.txt|src/app/main.go|src/node_modules/|src/node_modules/n.js",
        ),
    ),
    ("src\n!src\nsrc/app", Dropped("src/app/|src/app/deep/|src/app/deep/x.txt|src/app/main.go")),
    ("src/a*\n!src/app/deep", Dropped("src/a.go|src/app/main.go")),
    ("a?go", Dropped("a.go")),
    ("[a-f]*", Dropped("a.go|barfoo|docs/|docs/a b.md|foo/|foo/bar|foo/baz/|foo/baz/qux")),
    ("[^a-f]*", Kept("a.go|barfoo|docs/|docs/a b.md|foo/|foo/bar|foo/baz/|foo/baz/qux")),
    ("\\[x\\]", Dropped("[x]")),
    ("**foo", Dropped("barfoo|foo/|foo/bar|foo/baz/|foo/baz/qux")),
    ("**.go", Dropped("a.go|src/a.go|src/app/main.go")),
    ("**", Kept("")),
    ("**/", Kept("")),
    (
        "src/**",
        Dropped(
            "src/README.md|src/a.go|src/app/|src/app/deep/|src/app/deep/x.txt|src/app/main.go|src/node_modules/|src/node_modules/n.js",
        ),
    ),
    ("foo**", Dropped("foo/|foo/bar|foo/baz/|foo/baz/qux")),
    ("foo/**/qux", Dropped("foo/baz/qux")),
    ("**/deep/**", Dropped("src/app/deep/x.txt")),
    ("Dockerfile", Dropped("Dockerfile")),
    (".dockerignore", Dropped(".dockerignore")),
    ("*.txt\n!secret.txt", Dropped("ünï.txt")),
    ("tmp/*\n!tmp/keep", Dropped("tmp/drop/|tmp/drop/x")),
    ("tmp\n!tmp/keep", Dropped("tmp/drop/|tmp/drop/x")),
    ("ünï.txt", Dropped("ünï.txt")),
    ("?n?.txt", Dropped("ünï.txt")),
    ("docs/a b.md", Dropped("docs/a b.md")),
    ("foo\n! foo/bar", Dropped("foo/baz/|foo/baz/qux")),
    (
        "*/*",
        Dropped(
            "docs/a b.md|foo/bar|foo/baz/|foo/baz/qux|node_modules/m.js|src/README.md|src/a.go|src/app/|src/app/deep/|src/app/deep/x.txt|src/app/main.go|src/node_modules/|src/node_modules/n.js|tmp/drop/|tmp/drop/x|tmp/keep",
        ),
    ),
    (
        "*/*/*",
        Dropped(
            "foo/baz/qux|src/app/deep/|src/app/deep/x.txt|src/app/main.go|src/node_modules/n.js|tmp/drop/x",
        ),
    ),
    ("src/*/*.go", Dropped("src/app/main.go")),
    ("foo/b*\n!foo/baz/qux", Dropped("foo/bar")),
    ("**/a.go\n!src", Dropped("a.go|src/a.go")),
    ("foo/baz\n!foo", Dropped("foo/baz/|foo/baz/qux")),
    ("*\n!*.go\n!docs", Kept("a.go|docs/|docs/a b.md")),
    ("*\n!foo/*", Kept("foo/|foo/bar|foo/baz/|foo/baz/qux")),
    ("*\n!.\n!foo", Kept("foo/|foo/bar|foo/baz/|foo/baz/qux")),
    // The client without BuildKit does not look into an excluded directory for an exception that begins with a wildcard; BuildKit does.
    ("*\n!**/*.go", Kept("a.go|src/|src/a.go|src/app/|src/app/main.go")),
    (
        "src/**\n!src/**/main.go",
        Dropped(
            "src/README.md|src/a.go|src/app/deep/|src/app/deep/x.txt|src/node_modules/|src/node_modules/n.js",
        ),
    ),
];

fn sent(repo: &Repo, ignore: &str) -> Vec<String> {
    let tree = TREE.iter().map(|path| (*path, file(path)));
    let commit = repo.commit(
        tree.chain([("Dockerfile", file(crate::common::DOCKERFILE)), (".dockerignore", file(ignore))]),
    );
    let mut names = repo.send(&commit, &Settings::default()).names();
    // Docker's engine takes an excluded Dockerfile away after it has read it. In a tar it has to stay, or there is nothing to read.
    names.retain(|name| name != "Dockerfile");
    names.sort();
    names
}

fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split('|').filter(|path| !path.is_empty() && *path != "Dockerfile")
}

#[test]
fn the_same_files_are_left_out_as_by_docker() {
    let repo = Repo::new();
    let all = sent(&repo, "");
    assert_eq!(all.len(), 31, "{all:?}");
    for (ignore, expected) in TABLE {
        let expected: Vec<String> = match expected {
            Kept(list) => split(list).map(str::to_owned).collect(),
            Dropped(list) => {
                for path in split(list) {
                    assert!(all.iter().any(|name| name == path), "{path} is not in the tree");
                }
                all.iter().filter(|name| split(list).all(|path| path != *name)).cloned().collect()
            }
        };
        assert_eq!(sent(&repo, ignore), expected, "{ignore:?}");
    }
}

#[test]
fn the_dockerfile_is_sent_even_when_excluded() {
    let repo = Repo::new();
    for ignore in ["*", "Dockerfile", "**", "Docker*"] {
        let commit = repo.commit([
            ("Dockerfile", file(crate::common::DOCKERFILE)),
            (".dockerignore", file(ignore)),
            ("a", file("a")),
        ]);
        assert!(
            repo.send(&commit, &Settings::default()).names().contains(&"Dockerfile".to_owned()),
            "{ignore}"
        );
    }
    let commit = repo.commit([
        ("d/e/Dockerfile", file(crate::common::DOCKERFILE)),
        (".dockerignore", file("*")),
        ("a", file("a")),
    ]);
    let settings = Settings { dockerfile: Some("d/e/Dockerfile".into()), ..Settings::default() };
    assert_eq!(repo.send(&commit, &settings).names(), ["d/", "d/e/", "d/e/Dockerfile"]);
}

#[test]
fn the_ignore_file_beside_the_dockerfile_wins() {
    let repo = Repo::new();
    let commit = repo.commit([
        ("docker/web.Dockerfile", file(crate::common::DOCKERFILE)),
        ("docker/web.Dockerfile.dockerignore", file("a\ndocker")),
        (".dockerignore", file("b")),
        ("a", file("a")),
        ("b", file("b")),
    ]);
    let settings = Settings { dockerfile: Some("docker/web.Dockerfile".into()), ..Settings::default() };
    assert_eq!(
        repo.send(&commit, &settings).names(),
        [".dockerignore", "b", "docker/", "docker/web.Dockerfile"]
    );
}

#[test]
fn a_broken_ignore_file_is_an_error_with_its_line() {
    let repo = Repo::new();
    for (ignore, line) in [("[", 1), ("src/[a-", 1), ("a\n!", 2), ("a\n\na\\", 3)] {
        let error = repo
            .plan([("Dockerfile", file(crate::common::DOCKERFILE)), (".dockerignore", file(ignore))])
            .unwrap_err();
        let text = crate::common::chain(&error);
        assert!(text.contains(".dockerignore") && text.contains(&format!("line {line}")), "{text}");
    }
}
