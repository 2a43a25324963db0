use std::{error::Error, fmt::Write, io, path::PathBuf, time::Duration};

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("stopped by a signal")]
    Stopped,
    #[error("{0} cannot be used")]
    File(PathBuf, #[source] io::Error),
    #[error("no certificate could be made")]
    Certificate(#[from] rcgen::Error),
    #[error("the client's TLS settings are not usable")]
    Tls(#[from] rustls::Error),
    #[error("a program failed; install nginx-light, haproxy, caddy, nghttp2-client and wrk")]
    Program(#[from] paas_program::ProgramError),
    #[error("the proxy did not take a command")]
    Proxy(#[from] paas_proxy::ProxyClientError),
    #[error("{server} did not answer within {} s; its messages are above", .waited.as_secs())]
    NotReady { server: String, waited: Duration },
    #[error("{0} is gone from /proc: it ended before it was measured")]
    Gone(String),
    #[error("a handshake failed")]
    Handshake(#[source] io::Error),
    #[error("{wanted} handshakes were to be measured, and one was {found:?}")]
    WrongHandshake { wanted: &'static str, found: Option<rustls::HandshakeKind> },
    #[error("{program} reported failed requests or nothing readable:\n{output}")]
    Requests { program: &'static str, output: String },
}

/// An error and everything that led to it, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}
