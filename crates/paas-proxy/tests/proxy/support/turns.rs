use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::raw::is_complete;

/// What an app answers on one connection, request by request, before it closes it. An empty answer is none.
type Turns = &'static [&'static [u8]];

/// An app that answers the requests of each connection in turn, then closes it.
pub async fn in_turn(answers: Turns, requests: Arc<AtomicU64>) -> SocketAddr {
    in_turn_each(std::iter::repeat(answers), requests).await
}

/// The same with other answers on each connection.
pub async fn in_turn_each(
    connections: impl IntoIterator<Item = Turns, IntoIter: Send + 'static>,
    requests: Arc<AtomicU64>,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = connections.into_iter();
    tokio::spawn(async move {
        for answers in connections {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(answer(stream, answers, Arc::clone(&requests)));
        }
    });
    address
}

async fn answer(mut stream: TcpStream, answers: Turns, requests: Arc<AtomicU64>) {
    let mut buffer = [0; 4096];
    for answer in answers {
        let mut request = Vec::new();
        while !is_complete(&request) {
            match stream.read(&mut buffer).await {
                Ok(count @ 1..) => request.extend_from_slice(&buffer[..count]),
                _ => return,
            }
        }
        requests.fetch_add(1, Ordering::SeqCst);
        stream.write_all(answer).await.unwrap();
    }
}
