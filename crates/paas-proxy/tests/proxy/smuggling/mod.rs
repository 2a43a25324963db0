//! Requests that two servers could read in two ways. Each is sent with a second one behind it, the canary. Either the proxy refuses
//! it and nothing reaches a backend, or the backend reads what the proxy has read; the canary is never a request of its own that was
//! none for the client.
//!
//! A family is a file. To run them before another backend: `tests/hostile/run`.

mod bodies;
mod both;
mod chunks;
mod client;
mod coding;
mod connection;
mod http2;
mod length;
mod lines;
mod recorder;
mod refusals;
mod targets;
mod vector;
mod versions;
mod witness;

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use self::{
    http2::Http2Vector,
    recorder::Recorder,
    vector::{Expect, Then, Vector, tagged},
    witness::{External, HyperBackend, Seen},
};
use crate::support::TestProxy;

/// How many vectors are under way at one time.
const AT_ONCE: usize = 16;

fn http1_vectors() -> Vec<Vector> {
    [
        length::vectors(),
        coding::vectors(),
        both::vectors(),
        chunks::vectors(),
        lines::vectors(),
        versions::vectors(),
        bodies::vectors(),
        connection::vectors(),
        targets::vectors(),
    ]
    .concat()
}

/// What has to arrive of each vector, by its tag.
type Expected = HashMap<String, (String, Expect)>;

/// Sends all vectors to a proxy. Gives what is to be seen behind it, and what clients saw that should not be.
async fn send(proxy: SocketAddr) -> (Expected, Vec<String>) {
    let mut expected = Expected::new();
    let mut tags = 0..;
    let mut tag = |name: &str, expect: &Expect| {
        let tag = format!("{:04}", tags.next().unwrap());
        expected.insert(tag.clone(), (name.to_owned(), expect.clone()));
        tag
    };
    let over_http1: Vec<(String, Vector)> =
        http1_vectors().into_iter().map(|vector| (tag(&vector.name, &vector.expect), vector)).collect();
    let over_http2: Vec<(String, Http2Vector)> =
        http2::vectors().into_iter().map(|vector| (tag(&vector.name, &vector.expect), vector)).collect();
    let mut wrong: Vec<String> = stream::iter(&over_http1)
        .map(async |(tag, vector)| (client::over_http1(proxy, vector, tag).await, &vector.name))
        .buffer_unordered(AT_ONCE)
        .filter_map(async |(outcome, name)| outcome.err().map(|what| format!("{name}: the client is {what}")))
        .collect()
        .await;
    let more: Vec<String> = stream::iter(&over_http2)
        .map(async |(tag, vector)| (client::over_http2(proxy, vector, tag).await, &vector.name))
        .buffer_unordered(AT_ONCE)
        .filter_map(async |(outcome, name)| outcome.err().map(|what| format!("{name}: the client is {what}")))
        .collect()
        .await;
    wrong.extend(more);
    (expected, wrong)
}

/// What a backend understood that it should not have.
fn judge(expected: &Expected, seen: &[Seen]) -> Vec<String> {
    let mut wrong = Vec::new();
    // Of each vector: itself, its canary, and what comes after a canary that it takes in.
    let mut arrived: HashMap<&str, [Vec<&Seen>; 3]> = HashMap::new();
    for request in seen {
        match place(&request.target).filter(|(tag, _)| expected.contains_key(*tag)) {
            Some((tag, part)) => arrived.entry(tag).or_default()[part].push(request),
            None => wrong.push(format!("a request that nobody sent: {request:?}")),
        }
    }
    for (tag, (name, expect)) in expected {
        let [first, canary, after] = arrived.remove(tag.as_str()).unwrap_or_default();
        let is_plain = |seen: &&Seen| seen.method == "GET" && seen.body.is_empty();
        let behind = |requests: &[&Seen], count| requests.len() == count && requests.iter().all(is_plain);
        let is_right = match expect {
            Expect::Refused | Expect::Broken => first.is_empty() && canary.is_empty() && after.is_empty(),
            Expect::CanaryAlone => first.is_empty() && behind(&canary, 1) && after.is_empty(),
            Expect::Passed { method, body, then } => {
                let body = tagged(body, tag);
                let is_same = |seen: &&Seen| seen.method == *method && seen.body[..] == body[..];
                let is_plain = |seen: &&Seen| seen.method == "GET" && seen.body.is_empty();
                let behind =
                    |requests: &[&Seen], count| requests.len() == count && requests.iter().all(is_plain);
                first.len() == 1
                    && first.iter().all(is_same)
                    && behind(&canary, usize::from(*then == Then::Next))
                    && behind(&after, usize::from(*then == Then::Swallowed))
            }
        };
        if !is_right {
            wrong.push(format!(
                "{name}: the backend saw {first:?}, of the canary {canary:?}, after it {after:?}"
            ));
        }
    }
    wrong
}

/// What a backend got of requests that should not have begun.
fn judge_unfinished(expected: &Expected, unfinished: &[Bytes]) -> Vec<String> {
    let may_begin = |bytes: &Bytes| {
        let text = String::from_utf8_lossy(bytes);
        let target = text.split(' ').nth(1).and_then(place);
        // A canary is never cut.
        let vector = target.filter(|(_, part)| *part == 0).and_then(|(tag, _)| expected.get(tag));
        matches!(vector, Some((_, Expect::Broken)))
    };
    let wrong = unfinished.iter().filter(|bytes| !may_begin(bytes));
    wrong.map(|bytes| format!("of a request only {:?} arrived", String::from_utf8_lossy(bytes))).collect()
}

/// The tag in a target, and whether it is a vector's, a canary's, or what comes after.
fn place(target: &str) -> Option<(&str, usize)> {
    let digits = |text: &'static str| {
        let at = target.find(text)? + text.len();
        target.get(at..at + 4).filter(|tag| tag.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let canary = digits("/canary-").map(|tag| (tag, 1));
    canary.or_else(|| digits("/after-").map(|tag| (tag, 2))).or_else(|| {
        target.split(['/', '?']).find_map(|part| {
            let tag = part.get(..4).filter(|tag| tag.bytes().all(|byte| byte.is_ascii_digit()))?;
            Some((tag, 0))
        })
    })
}

/// Nothing is to complain about; says everything that is.
fn assert_right(wrong: &[String], backend: &str) {
    assert!(wrong.is_empty(), "{} before {backend}:\n{}", wrong.len(), wrong.join("\n"));
}

async fn proxy_before(backend: SocketAddr) -> TestProxy {
    let proxy = TestProxy::start().await;
    proxy.put("blog", "a.test", &[("c1", backend)]).await;
    proxy
}

#[test]
fn there_are_enough_vectors_and_none_twice() {
    let mut names: Vec<String> = http1_vectors().into_iter().map(|vector| vector.name).collect();
    names.extend(http2::vectors().into_iter().map(|vector| vector.name));
    let count = names.len();
    assert!(count >= 400, "{count}");
    names.sort();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert_eq!(twice, Vec::<&[String]>::new());
}

#[test]
fn every_vector_that_is_refused_in_another_way_is_there() {
    let http1 = http1_vectors().into_iter().map(|vector| (vector.name, vector.expect));
    let http2 = http2::vectors().into_iter().map(|vector| (vector.name, vector.expect));
    let is_refused = |expect: &Expect| matches!(expect, Expect::Refused | Expect::Broken);
    let refused: HashSet<String> =
        http1.chain(http2).filter(|(_, expect)| is_refused(expect)).map(|(name, _)| name).collect();
    let gone: Vec<_> = refusals::others().filter(|name| !refused.contains(*name)).collect();
    assert_eq!(gone, Vec::<&str>::new());
}

#[tokio::test]
async fn nothing_is_smuggled_to_a_backend_that_takes_the_rules_literally() {
    let backend = Recorder::start().await;
    let proxy = proxy_before(backend.address).await;
    let (expected, mut wrong) = send(proxy.address).await;
    // With it its connections end, and what never gets whole is known.
    proxy.stop().await;
    backend.settled().await;
    wrong.extend(judge(&expected, &backend.seen()));
    wrong.extend(judge_unfinished(&expected, &backend.unfinished()));
    wrong.extend(backend.violations().into_iter().map(|violation| format!("no sender may send {violation}")));
    assert_right(&wrong, "the recorder");
}

#[tokio::test]
async fn nothing_is_smuggled_to_hyper() {
    let backend = HyperBackend::start().await;
    let proxy = proxy_before(backend.address).await;
    let (expected, mut wrong) = send(proxy.address).await;
    wrong.extend(judge(&expected, &backend.seen()));
    assert_right(&wrong, "hyper");
}

/// What another server may make of a vector: it may refuse what the proxy passes on, and then sees nothing. Gives how many it read
/// as the proxy did.
fn judge_another(expected: &Expected, mut seen: Vec<Seen>) -> (usize, Vec<String>) {
    // gunicorn spells methods in upper case; that changes no framing.
    for request in &mut seen {
        let expect =
            place(&request.target).filter(|(_, part)| *part == 0).and_then(|(tag, _)| expected.get(tag));
        if let Some((_, Expect::Passed { method, .. })) = expect
            && method.to_ascii_uppercase() == request.method
        {
            (*method).clone_into(&mut request.method);
        }
    }
    let tag_of = |request: &Seen| place(&request.target).map(|(tag, part)| (tag.to_owned(), part));
    let arrived: HashSet<(String, usize)> = seen.iter().filter_map(tag_of).collect();
    let mut taken = expected.clone();
    let mut alike = 0;
    for (tag, (_, expect)) in &mut taken {
        let Expect::Passed { then, .. } = expect else { continue };
        if !arrived.contains(&(tag.clone(), 0)) {
            // What it refused it may not have answered, or it broke the connection. A canary is none of its concern, but may come.
            let canary = *then == Then::Next && arrived.contains(&(tag.clone(), 1));
            *expect = if canary { Expect::CanaryAlone } else { Expect::Broken };
            continue;
        }
        alike += 1;
    }
    (alike, judge(&taken, &seen))
}

/// Before the backends of `PAAS_HOSTILE_BACKENDS`, separated by spaces. `tests/hostile/run` starts some.
#[tokio::test]
#[ignore = "needs backends; tests/hostile/run starts some"]
async fn nothing_is_smuggled_to_other_servers() {
    let backends = std::env::var("PAAS_HOSTILE_BACKENDS").expect("PAAS_HOSTILE_BACKENDS");
    for text in backends.split_whitespace() {
        let backend = External::parse(text).expect("NAME=ADDRESS,WITNESS");
        let proxy = proxy_before(backend.address).await;
        let (expected, wrong_for_client) = send(proxy.address).await;
        let (alike, mut wrong) = judge_another(&expected, backend.seen().await);
        // An answer other than 200 to what was passed on is the server's own affair.
        let refusals = expected.values().filter(|(_, expect)| !matches!(expect, Expect::Passed { .. }));
        let refusals: Vec<_> = refusals.map(|(name, _)| format!("{name}: ")).collect();
        wrong.extend(
            wrong_for_client.into_iter().filter(|what| refusals.iter().any(|name| what.starts_with(name))),
        );
        assert_right(&wrong, &backend.name);
        let passed = expected.len() - refusals.len();
        assert!(alike * 10 >= passed * 8, "{} read {alike} of {passed}", backend.name);
        eprintln!(
            "{}: {} vectors, nothing smuggled; {alike} of {passed} passed on were read alike, it refused the others",
            backend.name,
            expected.len()
        );
    }
}
