use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use paas_program::{Program, Stream};
use paas_proxy::{
    CertificateSpec, HttpsPolicy, ProxyClient, ServiceSpec, ServiceState, TargetProtocol, TargetSpec,
};
use tempfile::TempDir;

use super::{Site, directory, free};
use crate::{HOST, UPLOADS, certificate::Certificate, error::BenchError, server::Server};

/// Our proxy alone, as a process of its own.
pub(crate) struct Ours {
    pub(crate) server: Server,
    pub(crate) client: ProxyClient,
    pub(crate) directory: TempDir,
}

impl Ours {
    /// Starts it and has it serve the site.
    pub(crate) async fn start(name: &str, file: &Path, site: &Site<'_>) -> Result<Self, BenchError> {
        let ours = Self::empty(name, file).await?;
        ours.put_certificate(HOST, site.certificate).await?;
        ours.client.put_service(&service(site.backend)).await?;
        let uploads =
            TargetSpec { id: "uploads".to_owned(), address: site.uploads, protocol: TargetProtocol::Http1 };
        let uploads = ServiceSpec {
            name: "uploads".to_owned(),
            hosts: vec![UPLOADS.to_owned()],
            targets: vec![uploads],
            ..service(site.backend)
        };
        ours.client.put_service(&uploads).await?;
        Ok(ours)
    }

    /// Starts it and has it serve the site without encryption.
    pub(crate) async fn small(name: &str, file: &Path, backend: SocketAddr) -> Result<Self, BenchError> {
        let ours = Self::empty(name, file).await?;
        ours.client.put_service(&service(backend)).await?;
        Ok(ours)
    }

    /// Starts it with nothing to serve.
    pub(crate) async fn empty(name: &str, file: &Path) -> Result<Self, BenchError> {
        Self::start_in(directory()?, name, file).await
    }

    /// Ends it and starts it again with what it has on disk.
    pub(crate) async fn restart(self, file: &Path) -> Result<Self, BenchError> {
        let Self { server, directory, .. } = self;
        let name = server.name.clone();
        drop(server);
        Self::start_in(directory, &name, file).await
    }

    /// The same; says how long it took from the start of the process until this host had an answer of its target.
    pub(crate) async fn timed_restart(self, file: &Path, host: &str) -> Result<(Self, Duration), BenchError> {
        let Self { server, directory, client } = self;
        let name = server.name.clone();
        drop(server);
        let (http, https) = (free()?, free()?);
        let program = program(file, directory.path(), http, https);
        let (server, took) = Server::timed_start(&name, http, https, &program, host).await?;
        Ok((Self { server, client, directory }, took))
    }

    async fn start_in(directory: TempDir, name: &str, file: &Path) -> Result<Self, BenchError> {
        let (http, https) = (free()?, free()?);
        let program = program(file, directory.path(), http, https);
        let server = Server::start(name, http, https, &program).await?;
        Ok(Self { server, client: ProxyClient::new(admin(directory.path())), directory })
    }

    pub(crate) async fn put_certificate(
        &self,
        host: &str,
        certificate: &Certificate,
    ) -> Result<(), BenchError> {
        let spec = CertificateSpec {
            host: host.to_owned(),
            chain: certificate.chain.clone(),
            key: certificate.key.clone().into(),
            trusted: true,
        };
        self.client.put_certificate(&spec).await?;
        Ok(())
    }
}

fn admin(directory: &Path) -> PathBuf {
    directory.join("admin.sock")
}

fn program(file: &Path, directory: &Path, http: SocketAddr, https: SocketAddr) -> Program {
    Program::at(file)
        .value(directory)
        .value(http.to_string())
        .value(https.to_string())
        .value(admin(directory))
        .stdout(Stream::Null)
}

pub(crate) fn service(backend: SocketAddr) -> ServiceSpec {
    ServiceSpec {
        name: "bench".to_owned(),
        hosts: vec![HOST.to_owned()],
        targets: vec![TargetSpec {
            id: "backend".to_owned(),
            address: backend,
            protocol: TargetProtocol::Http1,
        }],
        state: ServiceState::Serving,
        // Requests over HTTP are to be forwarded as everybody else does it.
        https: HttpsPolicy { redirect: false, hsts_seconds: None },
        ..ServiceSpec::default()
    }
}
