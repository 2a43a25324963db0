use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use paas_proxy::{ProxyClientError, RefusalKind};

use crate::support::{Certified, Client, TestProxy, limits};

async fn leaf(proxy: &TestProxy, name: &str) -> Vec<u8> {
    Client::new(&["http/1.1"]).leaf(proxy.https, name).await
}

async fn hosts(proxy: &TestProxy) -> Vec<String> {
    proxy.client.certificates().await.unwrap().into_iter().map(|status| status.host).collect()
}

async fn refusal(proxy: &TestProxy, certified: &Certified) -> String {
    match proxy.client.put_certificate(&certified.spec).await {
        Err(ProxyClientError::Refused(refusal)) if refusal.kind == RefusalKind::Invalid => refusal.message,
        other => panic!("{other:?}"),
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn they_are_listed_and_survive_a_restart() {
    let proxy = TestProxy::start().await;
    let (exact, wildcard) = (Certified::new("a.test"), Certified::new("*.b.test"));
    for certified in [&exact, &wildcard] {
        assert!(proxy.client.put_certificate(&certified.spec).await.unwrap().changed);
    }
    let before = proxy.client.certificates().await.unwrap();
    assert_eq!(hosts(&proxy).await, ["*.b.test", "a.test"]);
    assert!(before.iter().all(|status| status.trusted && status.fingerprint.len() == 64));
    assert_eq!(before[0].not_after.year(), 4096);
    let proxy = TestProxy::start_in(proxy.stop().await, limits()).await.unwrap();
    assert_eq!(proxy.client.certificates().await.unwrap(), before);
    assert!(leaf(&proxy, "a.test").await == exact.leaf);
    assert!(leaf(&proxy, "x.b.test").await == wildcard.leaf);
}

#[tokio::test]
async fn the_same_again_writes_nothing() {
    let proxy = TestProxy::start().await;
    let certified = Certified::new("a.test");
    assert!(proxy.client.put_certificate(&certified.spec).await.unwrap().changed);
    let file = proxy.certificate_file("a.test");
    let written = || fs::metadata(&file).unwrap().modified().unwrap();
    let before = written();
    assert!(!proxy.client.put_certificate(&certified.spec).await.unwrap().changed);
    assert_eq!(written(), before);
    let mut less = certified.spec.clone();
    less.trusted = false;
    assert!(proxy.client.put_certificate(&less).await.unwrap().changed);
    assert!(!proxy.client.certificates().await.unwrap()[0].trusted);
    assert!(proxy.client.delete_certificate("a.test").await.unwrap().changed);
    assert!(!proxy.client.delete_certificate("a.test").await.unwrap().changed);
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "only the unknown hosts' is left");
}

#[tokio::test]
async fn keys_are_for_the_proxy_alone() {
    let proxy = TestProxy::start().await;
    for _ in 0..2 {
        proxy.client.put_certificate(&Certified::new("a.test").spec).await.unwrap();
    }
    let file = proxy.certificate_file("a.test");
    let directory = file.parent().unwrap();
    assert_eq!(mode(directory), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{path:?}");
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["+unknown.json", "a.test.json", "a.test.json.prev"]);
}

#[tokio::test]
async fn a_half_written_or_mismatched_file_gives_way_to_the_one_before() {
    let proxy = TestProxy::start().await;
    let (old, new, other) = (Certified::new("a.test"), Certified::new("a.test"), Certified::new("b.test"));
    for certified in [&old, &new, &other] {
        proxy.client.put_certificate(&certified.spec).await.unwrap();
    }
    let file = proxy.certificate_file("a.test");
    let mut directory = proxy.stop().await;
    let whole = fs::read_to_string(&file).unwrap();
    let damaged = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut saved: serde_json::Value = serde_json::from_str(&whole).unwrap();
        change(&mut saved);
        saved.to_string()
    };
    let mismatched = damaged(&|saved| saved["key"] = other.spec.key.expose().into());
    let cut = |part: &str| part[..part.len() / 2].to_owned();
    for text in [
        String::new(),
        cut(&whole),
        mismatched,
        damaged(&|saved| saved["chain"] = cut(&new.spec.chain).into()),
        damaged(&|saved| saved["chain"] = "".into()),
        damaged(&|saved| saved["key"] = "-----BEGIN".into()),
        damaged(&|saved| saved["host"] = "c.test".into()),
        damaged(&|saved| saved["format"] = 2.into()),
    ] {
        fs::write(&file, &text).unwrap();
        let proxy = TestProxy::start_in(directory, limits()).await.unwrap();
        assert!(leaf(&proxy, "a.test").await == old.leaf, "{text}");
        assert!(leaf(&proxy, "b.test").await == other.leaf, "{text}");
        directory = proxy.stop().await;
    }
    // Without the one before, only this host is without.
    fs::remove_file(file.with_extension("json.prev")).unwrap();
    let proxy = TestProxy::start_in(directory, limits()).await.unwrap();
    assert_eq!(hosts(&proxy).await, ["b.test"]);
}

#[tokio::test]
async fn a_damaged_file_is_mended_by_the_same_certificate_and_never_kept() {
    let proxy = TestProxy::start().await;
    let (old, new) = (Certified::new("a.test"), Certified::new("a.test"));
    for certified in [&old, &new] {
        proxy.client.put_certificate(&certified.spec).await.unwrap();
    }
    let file = proxy.certificate_file("a.test");
    let directory = proxy.stop().await;
    fs::write(&file, "{").unwrap();
    let proxy = TestProxy::start_in(directory, limits()).await.unwrap();
    // What is in force comes from the file before: it must be written again to last.
    assert!(proxy.client.put_certificate(&old.spec).await.unwrap().changed);
    let directory = proxy.stop().await;
    fs::write(&file, "{").unwrap();
    let proxy = TestProxy::start_in(directory, limits()).await.unwrap();
    assert!(leaf(&proxy, "a.test").await == old.leaf, "the damaged file did not push out the good one");
}

#[tokio::test]
async fn what_cannot_be_served_is_refused() {
    let proxy = TestProxy::start().await;
    let good = Certified::new("a.test");
    proxy.client.put_certificate(&good.spec).await.unwrap();
    let with = |change: &dyn Fn(&mut Certified)| {
        let mut certified = Certified::new("a.test");
        change(&mut certified);
        certified
    };
    let other = Certified::new("a.test");
    for (bad, words) in [
        (with(&|bad| bad.spec.chain = String::new()), "no certificate"),
        (with(&|bad| bad.spec.chain = "-----BEGIN CERTIFICATE-----\nAA".into()), "not PEM"),
        (
            with(&|bad| {
                bad.spec.chain.push_str("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
            }),
            "number 2",
        ),
        (with(&|bad| bad.spec.key = "secret".to_owned().into()), "the key is not PEM"),
        (with(&|bad| bad.spec.key = other.spec.key.clone()), "not the key of the chain's first"),
        (with(&|bad| bad.spec.host = "192.0.2.1".into()), "an IP address"),
        (with(&|bad| bad.spec.host = "a b".into()), "is not a host"),
        (with(&|bad| bad.spec.host = format!("{}a", "aa.".repeat(84))), "too long"),
    ] {
        let message = refusal(&proxy, &bad).await;
        assert!(message.contains(words), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
    assert!(leaf(&proxy, "a.test").await == good.leaf, "the one in force stays");
    assert_eq!(hosts(&proxy).await, ["a.test"]);
}

#[tokio::test]
async fn an_expired_one_is_served() {
    let proxy = TestProxy::start().await;
    let expired = Certified::made("a.test", |params| params.not_after = rcgen::date_time_ymd(2001, 1, 1));
    assert!(proxy.client.put_certificate(&expired.spec).await.unwrap().changed);
    assert!(leaf(&proxy, "a.test").await == expired.leaf);
}
