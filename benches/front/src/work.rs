use clap::ValueEnum;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    /// Full TLS 1.3 handshakes.
    Full,
    /// Resumed TLS 1.3 handshakes.
    Resumed,
    /// Full TLS 1.2 handshakes.
    Full12,
    /// Resumed TLS 1.2 handshakes.
    Resumed12,
    /// Requests over HTTP/2 and TLS.
    H2,
    /// Requests over HTTP/1.1, not encrypted.
    H1,
}

impl Work {
    /// The heading of its table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Full => "full TLS 1.3 handshakes",
            Self::Resumed => "resumed TLS 1.3 handshakes",
            Self::Full12 => "full TLS 1.2 handshakes",
            Self::Resumed12 => "resumed TLS 1.2 handshakes",
            Self::H2 => "requests over HTTP/2 and TLS, 64 connections of 16 streams",
            Self::H1 => "requests over HTTP/1.1 without TLS, 64 connections",
        }
    }
}
