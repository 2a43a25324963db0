use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::StreamExt;
use http::HeaderMap;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    client::conn::http2,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::mpsc;

use super::{Client, TlsStream, within};

pub type Body = BoxBody<Bytes, std::io::Error>;
pub type Sender = http2::SendRequest<Body>;

/// An encrypted HTTP/2 connection for a name.
pub async fn http2(address: SocketAddr, name: &str) -> Sender {
    http2_over(Client::new(&["h2"]).connect(address, name).await).await
}

/// The same after a handshake.
pub async fn http2_over(stream: TlsStream) -> Sender {
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// A body that is sent frame by frame; it ends when the sender is dropped.
pub fn frames() -> (mpsc::Sender<Frame<Bytes>>, Body) {
    let (sender, receiver) = mpsc::channel(8);
    let frames = futures_util::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|frame| (frame, receiver))
    });
    (sender, BodyExt::boxed(StreamBody::new(frames.map(Ok))))
}

/// The next piece of an answer.
pub async fn next(body: &mut Incoming) -> Frame<Bytes> {
    within("a frame", body.frame()).await.expect("the end").unwrap()
}

/// The text of an answer and its trailers.
pub async fn collected(body: Incoming) -> (String, Option<HeaderMap>) {
    let collected = within("the body", body.collect()).await.unwrap();
    let trailers = collected.trailers().cloned();
    (String::from_utf8(collected.to_bytes().to_vec()).unwrap(), trailers)
}
