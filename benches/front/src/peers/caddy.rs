use std::path::PathBuf;

use paas_program::{Program, Stream};

use super::{Site, free, write};
use crate::{UPLOADS, error::BenchError, server::Server};

pub(super) async fn start(directory: PathBuf, site: &Site<'_>) -> Result<Server, BenchError> {
    let (http, https) = (free()?, free()?);
    let chain = write(directory.join("chain.pem"), &site.certificate.chain)?;
    let key = write(directory.join("key.pem"), &site.certificate.key)?;
    let settings = format!(
        "{{
  admin off
  auto_https off
  log {{
    output discard
  }}
  servers {{
    protocols h1 h2
  }}
}}
http://:{http} {{
  bind 127.0.0.1
  @uploads host {UPLOADS}
  reverse_proxy @uploads {uploads}
  reverse_proxy {backend}
}}
https://:{https} {{
  bind 127.0.0.1
  tls {chain} {key}
  reverse_proxy {backend}
}}\n",
        http = http.port(),
        https = https.port(),
        backend = site.backend,
        uploads = site.uploads,
        chain = chain.display(),
        key = key.display(),
    );
    let file = write(directory.join("Caddyfile"), &settings)?;
    let program = Program::new("caddy")
        .arg("run")
        .arg("--adapter")
        .arg("caddyfile")
        .arg("--config")
        .value(file)
        .env("HOME", &directory)
        .env("GOMAXPROCS", site.threads.to_string())
        .stderr(Stream::Null);
    Server::start("caddy", http, https, &program).await
}
