use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

use crate::{config::AdminSocket, error::ProxyError};

/// The admin socket. It has two names: the one everybody knows, which the newest process has, and one of its own, by which a
/// process that only drains is found. Its files are removed when this is dropped, unless another process has put its own there.
#[derive(Debug)]
pub(crate) struct AdminListener {
    pub(crate) listener: UnixListener,
    path: PathBuf,
    own: PathBuf,
    inode: u64,
}

impl AdminListener {
    /// Makes the socket in the place of one that nobody answers on any more.
    pub(crate) async fn bind(socket: &AdminSocket) -> Result<Self, ProxyError> {
        if UnixStream::connect(&socket.path).await.is_ok() {
            return Err(ProxyError::AlreadyRunning { path: socket.path.clone() });
        }
        Self::replace(socket)
    }

    /// Makes the socket in the place of whoever has it: the next command arrives here. There is no moment without a socket.
    pub(crate) fn replace(socket: &AdminSocket) -> Result<Self, ProxyError> {
        make(socket).map_err(|source| ProxyError::Admin { path: socket.path.clone(), source })
    }

    pub(crate) fn names(&self) -> Names {
        Names { path: self.path.clone(), own: self.own.clone() }
    }
}

impl Drop for AdminListener {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.own);
        if fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Bound under another name and renamed, so that nobody can connect before the mode and the group are right, and nobody takes
/// a socket that is being made for one that is dead.
fn make(socket: &AdminSocket) -> io::Result<AdminListener> {
    let own = beside(&socket.path, &format!("{:016x}", rand::random::<u64>()));
    let temporary = beside(&own, "new");
    let listener = UnixListener::bind(&temporary)?;
    if socket.group.is_some() {
        chown(&temporary, None, socket.group)?;
    }
    fs::set_permissions(&temporary, fs::Permissions::from_mode(socket.mode))?;
    let inode = fs::symlink_metadata(&temporary)?.ino();
    fs::hard_link(&temporary, &own)?;
    fs::rename(&temporary, &socket.path)?;
    Ok(AdminListener { listener, path: socket.path.clone(), own, inode })
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(".");
    name.push(end);
    PathBuf::from(name)
}

/// The names of the admin sockets: of this process, and of those before it.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    path: PathBuf,
    own: PathBuf,
}

impl Names {
    /// Gives this process the name again that everybody knows: the one that had taken it has ended.
    pub(crate) fn reclaim(&self) -> io::Result<()> {
        let temporary = beside(&self.own, "new");
        fs::hard_link(&self.own, &temporary)?;
        fs::rename(&temporary, &self.path)?;
        // A rename onto the same file leaves both.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The sockets of the other processes that answer: those that took requests before this one and still drain. The files of
    /// those that died are removed.
    pub(crate) async fn others(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for path in self.named().unwrap_or_default() {
            match UnixStream::connect(&path).await {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    let _ = fs::remove_file(&path);
                }
                // It ended this moment.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // Also when it cannot be asked now: whoever asks sees why.
                Ok(_) | Err(_) => found.push(path),
            }
        }
        found
    }

    fn named(&self) -> io::Result<Vec<PathBuf>> {
        let (Some(directory), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Ok(Vec::new());
        };
        let mut prefix = OsString::from(name);
        prefix.push(".");
        let is_own_name = |name: OsString| {
            let rest = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
            rest.is_some_and(|rest| rest.len() == 16 && rest.iter().all(u8::is_ascii_hexdigit))
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if is_own_name(entry.file_name()) && entry.path() != self.own {
                paths.push(entry.path());
            }
        }
        Ok(paths)
    }
}
