use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::support::Wire;

/// One whole request as a backend understood it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub body: Bytes,
}

/// A backend of hyper that remembers.
pub struct HyperBackend {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl HyperBackend {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let kept = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let kept = Arc::clone(&kept);
                let service = service_fn(move |request| remember(request, Arc::clone(&kept)));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, seen, task }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for HyperBackend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn remember(
    request: Request<Incoming>,
    kept: Arc<Mutex<Vec<Seen>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    // What does not come whole was no request.
    if let Ok(body) = body.collect().await {
        let (method, target) = (parts.method.to_string(), parts.uri.to_string());
        kept.lock().unwrap().push(Seen { method, target, body: body.to_bytes() });
    }
    Ok(Response::new(Full::from("ok")))
}

/// A backend that runs elsewhere: `NAME=ADDRESS,WITNESS`. At `WITNESS`, `GET /seen` tells every whole request that it has understood,
/// one after the other, as JSON.
#[derive(Debug, Clone)]
pub struct External {
    pub name: String,
    pub address: SocketAddr,
    witness: SocketAddr,
}

/// As such backends tell it; the bytes of a body as a string of hexadecimal digits.
#[derive(Debug, Deserialize)]
struct Told {
    method: String,
    target: String,
    body: String,
}

impl External {
    pub fn parse(text: &str) -> Option<Self> {
        let (name, addresses) = text.split_once('=')?;
        let (address, witness) = addresses.split_once(',')?;
        Some(Self { name: name.to_owned(), address: address.parse().ok()?, witness: witness.parse().ok()? })
    }

    pub async fn seen(&self) -> Vec<Seen> {
        let answer = Wire::connect(self.witness).await.get("witness", "/seen").await;
        let told: Vec<Told> = serde_json::from_slice(&answer.body).unwrap();
        let bytes = |digits: &str| -> Bytes {
            let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
            digits.as_bytes().chunks(2).map(byte).collect()
        };
        let seen = told.into_iter().map(|told| Seen {
            body: bytes(&told.body),
            method: told.method,
            target: told.target,
        });
        seen.collect()
    }
}
