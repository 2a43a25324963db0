use std::path::PathBuf;

use paas_program::Program;

use super::{Site, free, write};
use crate::{UPLOADS, error::BenchError, server::Server};

pub(super) async fn start(directory: PathBuf, site: &Site<'_>) -> Result<Server, BenchError> {
    let (http, https) = (free()?, free()?);
    let both = format!("{}{}", site.certificate.chain, site.certificate.key);
    let certificate = write(directory.join("site.pem"), &both)?;
    let settings = format!(
        "global
  nbthread {threads}
  maxconn 8192
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind {http} backlog 4096
  bind {https} backlog 4096 ssl crt {certificate} alpn h2,http/1.1
  option forwardfor
  http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
  http-request set-header X-Request-ID %[uuid]
  use_backend uploads if {{ hdr_beg(host) -i {UPLOADS} }}
  default_backend backend
backend uploads
  http-reuse always
  server uploads {uploads}
backend backend
  http-reuse always
  server backend {backend}\n",
        threads = site.threads,
        backend = site.backend,
        uploads = site.uploads,
        certificate = certificate.display(),
    );
    let file = write(directory.join("haproxy.cfg"), &settings)?;
    let program = Program::new("haproxy").arg("-db").arg("-f").value(file);
    Server::start("haproxy", http, https, &program).await
}
