use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::http1::{Builder, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{body::RequestBody, io::Watched, target::Target};

/// Why a target could not be reached. No request byte was sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the connection was not accepted")]
    Refused(#[source] io::Error),
    #[error("no connection within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("the connection broke before a request")]
    Handshake(#[source] hyper::Error),
}

/// What became of a request that got no answer.
#[derive(Debug)]
pub(crate) enum SendError {
    /// Not a byte of it was sent: it can go elsewhere.
    Unsent(Box<Request<RequestBody>>, hyper::Error),
    /// It may have been read and acted upon.
    Lost(hyper::Error),
}

/// One HTTP/1.1 connection to a target.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<RequestBody>,
    socket: Watched,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr, timeout: Duration) -> Result<Self, ConnectError> {
        let stream = tokio::time::timeout(timeout, TcpStream::connect(address))
            .await
            .map_err(|_| ConnectError::TimedOut(timeout))?
            .map_err(ConnectError::Refused)?;
        // Without it small writes wait for the other side's delayed acknowledgement.
        stream.set_nodelay(true).map_err(ConnectError::Refused)?;
        let socket = Watched::new(stream);
        let (sender, connection) =
            Builder::new().handshake(TokioIo::new(socket.clone())).await.map_err(ConnectError::Handshake)?;
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::trace!(error = %error, "a connection to a target ended");
            }
        });
        Ok(Self { sender, socket })
    }

    pub(crate) fn is_usable(&self) -> bool {
        self.sender.is_ready() && self.socket.is_quiet()
    }

    pub(crate) async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, SendError> {
        self.sender.try_send_request(request).await.map_err(|mut error| match error.take_message() {
            Some(request) => SendError::Unsent(Box::new(request), error.into_error()),
            None => SendError::Lost(error.into_error()),
        })
    }

    /// Gives the connection back to its target once it has read and written everything, if it can carry another request.
    pub(crate) fn recycle(mut self, target: Arc<Target>) {
        if self.sender.is_ready() {
            target.pool.put(self);
        } else if !self.sender.is_closed() {
            tokio::spawn(async move {
                if self.sender.ready().await.is_ok() {
                    target.pool.put(self);
                }
            });
        }
    }
}
