//! The files of the mounted volume, `$DATA_DIR` (default `/data`).

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

/// Replaces a file's text and syncs it.
pub(crate) fn write(name: &str, text: &str) -> io::Result<String> {
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).open(path(name)?)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok("written\n".to_owned())
}

/// Adds to a file and syncs it.
pub(crate) fn append(name: &str, text: &str) -> io::Result<String> {
    let mut file = OpenOptions::new().create(true).append(true).open(path(name)?)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok("written\n".to_owned())
}

/// A file's text.
pub(crate) fn read(name: &str) -> io::Result<String> {
    std::fs::read_to_string(path(name)?)
}

/// Takes an exclusive lock on a file, for as long as it stays open; an error when somebody has it.
pub(crate) fn lock(name: &str) -> io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path(name)?)?;
    file.try_lock()?;
    Ok(file)
}

fn path(name: &str) -> io::Result<PathBuf> {
    let is_plain = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if !is_plain {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a file name is letters, digits, - and _"));
    }
    let directory = std::env::var("DATA_DIR").unwrap_or_else(|_| "/data".to_owned());
    Ok(PathBuf::from(directory).join(name))
}
