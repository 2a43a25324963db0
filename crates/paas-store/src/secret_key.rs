use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use thiserror::Error;
use zeroize::{Zeroize as _, ZeroizeOnDrop};

const BYTES: usize = 32;

/// The key all values are sealed with: 256 random bits in a file of their own, `/var/lib/paas/secret.key`. Wiped from memory when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SecretKey([u8; BYTES]);

/// Why there is no key to work with.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SecretKeyError {
    /// The file system refused.
    #[error("the secret key {} cannot be used", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others may read it.
    #[error("the secret key {} can be read by others (mode {mode:o}); if nobody has, `chmod 600 {}`", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is not a key.
    #[error("{} is not a secret key: it must hold 32 bytes that are not all zero; restore it from a backup, without it no config value can be read", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

impl SecretKey {
    /// Makes a new random key; the file must not exist. It is on the disk when this returns, mode 0600.
    pub fn create(path: &Path) -> Result<Self, SecretKeyError> {
        let failed = |source| SecretKeyError::Io { path: path.to_owned(), source };
        let key = Self(rand::random());
        // Written beside and linked into place: a crash never leaves half a key under the name.
        let fresh = path.with_extension("key.new");
        match std::fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(failed)?;
        file.write_all(&key.0).and_then(|()| file.sync_all()).map_err(failed)?;
        let linked = std::fs::hard_link(&fresh, path);
        std::fs::remove_file(&fresh).map_err(failed)?;
        linked.map_err(failed)?;
        sync_parent(path).map_err(failed)?;
        Ok(key)
    }

    /// Reads a key. One that others may read, or that is not a key, is refused.
    pub fn load(path: &Path) -> Result<Self, SecretKeyError> {
        let failed = |source| SecretKeyError::Io { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SecretKeyError::Exposed { path: path.to_owned(), mode });
        }
        let mut bytes = Vec::with_capacity(BYTES + 1);
        (&mut file).take(BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
        let key: Result<[u8; BYTES], _> = bytes.as_slice().try_into();
        bytes.zeroize();
        match key {
            Ok(key) if key != [0; BYTES] => Ok(Self(key)),
            _ => Err(SecretKeyError::Malformed { path: path.to_owned() }),
        }
    }

    /// Reads the key, or makes one where there is no file.
    pub fn load_or_create(path: &Path) -> Result<Self, SecretKeyError> {
        match Self::create(path) {
            Err(SecretKeyError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
                Self::load(path)
            }
            made => made,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(hidden)")
    }
}

/// After a rename or a new name: the directory itself must be on the disk.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        let key = SecretKey::load_or_create(&path).unwrap();
        assert_eq!(SecretKey::load_or_create(&path).unwrap().bytes(), key.bytes());
        assert!(SecretKey::create(&path).is_err(), "a key is never replaced");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let other = SecretKey::create(&dir.path().join("other.key")).unwrap();
        assert_ne!(other.bytes(), key.bytes());
    }

    #[test]
    fn exposed_and_malformed_keys_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        SecretKey::create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(SecretKey::load(&path).unwrap_err().to_string().contains("chmod 600"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for bad in [vec![], vec![0; 32], vec![1; 31], vec![1; 33]] {
            fs::write(&path, bad).unwrap();
            assert!(matches!(SecretKey::load(&path), Err(SecretKeyError::Malformed { .. })));
        }
    }
}
