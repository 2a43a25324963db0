use std::{
    net::{TcpListener, UdpSocket},
    os::unix::net::UnixStream,
};

use super::{
    channel::Channel,
    error::HandOverError,
    message::{Given, Go, Prepared, Started},
};
use crate::{
    api::ChallengeSpec,
    error::ProxyError,
    listener::{Role, Sockets},
    refusal::with_sources,
};

/// The process whose sockets are taken over.
#[derive(Debug)]
pub(crate) struct Predecessor(Channel);

/// What it gives.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) sockets: Sockets,
    pub(crate) challenges: Vec<ChallengeSpec>,
}

impl Predecessor {
    pub(crate) async fn take(stream: UnixStream) -> Result<(Self, Taken), HandOverError> {
        let mut channel = Channel::new(stream).map_err(HandOverError::Channel)?;
        let received = async {
            let descriptors = channel.receive_sockets().await?;
            Ok((descriptors, channel.receive::<Given>().await?))
        };
        let (descriptors, given) = received.await.map_err(HandOverError::Channel)?;
        let mut sockets = Sockets::default();
        for (descriptor, role) in descriptors.into_iter().zip(given.roles) {
            match role {
                Role::Http | Role::Https => sockets.tcp.push((role, TcpListener::from(descriptor))),
                Role::Http3 => sockets.udp.push(UdpSocket::from(descriptor)),
            }
        }
        Ok((Self(channel), Taken { sockets, challenges: given.challenges }))
    }

    /// Everything that can fail is done. Returns when the predecessor relies on it.
    pub(crate) async fn prepared(&mut self) -> Result<(), HandOverError> {
        let exchange = async {
            self.0.send(&Prepared::As { pid: std::process::id() }).await?;
            self.0.receive::<Go>().await
        };
        exchange.await.map(|Go {}| ()).map_err(HandOverError::Channel)
    }

    /// Nothing will come of it.
    pub(crate) async fn failed(&mut self, error: &ProxyError) {
        // Should it have ended, nobody is there to be told.
        let _ = self.0.send(&Prepared::Failed { why: with_sources(error) }).await;
    }

    /// Requests and commands are accepted here.
    pub(crate) async fn started(&mut self) {
        if let Err(error) = self.0.send(&Started {}).await {
            tracing::warn!(%error, "the proxy before this one has ended early; its requests were cut");
        }
    }

    /// Returns when it reads the UDP sockets no more.
    pub(crate) async fn released(mut self) {
        self.0.closed().await;
    }
}
