//! The tar itself: bytes, order, speed of the reader, the quarantine.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::common::{DOCKERFILE, Item, Repo, file, link};
use futures_util::StreamExt as _;
use git2::{ObjectType, Oid};
use paas_build::{EntryKind, Settings, Source, SourceError, context_stream, plan};

fn rich() -> Vec<(Vec<u8>, Item)> {
    let long = [b"long/".as_slice(), &[b'n'; 200], b"/", &[b'm'; 150]].concat();
    vec![
        (b"Dockerfile".to_vec(), file(DOCKERFILE)),
        (b"bin/run".to_vec(), Item::Program(b"#!".to_vec())),
        (b"bin/empty".to_vec(), file("")),
        ("ü/ñ".into(), file("utf-8")),
        (b"raw/\xff\xfe".to_vec(), file("bytes")),
        (b"sub.d/x".to_vec(), file("x")),
        (b"sub/x".to_vec(), file("x")),
        (b"link".to_vec(), link("./bin//run")),
        (b"raw/link".to_vec(), link([b"\xff/".as_slice(), &[b't'; 180]].concat())),
        (long, file(vec![7; 200_000])),
    ]
}

#[test]
fn everything_arrives_byte_for_byte_in_order() {
    let repo = Repo::new();
    let commit = repo.commit(rich());
    let sent = repo.send(&commit, &Settings::default());
    let names: Vec<&[u8]> = sent.entries.iter().map(|entry| entry.name.as_slice()).collect();
    let long = [b"long/".as_slice(), &[b'n'; 200], b"/", &[b'm'; 150]].concat();
    let expected: Vec<&[u8]> = vec![
        b"Dockerfile",
        b"bin/",
        b"bin/empty",
        b"bin/run",
        b"link",
        b"long/",
        &long[..206],
        &long,
        b"raw/",
        b"raw/link",
        b"raw/\xff\xfe",
        b"sub/",
        b"sub/x",
        b"sub.d/",
        b"sub.d/x",
        "ü/".as_bytes(),
        "ü/ñ".as_bytes(),
    ];
    assert_eq!(names, expected);
    assert_eq!(sent.find("bin/run").mode, 0o755);
    assert_eq!(sent.find("bin/empty").mode, 0o644);
    assert_eq!(sent.find("link").target.as_deref(), Some(&b"./bin//run"[..]));
    assert_eq!(sent.find("raw/link").target.as_ref().map(Vec::len), Some(182));
    assert_eq!(sent.entries[7].content, vec![7; 200_000]);
    assert_eq!((sent.plan.stats.files, sent.plan.stats.links, sent.plan.stats.directories), (8, 2, 7));
}

#[test]
fn equal_trees_are_equal_bytes() {
    let (one, two) = (Repo::new(), Repo::new());
    let first = one.send(&one.commit(rich()), &Settings::default()).bytes;
    let mut items = rich();
    items.reverse();
    let second = two.send(&two.commit(items), &Settings::default()).bytes;
    assert!(first == second);
    let mut items = rich();
    items[2].1 = file("x");
    assert!(first != two.send(&two.commit(items), &Settings::default()).bytes);
}

#[test]
fn a_large_file_comes_whole_loose_or_packed() {
    let repo = Repo::new();
    let big: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let commit = repo.commit([("Dockerfile", file(DOCKERFILE)), ("big", file(&big))]);
    let loose = repo.send(&commit, &Settings::default());
    assert!(loose.find("big").content == big);

    let packed = Repo::new();
    let mut builder = repo.git.packbuilder().unwrap();
    builder.insert_commit(Oid::from_str(&commit).unwrap()).unwrap();
    builder.write(&packed.path().join("objects/pack"), 0o644).unwrap();
    assert!(loose.bytes == packed.send(&commit, &Settings::default()).bytes);
}

#[test]
fn the_commit_is_described_without_control_characters() {
    let repo = Repo::new();
    let source = repo.source(&repo.commit([("Dockerfile", file(DOCKERFILE)), ("a/b", link("x"))]));
    let commit = source.commit();
    assert_eq!((commit.summary.as_str(), commit.time), ("First  line", 1_700_000_001));
    assert!(commit.author.starts_with("Ada") && !commit.author.contains('\u{1b}'), "{:?}", commit.author);
    assert_eq!(source.read("./Dockerfile").unwrap().as_deref(), Some(DOCKERFILE.as_bytes()));
    assert_eq!(source.read("a").unwrap(), None);
    assert_eq!(source.read("a/gone/deep").unwrap(), None);
    let mut seen = Vec::new();
    source.walk(|path, kind| seen.push((path.to_vec(), kind))).unwrap();
    assert_eq!(
        seen,
        [
            (b"Dockerfile".to_vec(), EntryKind::File { executable: false }),
            (b"a".to_vec(), EntryKind::Directory),
            (b"a/b".to_vec(), EntryKind::Link)
        ]
    );
}

#[test]
fn an_annotated_tag_leads_to_its_commit() {
    let repo = Repo::new();
    let commit = repo.commit([("Dockerfile", file(DOCKERFILE))]);
    let object = repo.git.find_object(Oid::from_str(&commit).unwrap(), None).unwrap();
    let tag = repo.git.tag_annotation_create("v1", &object, &crate::common::signature(), "one").unwrap();
    assert_eq!(repo.source(&tag.to_string()).commit().id.as_str(), commit);
}

#[test]
fn objects_in_the_quarantine_are_seen_only_with_it() {
    let repo = Repo::new();
    let quarantine = repo.path().join("objects/tmp_objdir-incoming-Ab12");
    let commit = repo.commit([("Dockerfile", file(DOCKERFILE)), ("a", file("pushed"))]);
    // As git does: what a push brings lies in a directory of its own until the hook has accepted it.
    fs::create_dir(&quarantine).unwrap();
    for entry in fs::read_dir(repo.path().join("objects")).unwrap().map(Result::unwrap) {
        if entry.file_name().len() == 2 {
            fs::rename(entry.path(), quarantine.join(entry.file_name())).unwrap();
        }
    }
    assert!(matches!(Source::open(&repo.path(), None, &commit), Err(SourceError::Commit { .. })));
    let source = Source::open(&repo.path(), Some(&quarantine), &commit).unwrap();
    let planned = plan(&source, &Settings::default()).unwrap();
    let sent = crate::common::read(&crate::common::collect(&source, &planned));
    assert_eq!(sent[1].content, b"pushed");

    let elsewhere = repo.temp.path().join("incoming-elsewhere");
    fs::rename(&quarantine, &elsewhere).unwrap();
    assert!(matches!(Source::open(&repo.path(), Some(&elsewhere), &commit), Err(SourceError::Quarantine(_))));
    // Swapped after it was checked: looked at again at every use.
    std::os::unix::fs::symlink(&elsewhere, &quarantine).unwrap();
    assert!(plan(&source, &Settings::default()).is_err());
    assert!(crate::common::exists(&elsewhere));
}

#[test]
fn nothing_is_written_into_the_repository() {
    let repo = Repo::new();
    let commit = repo.commit(rich());
    let listing = |path: &std::path::Path| {
        let mut names = Vec::new();
        let mut stack = vec![path.to_owned()];
        while let Some(directory) = stack.pop() {
            for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
                let meta = entry.metadata().unwrap();
                names.push((entry.path(), meta.len(), meta.modified().unwrap()));
                if meta.is_dir() {
                    stack.push(entry.path());
                }
            }
        }
        names.sort();
        names
    };
    let before = listing(repo.temp.path());
    repo.send(&commit, &Settings::default());
    assert_eq!(before, listing(repo.temp.path()));
}

#[tokio::test]
async fn an_object_lost_in_the_middle_is_an_error_and_no_end_of_the_tar() {
    let repo = Repo::new();
    let commit = repo.commit([("Dockerfile", file(DOCKERFILE)), ("z", file(vec![1; 100]))]);
    let source = repo.source(&commit);
    let planned = plan(&source, &Settings::default()).unwrap();
    let oid = Oid::hash_object(ObjectType::Blob, &[1; 100]).unwrap().to_string();
    fs::remove_file(repo.path().join("objects").join(&oid[..2]).join(&oid[2..])).unwrap();
    let items: Vec<_> = context_stream(&source, &planned).collect().await;
    let (last, chunks) = items.split_last().unwrap();
    assert!(last.as_ref().unwrap_err().to_string().contains(&oid), "{last:?}");
    assert!(chunks.iter().all(Result::is_ok));
}

#[test]
fn a_reader_that_goes_away_ends_the_writer() {
    let repo = Repo::new();
    let content: Vec<u8> = vec![9; 1 << 20];
    let mut items = vec![("Dockerfile".to_owned(), file(DOCKERFILE))];
    items.extend((0..32).map(|n| (format!("f{n}"), file(&content))));
    let source = repo.source(&repo.commit(items));
    let planned = plan(&source, &Settings::default()).unwrap();

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let first = runtime.block_on(async { context_stream(&source, &planned).next().await.unwrap().unwrap() });
    assert_eq!(first.len(), 128 * 1024);
    // The stream is dropped. Shutting down waits for the blocking thread, and gives up on one that still waits for its reader.
    let (start, patience) = (Instant::now(), Duration::from_mins(1));
    runtime.shutdown_timeout(patience);
    assert!(start.elapsed() < patience);
}
