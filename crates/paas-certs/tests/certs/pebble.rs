//! A real ACME server, which comes to the real proxy for its proofs.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use paas_acme::{AcmeAuthority, AcmeSettings, Authority, Preflight, PreflightSettings};
use paas_acme_testkit::{Fault, Pebble, PebbleOptions, Shim, Step, own_address};
use paas_certs::NameState;
use paas_domain::Hostname;
use paas_proxy::ChallengeProof;
use rand::{SeedableRng as _, seq::SliceRandom as _};

use crate::support::{FakeClock, Life, World, days, minutes};

/// Longer than validations that sleep, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// Pebble, a shim in front of it, and a proxy where its validations come.
struct Stage {
    pebble: Pebble,
    shim: Shim,
    world: World,
    here: std::net::Ipv4Addr,
}

impl Stage {
    async fn new(options: PebbleOptions) -> Option<Self> {
        let pebble = Pebble::start_with(options).await?;
        let here = own_address();
        let http = SocketAddr::from((here, pebble.responder.http_port()));
        let https = SocketAddr::from((here, pebble.responder.tls_port()));
        let world = World::at(http, https, FakeClock::at_present(), days(90)).await;
        pebble.dns.point("apps.paas-tests.org", here.into());
        let shim = Shim::start(&pebble).await;
        Some(Self { pebble, shim, world, here })
    }

    fn names(&self, count: usize) -> Vec<Hostname> {
        let blog = self.world.app("blog");
        (0..count)
            .map(|number| {
                let name = format!("www{number}.paas-tests.org");
                self.pebble.dns.point(&name, self.here.into());
                self.world.domain(&blog, &name)
            })
            .collect()
    }

    /// A keeper that looks first, as the default is.
    fn life(&self, settings: AcmeSettings) -> Life {
        let authority = AcmeAuthority::new(settings).unwrap();
        let preflight = Preflight::new(PreflightSettings {
            resolver: Some(self.pebble.dns.address()),
            http_port: self.pebble.responder.http_port(),
            https_port: self.pebble.responder.tls_port(),
            private_allowed: authority.is_private(),
            ..PreflightSettings::default()
        });
        self.world.life_of(Arc::new(authority), Some(preflight.unwrap()))
    }

    async fn all_are_trusted(&self, names: &[Hostname]) {
        for name in names {
            let served = self.world.served(name.as_str()).await.unwrap();
            assert!(served.trusted, "{name}: {:?}", self.world.store.certificate_tries().unwrap());
        }
    }
}

async fn fifty_names(options: PebbleOptions) {
    let Some(stage) = Stage::new(options).await else { return };
    let names = stage.names(50);
    let life = stage.life(stage.shim.settings());
    tokio::time::timeout(PATIENCE, life.settle()).await.unwrap();
    stage.all_are_trusted(&names).await;
    assert_eq!(stage.shim.orders(), 51, "one for each name and the server's own");
    stage.world.end().await;
}

/// Half of the nonces refused; authorizations never or always taken over; validations that sleep. One of these in a short run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_names_on_a_bad_day() {
    let half = || PebbleOptions { nonce_reject: 50, ..PebbleOptions::default() };
    let sleep = if is_whole() { 15 } else { 3 };
    let days = vec![
        half(),
        PebbleOptions { authz_reuse: 100, ..half() },
        // Each sleeps up to so many seconds; ten orders are under way at a time.
        PebbleOptions { sleep: Some(sleep), ..half() },
    ];
    for options in sampled(days, 1) {
        println!("{options:?}");
        fifty_names(options).await;
    }
}

fn is_whole() -> bool {
    std::env::var("PAAS_TEST_ALL").is_ok_and(|value| value == "1")
}

/// Some of the choices, by the printed seed; all of them when `PAAS_TEST_ALL` is `1`.
fn sampled<T>(mut choices: Vec<T>, count: usize) -> Vec<T> {
    if !is_whole() {
        let seed = std::env::var("PAAS_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(rand::random::<u64>);
        println!("PAAS_TEST_SEED={seed}");
        choices.shuffle(&mut rand::rngs::StdRng::seed_from_u64(seed));
        choices.truncate(count);
    }
    choices
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_port_443_is_open() {
    let Some(pebble) = Pebble::start().await else { return };
    let here = own_address();
    let https = SocketAddr::from((here, pebble.responder.tls_port()));
    // HTTP somewhere else: nobody listens where the authority would come.
    let http = SocketAddr::from((own_address(), pebble.responder.http_port()));
    let world = World::at(http, https, FakeClock::at_present(), days(90)).await;
    pebble.dns.point("apps.paas-tests.org", here.into());
    let shim = Shim::start(&pebble).await;
    let stage = Stage { pebble, shim, world, here };
    let life = stage.life(stage.shim.settings());
    life.settle().await;
    assert_eq!(life.status("apps.paas-tests.org").state, NameState::Valid);
    stage.world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_that_is_busy_is_left_alone_for_as_long_as_it_says() {
    let Some(stage) = Stage::new(PebbleOptions::default()).await else { return };
    let names = stage.names(1);
    stage.shim.fail(Step::NewOrder, Fault::problem(429, "rateLimited", "too many").after("7200"));
    let life = stage.life(stage.shim.settings());
    life.settle().await;
    assert_eq!(stage.shim.requests(Step::NewAccount), 1, "two names, one account");
    let states = [life.status("apps.paas-tests.org"), life.status(names[0].as_str())];
    let [failing] = states.iter().filter(|one| one.state == NameState::Failing).collect::<Vec<_>>()[..]
    else {
        panic!("{states:?}")
    };
    assert_eq!(failing.problem.as_deref(), Some("rate_limited"));
    let asked = stage.shim.requests(Step::NewOrder);
    stage.world.clock.advance(minutes(119));
    life.settle().await;
    assert_eq!(stage.shim.requests(Step::NewOrder), asked, "two hours have not passed");
    stage.world.clock.advance(minutes(2));
    life.settle().await;
    stage.all_are_trusted(&names).await;
    stage.world.end().await;
}

/// Every request of an order, before and after the authority has worked: the process ends there.
const STEPS: [Step; 8] = [
    Step::Directory,
    Step::NewAccount,
    Step::NewOrder,
    Step::Order,
    Step::Authorization,
    Step::Challenge,
    Step::Finalize,
    Step::Certificate,
];

async fn ends_at(step: Step, fault: Fault) {
    let Some(stage) = Stage::new(PebbleOptions::default()).await else { return };
    stage.shim.fail(step, fault.clone());
    // A runtime of its own, which ends in the middle of whatever it does: nobody cleans up, and only the store and the authority remember.
    let process = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let life = stage.life(stage.shim.settings());
    process.spawn(async move { life.settle().await });
    tokio::time::timeout(PATIENCE, stage.shim.until_one_hangs()).await.unwrap();
    process.shutdown_background();
    stage.world.clock.advance(minutes(1));
    let life = stage.life(stage.shim.settings());
    tokio::time::timeout(PATIENCE, life.settle()).await.unwrap();
    let status = life.status("apps.paas-tests.org");
    assert_eq!(status.state, NameState::Valid, "{step:?} {fault:?}: {status:?}");
    assert!(stage.world.served("apps.paas-tests.org").await.unwrap().trusted);
    let orders = stage.shim.orders();
    let expected = match (step, &fault) {
        // Nobody knows where the first one is.
        (Step::NewOrder, Fault::HangAfter) => 2..=2,
        // A runtime that ends drops its tasks, which take the proof away; the authority may be looking at it just then.
        (Step::Challenge, Fault::HangAfter) => 1..=2,
        _ => 1..=1,
    };
    assert!(expected.contains(&orders), "{step:?} {fault:?}: {orders} orders");
    assert_eq!(stage.world.store.ordered_names().unwrap(), []);
    stage.world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_at_any_request_needs_nobody() {
    let grid =
        STEPS.iter().flat_map(|step| [(*step, Fault::HangBefore), (*step, Fault::HangAfter)]).collect();
    for (step, fault) in sampled(grid, 5) {
        println!("{step:?} {fault:?}");
        ends_at(step, fault).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_proxy_shows_is_taken_away_again() {
    let Some(stage) = Stage::new(PebbleOptions::default()).await else { return };
    let host = "apps.paas-tests.org".to_owned();
    let proof = ChallengeProof::Http01 { token: "left".into(), key_authorization: "left.over".into() };
    stage.world.proxy.put_challenge(&paas_proxy::ChallengeSpec { host, proof }).await.unwrap();
    let life = stage.life(stage.shim.settings());
    life.settle().await;
    assert_eq!(life.status("apps.paas-tests.org").state, NameState::Valid);
    let http = SocketAddr::from((stage.here, stage.pebble.responder.http_port()));
    let asked = tokio::net::TcpStream::connect(http).await.unwrap();
    let answer = ask(asked, "/.well-known/acme-challenge/left").await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    stage.world.end().await;
}

async fn ask(mut stream: tokio::net::TcpStream, path: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let request = format!("GET {path} HTTP/1.1\r\nHost: apps.paas-tests.org\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
