//! HTTPS by `curl`, the client people have.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::command::program;

/// A client of the proxy's TLS port that trusts one root.
#[derive(Debug, Clone)]
pub struct Https {
    port: u16,
    root: PathBuf,
    /// The same for a client of HTTP/2 that is not `curl`.
    tls: Arc<ClientConfig>,
}

/// What `curl` got.
#[derive(Debug, Clone)]
pub struct HttpsAnswer {
    /// The status code.
    pub status: u16,
    /// `1.1` or `2`.
    pub version: String,
    /// The body as text.
    pub text: String,
}

impl Https {
    pub(crate) fn new(port: u16, directory: &Path, root: &str) -> Self {
        let path = directory.join(format!("root-{}.pem", rand::random::<u32>()));
        fs::write(&path, root).expect("a root can be written");
        Self { port, root: path, tls: Arc::new(http2_config(root)) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn tls(&self) -> &Arc<ClientConfig> {
        &self.tls
    }

    /// GET of a path at a host. `Err` is what `curl` says: no connection, or a certificate it does not accept.
    pub fn get(&self, host: &str, path: &str) -> Result<HttpsAnswer, String> {
        let mut curl = program("curl");
        curl.args([
            "--silent",
            "--show-error",
            "--max-time",
            "30",
            "--write-out",
            "\n%{http_code} %{http_version}",
        ])
        .arg("--cacert")
        .arg(&self.root)
        .arg("--resolve")
        .arg(format!("{host}:{}:127.0.0.1", self.port))
        .arg(format!("https://{host}:{}{path}", self.port));
        let output = curl.output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        let whole = String::from_utf8_lossy(&output.stdout).into_owned();
        let (text, last) = whole.rsplit_once('\n').ok_or("curl wrote nothing")?;
        let (status, version) = last.split_once(' ').ok_or("curl wrote no status")?;
        let status = status.parse().map_err(|_| "curl wrote no status".to_owned())?;
        Ok(HttpsAnswer { status, version: version.to_owned(), text: text.to_owned() })
    }
}

fn http2_config(root: &str) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(root.as_bytes()) {
        roots.add(certificate.expect("a certificate in PEM")).expect("a root that can be trusted");
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("the versions of TLS that ring knows");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}
