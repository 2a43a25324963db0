use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use time::OffsetDateTime;
use tokio::sync::Notify;

use super::{Fault, Step};
use crate::Pebble;

pub(crate) struct State {
    pub(crate) pebble: SocketAddr,
    pub(crate) client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    pub(crate) faults: Mutex<Vec<(Step, Fault)>>,
    pub(crate) seen: Mutex<Vec<Step>>,
    pub(crate) orders: Mutex<usize>,
    pub(crate) replaced: Mutex<Vec<String>>,
    pub(crate) window: Mutex<Option<Window>>,
    /// Rung by a request that hangs.
    pub(crate) hanging: Notify,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) start: OffsetDateTime,
    pub(crate) end: OffsetDateTime,
    pub(crate) retry_after: u32,
}

impl State {
    pub(crate) fn new(pebble: &Pebble) -> Self {
        Self {
            pebble: pebble.socket(),
            client: client(&pebble.root.pem()),
            faults: Mutex::default(),
            seen: Mutex::default(),
            orders: Mutex::default(),
            replaced: Mutex::default(),
            window: Mutex::default(),
            hanging: Notify::new(),
        }
    }

    /// Never returns; tells that it does not.
    pub(crate) async fn hang<T>(&self) -> T {
        self.hanging.notify_one();
        std::future::pending().await
    }

    /// Counts a request and takes the fault that waits for it.
    pub(crate) fn meet(&self, step: Step) -> Option<Fault> {
        self.seen.lock().unwrap().push(step);
        let mut faults = self.faults.lock().unwrap();
        let index = faults.iter().position(|(waiting, _)| *waiting == step)?;
        Some(faults.remove(index).1)
    }
}

fn client(root: &str) -> Client<HttpsConnector<HttpConnector>, Full<Bytes>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().build();
    // The host stays the one the shim was asked under.
    Client::builder(TokioExecutor::new()).set_host(false).build(connector)
}
