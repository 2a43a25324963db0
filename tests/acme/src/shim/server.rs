use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http::{
    Request, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::{Fault, Step, fault, forward, state::State};

type Answer = Response<BoxBody<Bytes, io::Error>>;

pub(crate) async fn serve(listener: TcpListener, tls: Arc<ServerConfig>, state: Arc<State>) {
    let acceptor = TlsAcceptor::from(tls);
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        let (acceptor, state) = (acceptor.clone(), Arc::clone(&state));
        connections.spawn(async move {
            let Ok(stream) = acceptor.accept(connection).await else { return };
            let service = service_fn(|request| answer(&state, request));
            // A connection that is cut on purpose ends with an error.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(state: &State, request: Request<Incoming>) -> io::Result<Answer> {
    let step = Step::of(request.uri().path());
    match state.meet(step) {
        None => forward::pass(state, step, request).await.map(whole),
        Some(Fault::CutBefore) => Err(cut()),
        Some(Fault::CutAfter) => forward::pass(state, step, request).await.and(Err(cut())),
        Some(Fault::HangBefore) => state.hang().await,
        Some(Fault::HangAfter) => {
            forward::pass(state, step, request).await?;
            state.hang().await
        }
        Some(Fault::HalfBody) => forward::pass(state, step, request).await.map(half),
        Some(Fault::BadNonce) => forward::fresh_nonce(state, request).await.map(|nonce| {
            let body = fault::problem(400, "badNonce", "the nonce was used before").to_string();
            whole(said(400, None, body, Some(nonce)))
        }),
        Some(Fault::Answer { status, retry_after, body }) => Ok(whole(said(status, retry_after, body, None))),
    }
}

fn said(status: u16, retry_after: Option<String>, body: String, nonce: Option<String>) -> Response<Bytes> {
    let kind = if body.starts_with('{') { "application/problem+json" } else { "text/html" };
    let mut response =
        Response::builder().status(StatusCode::from_u16(status).unwrap()).header(CONTENT_TYPE, kind);
    if let Some(text) = retry_after {
        response = response.header(RETRY_AFTER, text);
    }
    if let Some(nonce) = nonce {
        response = response.header("replay-nonce", nonce);
    }
    response.body(Bytes::from(body)).unwrap()
}

fn whole(response: Response<Bytes>) -> Answer {
    response.map(|body| Full::new(body).map_err(|never| match never {}).boxed())
}

/// Promises the whole and sends the first half.
fn half(response: Response<Bytes>) -> Answer {
    let (mut parts, body) = response.into_parts();
    parts.headers.insert(CONTENT_LENGTH, body.len().into());
    let frames = [Ok(Frame::data(body.slice(..body.len() / 2))), Err(cut())];
    Response::from_parts(parts, StreamBody::new(stream::iter(frames)).boxed())
}

fn cut() -> io::Error {
    io::Error::other("cut on purpose")
}
