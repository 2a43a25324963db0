use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};

type Body = BoxBody<Bytes, hyper::Error>;

/// An app as people write them.
///
/// `/` answers its name, `/echo` the request's body as it comes, `/gate` waits for [`App::open_gate`], `/stream` sends what
/// [`App::emit`] is given, `/upgrade` echoes after a 101.
pub struct App {
    pub address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    name: String,
    requests: AtomicU64,
    gate: Semaphore,
    stream: mpsc::Sender<Bytes>,
    emitted: tokio::sync::Mutex<mpsc::Receiver<Bytes>>,
}

impl App {
    pub async fn start(name: &str) -> Self {
        Self::start_on(name, TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub fn start_on(name: &str, listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let (stream, emitted) = mpsc::channel(16);
        let state = Arc::new(State {
            name: name.to_owned(),
            requests: AtomicU64::new(0),
            gate: Semaphore::new(0),
            stream,
            emitted: tokio::sync::Mutex::new(emitted),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self { address, state, task }
    }

    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// Lets one request through `/gate`.
    pub fn open_gate(&self) {
        self.state.gate.add_permits(1);
    }

    /// Sends one piece on `/stream`; an empty one ends it.
    pub async fn emit(&self, piece: &'static [u8]) {
        self.state.stream.send(Bytes::from_static(piece)).await.unwrap();
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        connections.spawn(serve(stream, Arc::clone(&state)));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(answer(state, request).await) }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

async fn answer(state: Arc<State>, mut request: Request<Incoming>) -> Response<Body> {
    state.requests.fetch_add(1, Ordering::SeqCst);
    match request.uri().path() {
        "/echo" => Response::new(request.into_body().boxed()),
        "/gate" => {
            state.gate.acquire().await.unwrap().forget();
            text(&state.name)
        }
        "/stream" => Response::new(stream(state)),
        "/upgrade" => {
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let mut io = TokioIo::new(upgrade.await.unwrap());
                let (mut read, mut write) = tokio::io::split(&mut io);
                let _ = tokio::io::copy(&mut read, &mut write).await;
                let _ = tokio::io::AsyncWriteExt::shutdown(&mut write).await;
            });
            let mut response = text("");
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            response.headers_mut().insert("connection", HeaderValue::from_static("Upgrade"));
            response.headers_mut().insert("upgrade", HeaderValue::from_static("websocket"));
            response
        }
        _ => text(&state.name),
    }
}

fn text(text: &str) -> Response<Body> {
    Response::new(Full::new(Bytes::from(text.to_owned())).map_err(|never| match never {}).boxed())
}

fn stream(state: Arc<State>) -> Body {
    let pieces = futures_util::stream::unfold(state, |state| async {
        let piece = state.emitted.lock().await.recv().await?;
        (!piece.is_empty()).then_some((Ok(Frame::data(piece)), state))
    });
    BodyExt::boxed(StreamBody::new(Box::pin(SyncStream(Box::pin(pieces)))))
}

/// `BoxBody` wants `Sync`; nothing here is ever shared.
struct SyncStream<S>(std::pin::Pin<Box<S>>);

impl<S: futures_util::Stream> futures_util::Stream for SyncStream<S> {
    type Item = S::Item;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<S::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}
