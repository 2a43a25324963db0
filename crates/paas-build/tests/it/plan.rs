//! From a commit to a plan: which Dockerfile, which context, what the repository says about itself.

use crate::common::{DOCKERFILE, Item, Repo, chain, file};
use paas_build::{PlanError, PlanWarning, Settings, plan};
use paas_domain::Page;

fn settings(dockerfile: Option<&str>, context: Option<&str>) -> Settings {
    Settings {
        dockerfile: dockerfile.map(str::to_owned),
        context: context.map(str::to_owned),
        ..Settings::default()
    }
}

#[test]
fn a_plain_repository_needs_no_setting() {
    let repo = Repo::new();
    let plan = repo.plan([("Dockerfile", file(DOCKERFILE)), ("src/a", file("abc"))]).unwrap();
    assert_eq!((plan.dockerfile.as_str(), plan.context_dir.as_str()), ("Dockerfile", ""));
    assert_eq!(
        (plan.stats.files, plan.stats.directories, plan.stats.bytes),
        (2, 1, 3 + DOCKERFILE.len() as u64)
    );
    assert!(plan.procfile.is_none() && plan.args.is_empty() && plan.warnings.is_empty());
    assert_eq!(plan.manifest, paas_domain::Manifest::default());
    let lower = repo.plan([("dockerfile", file(DOCKERFILE))]).unwrap();
    assert_eq!(lower.dockerfile, "dockerfile");
}

#[test]
fn what_the_repository_says_is_read() {
    let repo = Repo::new();
    let manifest =
        "[build]\ndockerfile = 'docker/prod'\nargs = { A = '1' }\n[scale]\nworker = 2\nclock = 1\n";
    let items = [
        ("docker/prod", file("# syntax=docker/dockerfile:1\nFROM scratch\n")),
        ("paas.toml", file(manifest)),
        ("Procfile", file("web: /app\nworker: /app work\nrelease: /app migrate\n")),
    ];
    let plan = repo.plan(items).unwrap();
    assert_eq!((plan.dockerfile.as_str(), plan.dockerfile_source.as_str()), ("docker/prod", "docker/prod"));
    assert_eq!(plan.args["A"], "1");
    assert_eq!(plan.procfile.unwrap().release().unwrap().argv(), ["/app", "migrate"]);
    assert_eq!(
        plan.warnings,
        [PlanWarning::Syntax("docker/dockerfile:1".into()), PlanWarning::Scale("clock".into())]
    );
}

#[test]
fn the_pages_that_the_repository_names_are_read() {
    let repo = Repo::new();
    let planned = |toml: &str, page: &[u8]| {
        repo.plan([
            ("Dockerfile", file(DOCKERFILE)),
            ("paas.toml", file(toml)),
            ("public/404.html", file(page)),
            (".dockerignore", file("public")),
        ])
    };
    let plan = planned("[pages]\n404 = './public/404.html'\n", b"<p>Not here</p>").unwrap();
    assert_eq!(plan.pages[&Page::Status(404)], "<p>Not here</p>");
    for (toml, page, expected) in [
        ("[pages]\n404 = 'public/405.html'\n", b"x".to_vec(), "public/405.html, which paas.toml names"),
        ("[pages]\n404 = 'public'\n", b"x".to_vec(), "is no file"),
        ("[pages]\n404 = '../x.html'\n", b"x".to_vec(), "`..`"),
        ("[pages]\n404 = 'public/404.html'\n", b"\xff".to_vec(), "not UTF-8"),
        ("[pages]\n404 = 'public/404.html'\n", Vec::new(), "is empty"),
        ("[pages]\n404 = 'public/404.html'\n", vec![b'a'; 70_000], "64 KiB"),
    ] {
        let told = chain(&planned(toml, &page).unwrap_err());
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_setting_wins_over_the_file() {
    let repo = Repo::new();
    let commit = repo.commit([
        ("a.Dockerfile", file(DOCKERFILE)),
        ("b.Dockerfile", file(DOCKERFILE)),
        ("paas.toml", file("[build]\ndockerfile = 'a.Dockerfile'\n")),
    ]);
    let source = repo.source(&commit);
    assert_eq!(plan(&source, &Settings::default()).unwrap().dockerfile, "a.Dockerfile");
    assert_eq!(plan(&source, &settings(Some("./b.Dockerfile"), None)).unwrap().dockerfile, "b.Dockerfile");
}

#[test]
fn a_context_is_a_directory_and_has_its_own_files() {
    let repo = Repo::new();
    let commit = repo.commit([
        ("paas.toml", file("[scale]\nweb = 9\n")),
        ("Procfile", file("web: root\n")),
        ("web/Dockerfile", file(DOCKERFILE)),
        ("web/.dockerignore", file("skip")),
        ("web/skip", file("x")),
        ("web/lib/a", file("a")),
        ("web/paas.toml", file("[scale]\nweb = 3\n")),
        ("web/Procfile", file("web: inner\n")),
        ("other", file("x")),
    ]);
    let sent = repo.send(&commit, &settings(None, Some("web/")));
    assert_eq!(sent.names(), [".dockerignore", "Dockerfile", "Procfile", "lib/", "lib/a", "paas.toml"]);
    assert_eq!(
        (sent.plan.dockerfile.as_str(), sent.plan.dockerfile_source.as_str()),
        ("Dockerfile", "web/Dockerfile")
    );
    assert_eq!(sent.plan.manifest.scale.values().copied().collect::<Vec<_>>(), [3]);
    assert_eq!(sent.plan.procfile.unwrap().processes().next().unwrap().1.as_str(), "inner");
}

#[test]
fn a_dockerfile_in_a_subfolder_keeps_the_root_as_context() {
    let repo = Repo::new();
    let commit = repo.commit([("docker/Dockerfile", file(DOCKERFILE)), ("app.js", file("x"))]);
    let sent = repo.send(&commit, &settings(Some("docker/Dockerfile"), None));
    assert_eq!(sent.names(), ["app.js", "docker/", "docker/Dockerfile"]);
    assert_eq!(sent.plan.dockerfile, "docker/Dockerfile");
}

#[test]
fn a_dockerfile_outside_the_context_gets_a_name_of_its_own() {
    let repo = Repo::new();
    let commit = repo.commit([
        ("docker/Dockerfile", file(DOCKERFILE)),
        ("docker/Dockerfile.dockerignore", file("b")),
        ("web/.paas.Dockerfile", file("theirs")),
        ("web/b", file("b")),
        ("website/c", file("c")),
    ]);
    let sent = repo.send(&commit, &settings(Some("docker/Dockerfile"), Some("web")));
    assert_eq!(sent.names(), [".paas.Dockerfile_", ".paas.Dockerfile"]);
    assert_eq!(sent.plan.dockerfile, ".paas.Dockerfile_");
    assert_eq!(sent.find(".paas.Dockerfile_").content, DOCKERFILE.as_bytes());
    assert_eq!(sent.plan.stats.files, 2);
}

#[test]
fn mistakes_say_what_to_do() {
    let repo = Repo::new();
    for (items, set, expected) in [
        (
            vec![("README", file("x")), ("src/a", file("x"))],
            settings(None, None),
            "the root of the repository has: README, src/. Add a Dockerfile",
        ),
        (vec![("README", file("x"))], settings(None, None), "paas builds:set APP --dockerfile PATH"),
        (vec![("web/x", file("x"))], settings(None, Some("web")), "no Dockerfile in web/"),
        (
            vec![("a", file("x"))],
            settings(Some("Dockerfile.prod"), None),
            "Dockerfile.prod is not in the pushed commit",
        ),
        (vec![("d/x", file("x"))], settings(Some("d"), None), "d is not a file"),
        (vec![("d", Item::Submodule)], settings(Some("d"), None), "d is not a file"),
        (vec![("Dockerfile", file("# only\n\n"))], settings(None, None), "no instruction"),
        (vec![("Dockerfile", file(""))], settings(None, None), "no instruction"),
        (
            vec![("Dockerfile", file(DOCKERFILE))],
            settings(None, Some("web")),
            "build context web is not a directory",
        ),
        (
            vec![("Dockerfile", file(DOCKERFILE))],
            settings(None, Some("Dockerfile")),
            "build context Dockerfile is not a directory",
        ),
        (vec![("Dockerfile", file(DOCKERFILE))], settings(Some("../Dockerfile"), None), "it has `..` in it"),
        (vec![("Dockerfile", file(DOCKERFILE))], settings(Some("/etc/passwd"), None), "it begins with /"),
        (
            vec![("Dockerfile", file(DOCKERFILE)), ("paas.toml", file("[buidl]"))],
            settings(None, None),
            "unknown field `buidl`",
        ),
        (
            vec![("Dockerfile", file(DOCKERFILE)), ("paas.toml", file("[build]\ncontext = '/'"))],
            settings(None, None),
            "context path in paas.toml",
        ),
        (
            vec![("Dockerfile", file(DOCKERFILE)), ("paas.toml", file(b"\xff"))],
            settings(None, None),
            "paas.toml is not UTF-8",
        ),
        (
            vec![("Dockerfile", file(DOCKERFILE)), ("Procfile", file("web"))],
            settings(None, None),
            "has no colon",
        ),
    ] {
        let text = chain(&plan(&repo.source(&repo.commit(items)), &set).unwrap_err());
        assert!(text.contains(expected), "expected {expected:?} in {text:?}");
    }
    let empty = repo.raw_tree(&[]);
    let error = plan(&repo.source(&repo.commit_tree(empty)), &Settings::default()).unwrap_err();
    assert!(matches!(error, PlanError::EmptyTree), "{error}");
}

#[test]
fn a_long_listing_is_cut_short_and_control_characters_are_escaped() {
    let repo = Repo::new();
    let mut items: Vec<(String, Item)> = (0..40).map(|n| (format!("f{n:02}"), file("x"))).collect();
    items.push(("\u{1b}[2J".into(), file("x")));
    let text = repo.plan(items).unwrap_err().to_string();
    assert!(
        text.contains("and 21 more") && text.contains("\\u{1b}[2J") && !text.contains('\u{1b}'),
        "{text:?}"
    );
}
