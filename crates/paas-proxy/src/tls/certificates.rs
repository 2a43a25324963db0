use std::{net::IpAddr, path::PathBuf, sync::Arc};

use arc_swap::{ArcSwap, Guard};

use super::{
    certificate::Certificate,
    directory::{Directory, Saved, fits_a_file},
    table::CertificateTable,
    unknown,
};
use crate::{
    api::{CertificateEnd, CertificateOutcome, CertificateSpec, CertificateStatus},
    error::ProxyError,
    host::HostPattern,
    refusal::Refusal,
    turn::{Held, Turn},
};

/// The certificates in force. Handshakes read them without a lock; commands change them one at a time, and no open connection
/// notices.
#[derive(Debug)]
pub(crate) struct Certificates {
    table: ArcSwap<CertificateTable>,
    directory: Directory,
    unknown: Certificate,
    commands: Turn,
}

impl Certificates {
    /// Reads every certificate from its file.
    pub(crate) fn load(path: PathBuf) -> Result<Self, ProxyError> {
        let directory = Directory::open(path)?;
        let mut table = CertificateTable::default();
        for found in directory.load()? {
            table.insert(found.pattern, found.certificate);
        }
        let unknown = unknown::certificate(&directory)?;
        tracing::info!(certificates = table.len(), "the certificates are loaded");
        Ok(Self { table: ArcSwap::from_pointee(table), directory, unknown, commands: Turn::default() })
    }

    /// The certificates in force.
    pub(crate) fn table(&self) -> Guard<Arc<CertificateTable>> {
        self.table.load()
    }

    /// What names without a certificate, and clients that send no name, are answered with.
    pub(crate) fn unknown(&self) -> &Certificate {
        &self.unknown
    }

    /// Puts a certificate in force. On disk before it is in force, and in force before this returns.
    pub(crate) async fn put(&self, spec: CertificateSpec) -> Result<CertificateOutcome, Refusal> {
        let pattern = named_host(&spec.host)?;
        let certificate =
            Certificate::read(&spec.chain, &spec.key, spec.trusted).map_err(|error| Refusal::of(&error))?;
        let _one_at_a_time = self.commands.take().await?;
        let in_force = self.table().get(&pattern).is_some_and(|found| found.is_same(&certificate));
        let (directory, host) = (self.directory.clone(), pattern.clone());
        let changed = blocking(move || {
            // What is in force may be the one before a damaged file.
            if in_force && directory.is_good(&host) {
                return Ok(false);
            }
            let spec = CertificateSpec { host: host.to_string(), ..spec };
            directory.save(&host, &Saved::new(spec)).map(|()| true)
        })
        .await?;
        if changed {
            self.swap(|table| table.insert(pattern, certificate));
        }
        Ok(CertificateOutcome { changed })
    }

    /// Takes a certificate out of force; its name is answered like an unknown one.
    pub(crate) async fn delete(&self, host: &str) -> Result<CertificateOutcome, Refusal> {
        let pattern = named_host(host)?;
        let _one_at_a_time = self.commands.take().await?;
        if self.table().get(&pattern).is_none() {
            return Ok(CertificateOutcome { changed: false });
        }
        let (directory, host) = (self.directory.clone(), pattern.clone());
        blocking(move || directory.remove(&host)).await?;
        self.swap(|table| table.remove(&pattern));
        Ok(CertificateOutcome { changed: true })
    }

    /// Every certificate in force, by host.
    pub(crate) fn list(&self) -> Vec<CertificateStatus> {
        let status = |(pattern, certificate): (HostPattern, &Certificate)| CertificateStatus {
            host: pattern.to_string(),
            fingerprint: certificate.fingerprint(),
            not_after: certificate.not_after(),
            trusted: certificate.trusted,
        };
        let mut all: Vec<_> = self.table().iter().map(status).collect();
        all.sort_unstable_by(|one, other| one.host.cmp(&other.host));
        all
    }

    /// Until when every certificate in force is valid, by host.
    pub(crate) fn ends(&self) -> Vec<CertificateEnd> {
        let end = |(pattern, certificate): (HostPattern, &Certificate)| CertificateEnd {
            host: pattern.to_string(),
            not_after: certificate.not_after(),
        };
        let mut all: Vec<_> = self.table().iter().map(end).collect();
        all.sort_unstable_by(|one, other| one.host.cmp(&other.host));
        all
    }

    /// No command changes anything while this is held.
    pub(crate) async fn hold(&self) -> Held<'_> {
        self.commands.hold().await
    }

    /// Waits until no command is being carried out.
    pub(crate) async fn settle(&self) {
        drop(self.commands.hold().await);
    }

    fn swap(&self, change: impl FnOnce(&mut CertificateTable)) {
        let mut table = CertificateTable::clone(&self.table());
        change(&mut table);
        self.table.store(Arc::new(table));
    }
}

/// Reads the host of a command: a name, whose file can have that name.
pub(crate) fn named_host(host: &str) -> Result<HostPattern, Refusal> {
    let pattern = HostPattern::parse(host).map_err(|_| Refusal::not_a_host(host))?;
    match &pattern {
        HostPattern::Exact(name) if name.parse::<IpAddr>().is_ok() => Err(Refusal::invalid(format!(
            "{name} is an IP address; visitors of one send no name by which its certificate could be chosen, so give the app a name"
        ))),
        _ if !fits_a_file(&pattern) => {
            Err(Refusal::invalid(format!("`{pattern}` is too long for a file's name; use a shorter host")))
        }
        _ => Ok(pattern),
    }
}

async fn blocking<T: Send + 'static>(
    write: impl FnOnce() -> Result<T, crate::durable_file::SaveError> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(write).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Refusal::not_durable("the certificate", &error)),
        Err(error) => Err(Refusal::not_durable("the certificate", &error)),
    }
}
