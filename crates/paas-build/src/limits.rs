/// What a pushed tree may cost. A few kilobytes of git objects can describe billions of files, so every walk counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files, links and directories looked at.
    pub entries: u64,
    /// Directories inside one another.
    pub depth: usize,
    /// Bytes of one path; below Linux's `PATH_MAX` with room for the directory it is unpacked in.
    pub path_bytes: usize,
    /// Bytes of one file. A packed file is in memory while it is sent.
    pub file_bytes: u64,
    /// Bytes of all files together.
    pub total_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 1_000_000,
            depth: 128,
            path_bytes: 3_500,
            file_bytes: 128 << 20,
            total_bytes: 8 << 30,
        }
    }
}

/// Bytes of a file that is read as a whole because it says something about the build: a Dockerfile, a `Procfile`, …
pub(crate) const TEXT_BYTES: u64 = 1 << 20;

/// Bytes of a symbolic link's target; Linux allows no more.
pub(crate) const LINK_BYTES: u64 = 4_095;
