use std::fs;

use paas_program::Program;

use super::{Peer, directory, free, write};
use crate::{error::BenchError, server::Server};

/// What everybody forwards to: one process of nginx that answers every request with two bytes, and keeps connections.
pub(crate) async fn backend() -> Result<Peer, BenchError> {
    let directory = directory()?;
    let path = directory.path();
    let address = free()?;
    let settings = format!(
        "daemon off; worker_processes 1; pid {0}/nginx.pid; error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 60s;
  client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c; uwsgi_temp_path {0}/d; scgi_temp_path {0}/e;
  server {{ listen {address} backlog=4096; location / {{ return 200 \"ok\"; }} location = /mebibyte {{ root {0}; }} }}
}}\n",
        path.display()
    );
    fs::write(path.join("mebibyte"), vec![b'x'; 1 << 20])
        .map_err(|error| BenchError::File(path.join("mebibyte"), error))?;
    let file = write(path.join("nginx.conf"), &settings)?;
    let program = Program::new("nginx").arg("-c").value(file).arg("-p").value(path);
    let server = Server::start("backend", address, address, &program).await?;
    Ok(Peer { server, _directory: directory })
}
