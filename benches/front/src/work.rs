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
    /// The same, each on a connection of its own.
    Connect,
    /// Answers of 1 MiB.
    Down,
    /// Requests of 1 MiB.
    Up,
    /// What it adds to a request, on one connection.
    Latency,
    /// What idle connections take, and cost the others. Ours alone.
    Idle,
    /// What ten thousand routes cost. Ours alone.
    Routes,
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
            Self::Connect => "requests over HTTP/1.1 without TLS, a connection each, 64 at a time",
            Self::Down => "answers of 1 MiB over HTTP/1.1 without TLS, 64 connections",
            Self::Up => "requests of 1 MiB over HTTP/1.1 without TLS, 64 connections",
            Self::Latency => "one connection, a request at a time",
            Self::Idle => "idle connections",
            Self::Routes => "routes",
        }
    }
}
