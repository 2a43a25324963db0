//! The map is true: every crate is in docs/ARCHITECTURE.md, and every path it names is there.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{fs, path::Path};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn architecture() -> String {
    fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap()
}

#[test]
fn every_crate_is_on_the_map() {
    let text = architecture();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(text.contains(&format!("| `{name}` |")), "{name} is not in the table of crates");
    }
}

#[test]
fn every_source_path_on_the_map_exists() {
    let text = architecture();
    let is_source =
        |word: &&str| word.contains("/src/") && Path::new(word).extension().is_some_and(|e| e == "rs");
    let paths: Vec<&str> = text.split('`').filter(is_source).collect();
    assert!(paths.len() >= 6, "{paths:?}");
    for path in paths {
        for expanded in expand(path) {
            assert!(root().join("crates").join(&expanded).exists(), "{expanded} does not exist");
        }
    }
}

/// `a/{b,c}.rs` is two paths.
fn expand(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else { return vec![path.to_owned()] };
    let (names, after) = rest.split_once('}').unwrap();
    names.split(',').map(|name| format!("{before}{name}{after}")).collect()
}

/// The invariant of the map's table: what may depend on what.
#[test]
fn the_proxy_and_the_domain_depend_on_no_other_crate_of_ours() {
    for name in ["paas-proxy", "paas-domain"] {
        let manifest = fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap();
        let ours = manifest.lines().filter(|line| line.starts_with("paas-")).count();
        assert_eq!(ours, 0, "{name} depends on a crate of ours");
    }
}
