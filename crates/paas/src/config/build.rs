use serde::Deserialize;

use super::size::Size;

/// `[build]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BuildSection {
    /// A build is refused while less than this is free on a disk it fills.
    pub(crate) min_free: Size,
    /// How many releases of an app keep their image.
    pub(crate) keep_releases: usize,
}

impl Default for BuildSection {
    fn default() -> Self {
        Self { min_free: Size::gib(2), keep_releases: 5 }
    }
}
