use std::fs::File;
use std::io;
use std::process::Stdio;

/// What a standard stream of a child is connected to.
#[derive(Debug)]
pub enum Stream {
    /// `/dev/null`.
    Null,
    /// The same as ours.
    Inherit,
    /// A pipe to us.
    Piped,
    /// An open file, pipe or socket.
    File(File),
}

impl Stream {
    pub(crate) fn to_stdio(&self) -> io::Result<Stdio> {
        Ok(match self {
            Self::Null => Stdio::null(),
            Self::Inherit => Stdio::inherit(),
            Self::Piped => Stdio::piped(),
            Self::File(file) => file.try_clone()?.into(),
        })
    }
}
