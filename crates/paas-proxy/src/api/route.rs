use serde::{Deserialize, Serialize};

/// A path of a host that leads to a service, whichever service the rest of the host leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct PathRoute {
    /// A host as in [`ServiceSpec::hosts`](super::ServiceSpec::hosts).
    pub host: String,
    /// Begins with `/` and does not end with one; whole segments, compared byte for byte: `/blog` takes `/blog`, `/blog/x` and
    /// `/blog?x`, not `/blogs`. The longest prefix of a host wins.
    pub prefix: String,
    /// Whether the target gets the path without the prefix. It is told of it in `X-Forwarded-Prefix`.
    #[serde(default)]
    pub strip: bool,
}

/// A host whose visitors are sent to the same path of another host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct HostRedirect {
    /// A host as in [`ServiceSpec::hosts`](super::ServiceSpec::hosts), in place of one there.
    pub host: String,
    /// The host to go to, without a port.
    pub to: String,
    /// 301, 302, 307 or 308.
    #[serde(default = "permanent")]
    pub status: u16,
}

fn permanent() -> u16 {
    308
}
