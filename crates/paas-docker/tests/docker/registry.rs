//! A registry on loopback that wants a token, as the public ones do: a base image is pulled through a session that offers no credentials.

use std::{
    collections::HashMap,
    io::Write,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;

use crate::common::{World, build, context, request};

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

#[derive(Default)]
struct Registry {
    /// By digest.
    blobs: HashMap<String, Bytes>,
    manifest: Bytes,
    asked: Mutex<Vec<String>>,
}

/// `sha256:…`, by the program the images are made of anyway.
#[allow(clippy::disallowed_methods, reason = "a test's own tool")]
fn digest(bytes: &[u8]) -> String {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let output =
        std::process::Command::new(context::BUSYBOX).arg("sha256sum").arg(file.path()).output().unwrap();
    format!("sha256:{}", String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap())
}

impl Registry {
    fn new() -> Self {
        let layer = Bytes::from(context::tar(&[("from-registry", b"hello\n", 0o644)]));
        let config = Bytes::from(
            json!({
                "architecture": "amd64", "os": "linux", "config": {},
                "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
                "history": [{"created_by": "test"}],
            })
            .to_string(),
        );
        let manifest = Bytes::from(
            json!({
                "schemaVersion": 2, "mediaType": MANIFEST,
                "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": config.len(), "digest": digest(&config)},
                "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar", "size": layer.len(), "digest": digest(&layer)}],
            })
            .to_string(),
        );
        let blobs = HashMap::from([(digest(&layer), layer), (digest(&config), config)]);
        Self { blobs, manifest, asked: Mutex::default() }
    }

    fn answer(&self, request: &Request<Incoming>, address: SocketAddr) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        self.asked.lock().unwrap().push(path.to_owned());
        if path == "/token" {
            return reply(
                StatusCode::OK,
                "application/json",
                Bytes::from_static(br#"{"token":"t0k3n","expires_in":300}"#),
            );
        }
        if request.headers().get(header::AUTHORIZATION).is_none_or(|given| given != "Bearer t0k3n") {
            let mut refused = reply(StatusCode::UNAUTHORIZED, "application/json", Bytes::new());
            let challenge = format!(
                "Bearer realm=\"http://{address}/token\",service=\"test\",scope=\"repository:base:pull\""
            );
            refused.headers_mut().insert(header::WWW_AUTHENTICATE, challenge.parse().unwrap());
            return refused;
        }
        let body = if path.contains("/manifests/") {
            Some((MANIFEST, self.manifest.clone()))
        } else {
            let name = path.rsplit('/').next().unwrap_or_default();
            self.blobs.get(name).map(|blob| ("application/octet-stream", blob.clone()))
        };
        let Some((kind, bytes)) = body else {
            return reply(StatusCode::NOT_FOUND, "text/plain", Bytes::new());
        };
        let mut found = reply(
            StatusCode::OK,
            kind,
            if request.method() == Method::HEAD { Bytes::new() } else { bytes.clone() },
        );
        found.headers_mut().insert("Docker-Content-Digest", digest(&bytes).parse().unwrap());
        found.headers_mut().insert(header::CONTENT_LENGTH, bytes.len().into());
        found
    }
}

fn reply(status: StatusCode, kind: &str, body: Bytes) -> Response<Full<Bytes>> {
    Response::builder().status(status).header(header::CONTENT_TYPE, kind).body(Full::new(body)).unwrap()
}

async fn serve(registry: Arc<Registry>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let registry = Arc::clone(&registry);
            let service = service_fn(move |request| {
                let answer = registry.answer(&request, address);
                async move { Ok::<_, std::convert::Infallible>(answer) }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    address
}

pub async fn a_base_image_is_pulled_with_a_token(world: Arc<World>) {
    let registry = Arc::new(Registry::new());
    let address = serve(Arc::clone(&registry)).await;
    let dockerfile = format!("FROM {address}/base:1\nCOPY Dockerfile /x\n");
    let (result, log) = build(&*world.engine, request(&world.tag("app")), context::only(&dockerfile)).await;
    result.unwrap();
    assert!(format!("{log:?}").contains(&format!("FROM {address}/base:1")), "{log:?}");
    assert!(registry.asked.lock().unwrap().iter().any(|path| path == "/token"));
}
