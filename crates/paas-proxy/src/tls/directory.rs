use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::certificate::{Certificate, InvalidCertificate};
use crate::{
    api::CertificateSpec,
    durable_file::{DurableFile, SaveError},
    host::HostPattern,
    key_pem::KeyPem,
    refusal::with_sources,
};

/// The format this version writes, and the newest it reads.
const FORMAT: u32 = 1;

/// Private keys are for the proxy alone.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// The longest name of a file that any file system takes, and what is put behind a host's while it is written.
const MAX_FILE_NAME: usize = 255;
const LONGEST_SUFFIX: &str = ".json.prev";

/// No host begins with `+`, so no exact host has such a file.
const WILDCARD: &str = "+wildcard.";
const UNKNOWN: &str = "+unknown";

/// One host's file.
#[derive(Serialize, Deserialize)]
pub(super) struct Saved {
    format: u32,
    host: String,
    trusted: bool,
    chain: String,
    key: KeyPem,
}

impl Saved {
    fn certificate(&self) -> Result<Certificate, InvalidCertificate> {
        Certificate::read(&self.chain, &self.key, self.trusted)
    }

    pub(super) fn new(spec: CertificateSpec) -> Self {
        Self { format: FORMAT, host: spec.host, trusted: spec.trusted, chain: spec.chain, key: spec.key }
    }
}

/// Why the certificates could not be loaded.
#[derive(Debug, thiserror::Error)]
#[error("the directory of the certificates, {}, cannot be used; it must belong to the proxy's user", path.display())]
pub struct CertificatesError {
    /// The directory.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// Why one file holds no certificate.
#[derive(Debug, thiserror::Error)]
enum DamagedFile {
    #[error("it cannot be read")]
    Read(#[from] io::Error),
    #[error("it is not whole")]
    Json(#[from] serde_json::Error),
    #[error("it has format {0}, this version reads up to {FORMAT}")]
    Newer(u32),
    #[error("it is the file of another host")]
    Misplaced,
    #[error(transparent)]
    Invalid(#[from] InvalidCertificate),
}

/// The certificates on disk, one file for each host.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    path: PathBuf,
}

/// A certificate as it was found.
pub(super) struct Found {
    pub(super) pattern: HostPattern,
    pub(super) certificate: Certificate,
}

impl Directory {
    /// Makes the directory if it is missing.
    pub(super) fn open(path: PathBuf) -> Result<Self, CertificatesError> {
        match DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(&path) {
            Ok(()) => Ok(Self { path }),
            Err(source) => Err(CertificatesError { path, source }),
        }
    }

    /// Every certificate that can be used. A damaged file gives way to the one before it; one bad file keeps no other down.
    pub(super) fn load(&self) -> Result<Vec<Found>, CertificatesError> {
        let names: Vec<String> = self.names().map_err(|source| self.error(source))?.into_iter().collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = names.len().div_ceil(threads).max(1);
        Ok(std::thread::scope(|scope| {
            let parts: Vec<_> = names
                .chunks(share)
                .map(|names| scope.spawn(|| names.iter().filter_map(|name| self.find(name)).collect()))
                .collect();
            // A part that panicked has no certificates; the others still count.
            parts.into_iter().flat_map(|part| part.join().unwrap_or_else(|_| Vec::new())).collect()
        }))
    }

    /// Whether the host's file is there and good, not only the one before it.
    pub(super) fn is_good(&self, pattern: &HostPattern) -> bool {
        let name = file_name(pattern);
        read(&name, self.file(&name).path()).is_ok_and(|found| found.is_some())
    }

    pub(super) fn save(&self, pattern: &HostPattern, saved: &Saved) -> Result<(), SaveError> {
        write(&self.file(&file_name(pattern)), saved, self.is_good(pattern))
    }

    pub(super) fn remove(&self, pattern: &HostPattern) -> Result<(), SaveError> {
        self.file(&file_name(pattern)).remove()
    }

    /// The certificate for names that have none.
    pub(super) fn find_unknown(&self) -> Option<Certificate> {
        let file = self.file(UNKNOWN);
        let found = read_saved(file.path())
            .and_then(|saved| Ok(saved.map(|saved| saved.certificate()).transpose()?));
        found.unwrap_or_else(|error| {
            report(file.path(), &error);
            None
        })
    }

    pub(super) fn save_unknown(&self, saved: &Saved) -> Result<(), SaveError> {
        write(&self.file(UNKNOWN), saved, false)
    }

    /// The file of that name, without its ending.
    fn file(&self, name: &str) -> DurableFile {
        DurableFile::new(self.path.join(format!("{name}.json")), FILE_MODE)
    }

    fn find(&self, name: &str) -> Option<Found> {
        let file = self.file(name);
        if let Some(found) = read_logged(name, file.path()) {
            return Some(found);
        }
        let found = read_logged(name, &file.previous())?;
        tracing::warn!(
            host = %found.pattern,
            "a certificate's file is missing or damaged; using the certificate before it"
        );
        Some(found)
    }

    fn names(&self) -> io::Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let Some(name) = name.to_str() else { continue };
            let name = name.strip_suffix(".prev").unwrap_or(name);
            names.extend(name.strip_suffix(".json").filter(|name| *name != UNKNOWN).map(str::to_owned));
        }
        Ok(names)
    }

    fn error(&self, source: io::Error) -> CertificatesError {
        CertificatesError { path: self.path.clone(), source }
    }
}

/// Whether the host's file can have its name.
pub(super) fn fits_a_file(pattern: &HostPattern) -> bool {
    file_name(pattern).len() + LONGEST_SUFFIX.len() <= MAX_FILE_NAME
}

fn file_name(pattern: &HostPattern) -> String {
    match pattern {
        HostPattern::Exact(host) => host.clone(),
        HostPattern::Wildcard(parent) => format!("{WILDCARD}{parent}"),
    }
}

fn read_logged(name: &str, path: &Path) -> Option<Found> {
    read(name, path).unwrap_or_else(|error| {
        report(path, &error);
        None
    })
}

fn report(path: &Path, error: &DamagedFile) {
    tracing::error!(path = %path.display(), error = with_sources(error), "the file holds no certificate");
}

/// `None` when there is no such file.
fn read(name: &str, path: &Path) -> Result<Option<Found>, DamagedFile> {
    let Some(saved) = read_saved(path)? else { return Ok(None) };
    let pattern = HostPattern::parse(&saved.host).map_err(|_| DamagedFile::Misplaced)?;
    if file_name(&pattern) != name {
        return Err(DamagedFile::Misplaced);
    }
    Ok(Some(Found { pattern, certificate: saved.certificate()? }))
}

fn read_saved(path: &Path) -> Result<Option<Saved>, DamagedFile> {
    let bytes = match fs::read(path) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let saved: Saved = serde_json::from_slice(&bytes)?;
    if saved.format > FORMAT { Err(DamagedFile::Newer(saved.format)) } else { Ok(Some(saved)) }
}

fn write(file: &DurableFile, saved: &Saved, keep_old: bool) -> Result<(), SaveError> {
    let text =
        serde_json::to_vec(saved).map_err(|error| SaveError::new("encode", file.path(), error.into()))?;
    file.replace(&Zeroizing::new(text), keep_old)
}
