use std::path::PathBuf;

use paas_program::Program;

use super::{Site, free, write};
use crate::{UPLOADS, error::BenchError, server::Server};

pub(super) async fn start(directory: PathBuf, site: &Site<'_>) -> Result<Server, BenchError> {
    let (http, https) = (free()?, free()?);
    let chain = write(directory.join("chain.pem"), &site.certificate.chain)?;
    let key = write(directory.join("key.pem"), &site.certificate.key)?;
    let settings = format!(
        "daemon off; worker_processes {threads}; pid {0}/nginx.pid; error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 100000000; client_max_body_size 0;
  client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c; uwsgi_temp_path {0}/d; scgi_temp_path {0}/e;
  upstream backend {{ server {backend}; keepalive 1024; keepalive_requests 100000000; }}
  upstream uploads {{ server {uploads}; keepalive 1024; keepalive_requests 100000000; }}
  map $host $to {{ default backend; {UPLOADS} uploads; }}
  server {{
    listen {http} backlog=4096; listen {https} ssl http2 backlog=4096;
    ssl_certificate {chain}; ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on; ssl_session_cache shared:tls:10m;
    location / {{
      proxy_pass http://$to; proxy_request_buffering off; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host $host;
      proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Request-ID $request_id;
    }}
  }}
}}\n",
        directory.display(),
        threads = site.threads,
        backend = site.backend,
        uploads = site.uploads,
        chain = chain.display(),
        key = key.display(),
    );
    let file = write(directory.join("nginx.conf"), &settings)?;
    let program = Program::new("nginx").arg("-c").value(file).arg("-p").value(directory);
    Server::start("nginx", http, https, &program).await
}
