use http::{HeaderMap, StatusCode};
use paas_domain::{AppName, KeyId};
use paas_store::{Access, Key};

use super::{failure::Failure, peer::Peer, state::Shared};
use crate::wire::KEY_HEADER;

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// root on the server.
    ServerAdmin,
    /// Someone with an ssh key.
    Key(Key),
}

impl Identity {
    pub(super) fn is_admin(&self) -> bool {
        match self {
            Self::ServerAdmin => true,
            Self::Key(key) => key.access == Access::Admin,
        }
    }

    pub(super) fn may_use(&self, app: &AppName) -> bool {
        match self {
            Self::ServerAdmin => true,
            Self::Key(key) => match &key.access {
                Access::Admin => true,
                Access::Apps(apps) => apps.contains(app),
            },
        }
    }

    /// What a release or a deploy says it was made by.
    pub(super) fn name(&self) -> String {
        match self {
            Self::ServerAdmin => "root".to_owned(),
            Self::Key(key) => key.name.to_string(),
        }
    }
}

/// Asks the kernel first, then the header. Only those who may speak for any key may name one: root and the ssh user, whose sessions sshd has
/// authenticated.
pub(super) async fn identify(shared: &Shared, peer: Peer, headers: &HeaderMap) -> Result<Identity, Failure> {
    let root = peer.uid.is_some_and(|uid| uid == 0 || uid == shared.own_uid);
    let ssh = peer.uid.is_some() && peer.uid == shared.control.ssh_user_uid;
    match headers.get(KEY_HEADER) {
        Some(_) if !root && !ssh => Err(stranger()),
        Some(id) => key(shared, id.to_str().unwrap_or_default()).await,
        None if root => Ok(Identity::ServerAdmin),
        None if ssh => Err(Failure::refused("the ssh user speaks only for a key, and none was named")
            .hint("connect with ssh, or run the command as root")
            .with_status(StatusCode::FORBIDDEN)),
        None => Err(stranger()),
    }
}

async fn key(shared: &Shared, id: &str) -> Result<Identity, Failure> {
    let removed = || {
        Failure::refused("this ssh key was removed from the server, or never added")
            .hint("ask an admin to add it with `ssh-keys:add`")
            .with_status(StatusCode::UNAUTHORIZED)
    };
    let id = KeyId(id.parse().map_err(|_| removed())?);
    let found = shared.store(move |store| store.find_key(id)).await?;
    found.map(Identity::Key).ok_or_else(removed)
}

fn stranger() -> Failure {
    Failure::refused("this user may not talk to paas")
        .hint("run the command as root (sudo), or over ssh with a key the server knows")
        .with_status(StatusCode::FORBIDDEN)
}
