use std::{
    fmt, io,
    os::{fd::OwnedFd, unix::net::UnixStream},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{
    channel::Channel,
    error::HandOverError,
    message::{Given, Go, Prepared, Started},
    sockets::Socket,
};
use crate::{admin::Names, challenge::Challenges, config::HandOver, registry::Registry, tls::Certificates};

/// How another proxy is started, and who is told of it.
pub trait Successor: fmt::Debug + Send + Sync {
    /// Starts a proxy that takes over from `socket` ([`HandOver::predecessor`](crate::HandOver::predecessor)). Called where
    /// it may block for a moment.
    fn start(&self, socket: OwnedFd) -> io::Result<()>;

    /// The process `pid` has taken over: requests and commands go to it, and this process only drains.
    fn took_over(&self, pid: u32);

    /// The process `pid` was told to begin and hangs. Ends it at once, in a way it cannot put off: it has the sockets, and must not
    /// come to itself beside this process, which goes on. It still runs, so that `pid` is nobody else's.
    fn hangs(&self, pid: u32);
}

/// Gives the sockets to a successor, once.
#[derive(Debug)]
pub(crate) struct Giver {
    successor: Option<Arc<dyn Successor>>,
    /// For each of its two answers.
    patience: Duration,
    sockets: Mutex<Vec<Socket>>,
    one_at_a_time: tokio::sync::Mutex<()>,
    /// The names of our admin socket, once there is one.
    names: OnceLock<Names>,
    /// Kept open for as long as this process reads UDP sockets.
    channel: Mutex<Option<Channel>>,
    /// Fires when another process has taken over.
    pub(crate) moved: CancellationToken,
}

impl Giver {
    pub(crate) fn new(config: &HandOver, sockets: Vec<Socket>) -> Self {
        let successor = config.successor.clone();
        // What nobody can be given need not be kept open.
        let sockets = if successor.is_some() { sockets } else { Vec::new() };
        Self {
            successor,
            patience: config.patience,
            sockets: Mutex::new(sockets),
            one_at_a_time: tokio::sync::Mutex::default(),
            names: OnceLock::new(),
            channel: Mutex::default(),
            moved: CancellationToken::new(),
        }
    }

    /// Starts a successor and gives it everything; gives its process id. When it fails, nothing has changed.
    pub(crate) async fn hand_over(
        &self,
        registry: &Registry,
        certificates: &Certificates,
        challenges: &Challenges,
    ) -> Result<u32, HandOverError> {
        let successor = self.successor.clone().ok_or(HandOverError::NotPossible)?;
        let _one_at_a_time = self.one_at_a_time.try_lock().map_err(|_| HandOverError::UnderWay)?;
        if self.moved.is_cancelled() {
            return Err(HandOverError::UnderWay);
        }
        let (table, certificates) = (registry.hold().await, certificates.hold().await);
        let (ours, theirs) = UnixStream::pair().map_err(HandOverError::Channel)?;
        let mut channel = Channel::new(ours).map_err(HandOverError::Channel)?;
        let next = Arc::clone(&successor);
        let started = tokio::task::spawn_blocking(move || next.start(theirs.into())).await;
        started.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(HandOverError::Start)?;
        let prepared = timeout(self.patience, self.prepare(&mut channel, challenges)).await;
        let pid = prepared.map_err(|_| HandOverError::TimedOut { after: self.patience })??;
        if let Err(error) = self.begin(&mut channel, successor.as_ref(), pid).await {
            self.reclaim();
            return Err(error);
        }
        table.give_away();
        certificates.give_away();
        *lock(&self.channel) = Some(channel);
        lock(&self.sockets).clear();
        successor.took_over(pid);
        self.moved.cancel();
        Ok(pid)
    }

    async fn prepare(&self, channel: &mut Channel, challenges: &Challenges) -> Result<u32, HandOverError> {
        let sockets: io::Result<Vec<Socket>> = lock(&self.sockets)
            .iter()
            .map(|socket| Socket::copy_of(socket.role, &socket.descriptor))
            .collect();
        let sockets = sockets.map_err(HandOverError::Channel)?;
        let given = Given {
            roles: sockets.iter().map(|socket| socket.role).collect(),
            challenges: challenges.list(),
        };
        let exchange = async {
            channel.send_sockets(&sockets).await?;
            channel.send(&given).await?;
            channel.receive::<Prepared>().await
        };
        match exchange.await.map_err(HandOverError::Channel)? {
            Prepared::As { pid } => Ok(pid),
            Prepared::Failed { why } => Err(HandOverError::Refused { why }),
        }
    }

    /// Returns when the successor serves. When this fails, it has ended.
    async fn begin(
        &self,
        channel: &mut Channel,
        successor: &dyn Successor,
        pid: u32,
    ) -> Result<(), HandOverError> {
        let begun = async {
            channel.send(&Go {}).await?;
            channel.receive::<Started>().await
        };
        if let Ok(begun) = timeout(self.patience, begun).await {
            return begun.map(|Started {}| ()).map_err(HandOverError::Channel);
        }
        tracing::error!(pid, "the new proxy hangs and is ended");
        successor.hangs(pid);
        // What it leaves behind is put right when it is gone. It cannot put that off, but commands do not depend on it.
        let _ = timeout(self.patience, channel.closed()).await;
        Err(HandOverError::Stuck { after: self.patience })
    }

    pub(crate) fn know(&self, names: Names) {
        // Known once: a process has one admin socket.
        let _ = self.names.set(names);
    }

    /// The successor may have had the admin socket's name already.
    fn reclaim(&self) {
        if let Some(Err(error)) = self.names.get().map(Names::reclaim) {
            tracing::error!(%error, "the admin socket has lost its name; restart the proxy");
        }
    }

    /// Nothing is given away any more.
    pub(crate) fn close(&self) {
        lock(&self.sockets).clear();
    }

    /// The successor may read the UDP sockets.
    pub(crate) fn release(&self) {
        lock(&self.channel).take();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
