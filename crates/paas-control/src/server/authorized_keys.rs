use std::{
    fmt::Write as _,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use paas_store::{Key, Store, StoreError};
use thiserror::Error;

const HEAD: &str =
    "# Written by paas; changes here are lost. Use `paas ssh-keys:add` and `paas ssh-keys:remove`.\n";

/// The `authorized_keys` file of the ssh user: each key may run one command of ours and nothing else (sshd(8), "`AUTHORIZED_KEYS` FILE FORMAT").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizedKeys {
    /// The file.
    pub path: PathBuf,
    /// The paas binary.
    pub binary: PathBuf,
    /// Its configuration file, when it is not at the usual place.
    pub config: Option<PathBuf>,
}

/// Why the file could not be written.
#[derive(Debug, Error)]
pub enum RenderKeysError {
    /// The keys could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ssh user's login shell reads the forced command, so only plain paths may stand in it.
    #[error("{} cannot stand in authorized_keys; move it to an absolute path of letters, digits and ./_+-", .0.display())]
    Path(PathBuf),
    /// The file system refused.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl AuthorizedKeys {
    /// Writes the file anew from the store, by a rename, so that sshd never reads half of it.
    pub fn render(&self, store: &Store) -> Result<(), RenderKeysError> {
        let text = self.text(&store.list_keys()?)?;
        self.write(&text).map_err(|source| RenderKeysError::Write { path: self.path.clone(), source })
    }

    fn text(&self, keys: &[Key]) -> Result<String, RenderKeysError> {
        let mut command = plain(&self.binary)?.to_owned();
        if let Some(config) = &self.config {
            command.push_str(" --config ");
            command.push_str(plain(config)?);
        }
        let mut text = HEAD.to_owned();
        for key in keys {
            let (id, public_key) = (key.id, key.public_key.as_str());
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "restrict,pty,command=\"{command} ssh-session --key {id}\" {public_key}");
        }
        Ok(text)
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let directory =
            self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let fresh = self.path.with_added_extension("new");
        // Made anew, never opened: the directory may belong to another user, who could have left a link there.
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&fresh)?;
        file.set_permissions(Permissions::from_mode(0o644))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)?;
        File::open(directory)?.sync_all()
    }
}

fn plain(path: &Path) -> Result<&str, RenderKeysError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "./_+-".contains(c);
    match path.to_str() {
        Some(text) if path.is_absolute() && text.chars().all(is_plain) => Ok(text),
        _ => Err(RenderKeysError::Path(path.to_owned())),
    }
}
