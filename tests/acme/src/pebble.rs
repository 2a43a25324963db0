use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use paas_acme::AcmeSettings;
use paas_program::{Program, ProgramError, Stream};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use crate::{Responder, TestDns, TestRoot, own_address};

const PORT: u16 = 14_000;
const MANAGEMENT_PORT: u16 = 15_000;
/// Longer than it takes on a busy machine.
const START: Duration = Duration::from_secs(30);

/// How a Pebble behaves.
#[derive(Debug, Clone, Default)]
pub struct PebbleOptions {
    /// Of a hundred good nonces, how many are refused.
    pub nonce_reject: u8,
    /// Of a hundred new orders, how many take over an authorization that is valid.
    pub authz_reuse: u8,
    /// The identifier and the base64url key of the one external account; accounts without are refused.
    pub external_account: Option<(String, String)>,
    /// How many seconds at most validations take, at random; none for at once.
    pub sleep: Option<u8>,
    /// Names it refuses to sign.
    pub blocked: Vec<String>,
}

/// A running Pebble with its DNS server and a responder where it validates, all at one loopback address.
pub struct Pebble {
    /// What it asks.
    pub dns: TestDns,
    /// Where it looks for proofs; a name has to point to [`Pebble::address`] for it.
    pub responder: Responder,
    /// Who signed its own certificate.
    pub root: TestRoot,
    address: IpAddr,
    child: Child,
    directory: TempDir,
}

impl Pebble {
    /// Starts one that validates at once and refuses no nonce.
    ///
    /// None, with the reason printed, when Pebble is not installed; a panic instead where `PAAS_REQUIRE_DOCKER` says that everything tests
    /// need is to be there.
    pub async fn start() -> Option<Self> {
        Self::start_with(PebbleOptions::default()).await
    }

    /// Starts one that behaves so.
    pub async fn start_with(options: PebbleOptions) -> Option<Self> {
        let address = IpAddr::V4(own_address());
        let (dns, responder) = tokio::join!(TestDns::start(address), Responder::start(address));
        let (root, directory) = (TestRoot::new(), tempfile::tempdir().unwrap());
        write_config(&directory, address, &root, &responder, &options);
        let child = match program(&directory, &dns, &options).spawn() {
            Ok(child) => child,
            Err(error @ ProgramError::Missing { .. }) => {
                assert!(std::env::var_os("PAAS_REQUIRE_DOCKER").is_none(), "{error}");
                println!("skipped: {error}");
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let mut pebble = Self { dns, responder, root, address, child, directory };
        pebble.wait_until_it_listens().await;
        Some(pebble)
    }

    /// The address all of it is at.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.address, PORT)
    }

    /// The URL of its ACME directory.
    pub fn directory_url(&self) -> String {
        format!("https://{}/dir", self.socket())
    }

    /// The URL of a PEM with the root of what it signs; another one at each start.
    pub fn root_url(&self) -> String {
        format!("https://{}/roots/0", SocketAddr::new(self.address, MANAGEMENT_PORT))
    }

    /// What an authority needs to know to use it.
    pub fn settings(&self) -> AcmeSettings {
        AcmeSettings {
            directory: self.directory_url(),
            root: Some(self.root.pem()),
            email: None,
            external_account: None,
            profile: None,
        }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Stops it: connections are refused from now on.
    pub async fn stop(&mut self) {
        self.child.kill().await.unwrap();
    }

    async fn wait_until_it_listens(&mut self) {
        let deadline = Instant::now() + START;
        while TcpStream::connect(self.socket()).await.is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "pebble does not listen: {}", self.log());
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.start_kill();
    }
}

fn write_config(
    directory: &TempDir,
    address: IpAddr,
    root: &TestRoot,
    responder: &Responder,
    options: &PebbleOptions,
) {
    let path = |name: &str| directory.path().join(name);
    let (certificate, key) = root.server_pair(address);
    fs::write(path("certificate.pem"), certificate).unwrap();
    fs::write(path("key.pem"), key).unwrap();
    let accounts: serde_json::Map<_, _> =
        options.external_account.iter().map(|(id, key)| (id.clone(), json!(key))).collect();
    let config = json!({ "pebble": {
        "listenAddress": SocketAddr::new(address, PORT).to_string(),
        "managementListenAddress": SocketAddr::new(address, MANAGEMENT_PORT).to_string(),
        "certificate": path("certificate.pem"),
        "privateKey": path("key.pem"),
        "httpPort": responder.http_port(),
        "tlsPort": responder.tls_port(),
        "externalAccountBindingRequired": options.external_account.is_some(),
        "externalAccountMACKeys": accounts,
        "domainBlocklist": options.blocked,
    }});
    fs::write(path("config.json"), config.to_string()).unwrap();
}

fn program(directory: &TempDir, dns: &TestDns, options: &PebbleOptions) -> Program {
    let log = File::create(directory.path().join("log")).unwrap();
    let program = Program::new("pebble")
        .arg("-config")
        .value(directory.path().join("config.json"))
        .arg("-dnsserver")
        .value(dns.address().to_string())
        .env("PEBBLE_WFE_NONCEREJECT", options.nonce_reject.to_string())
        .env("PEBBLE_AUTHZREUSE", options.authz_reuse.to_string())
        .stdout(Stream::File(log.try_clone().unwrap()))
        .stderr(Stream::File(log));
    match options.sleep {
        None => program.env("PEBBLE_VA_NOSLEEP", "1"),
        Some(seconds) => program.env("PEBBLE_VA_SLEEPTIME", seconds.to_string()),
    }
}
