use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinHandle,
};

type Body = BoxBody<Bytes, hyper::Error>;

/// An app that speaks HTTP/2 with prior knowledge, like a gRPC server.
///
/// `/` answers its name and a trailer, `/echo` the request's body and trailers as they come, its header at once, `/gate` waits
/// for [`H2cApp::open_gate`], `/big` is 4 MiB.
pub struct H2cApp {
    pub address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    name: String,
    max_streams: u32,
    requests: AtomicU64,
    connections: AtomicUsize,
    open: AtomicUsize,
    gate: Semaphore,
    seen: Mutex<Vec<(String, HeaderMap)>>,
    serving: Mutex<Vec<JoinHandle<()>>>,
}

impl H2cApp {
    pub async fn start(name: &str) -> Self {
        Self::start_with(name, 1000).await
    }

    /// One that allows so many calls on a connection at one time.
    pub async fn start_with(name: &str, max_streams: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            name: name.to_owned(),
            max_streams,
            requests: AtomicU64::new(0),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            seen: Mutex::default(),
            serving: Mutex::default(),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self { address, state, task }
    }

    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Connections that have not ended.
    pub fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    pub fn open_gate(&self) {
        self.state.gate.add_permits(1);
    }

    /// The target and the header of every request so far.
    pub fn seen(&self) -> Vec<(String, HeaderMap)> {
        self.state.seen.lock().unwrap().clone()
    }

    /// Breaks every connection, as a crash does.
    pub fn break_connections(&self) {
        for task in self.state.serving.lock().unwrap().drain(..) {
            task.abort();
        }
    }
}

impl Drop for H2cApp {
    fn drop(&mut self) {
        self.task.abort();
        self.break_connections();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        state.connections.fetch_add(1, Ordering::SeqCst);
        let task = tokio::spawn(serve(stream, Arc::clone(&state)));
        state.serving.lock().unwrap().push(task);
    }
}

struct Open(Arc<State>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    state.open.fetch_add(1, Ordering::SeqCst);
    let _open = Open(Arc::clone(&state));
    let max_streams = state.max_streams;
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(answer(state, request).await) }
    });
    let _ = http2::Builder::new(TokioExecutor::new())
        .max_concurrent_streams(max_streams)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Response<Body> {
    state.requests.fetch_add(1, Ordering::SeqCst);
    state.seen.lock().unwrap().push((request.uri().to_string(), request.headers().clone()));
    match request.uri().path() {
        "/echo" => Response::new(request.into_body().boxed()),
        "/big" => {
            let big = Full::new(Bytes::from(vec![7; 4 * 1024 * 1024]));
            Response::new(big.map_err(|never| match never {}).boxed())
        }
        "/gate" => {
            state.gate.acquire().await.unwrap().forget();
            named(&state.name)
        }
        _ => named(&state.name),
    }
}

fn named(name: &str) -> Response<Body> {
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))]);
    let body = Full::new(Bytes::from(name.to_owned())).with_trailers(async move { Some(Ok(trailers)) });
    Response::new(body.map_err(|never: Infallible| match never {}).boxed())
}
