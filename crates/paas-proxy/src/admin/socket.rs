use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

use crate::{config::AdminSocket, error::ProxyError};

/// The admin socket. Its file is removed when this is dropped, unless another process has put its own there.
#[derive(Debug)]
pub(crate) struct AdminListener {
    pub(crate) listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

impl AdminListener {
    /// Makes the socket in the place of one that nobody answers on any more.
    pub(crate) async fn bind(socket: &AdminSocket) -> Result<Self, ProxyError> {
        if UnixStream::connect(&socket.path).await.is_ok() {
            return Err(ProxyError::AlreadyRunning { path: socket.path.clone() });
        }
        bind(socket).map_err(|source| ProxyError::Admin { path: socket.path.clone(), source })
    }
}

impl Drop for AdminListener {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Bound under another name and renamed, so that nobody can connect before the mode and the group are right.
fn bind(socket: &AdminSocket) -> io::Result<AdminListener> {
    let temporary = temporary(&socket.path);
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&temporary)?;
    if socket.group.is_some() {
        chown(&temporary, None, socket.group)?;
    }
    fs::set_permissions(&temporary, fs::Permissions::from_mode(socket.mode))?;
    let inode = fs::symlink_metadata(&temporary)?.ino();
    fs::rename(&temporary, &socket.path)?;
    Ok(AdminListener { listener, path: socket.path.clone(), inode })
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(".new");
    PathBuf::from(name)
}
