use rustls::RootCertStore;

use super::AcmeSettingsError;
use crate::pem;

/// The roots that may have signed the directory's own certificate: those of the bundle alone, or the system's.
pub(crate) fn load(bundle: Option<&str>) -> Result<RootCertStore, AcmeSettingsError> {
    match bundle {
        Some(bundle) => of_bundle(bundle),
        None => of_system(),
    }
}

fn of_bundle(bundle: &str) -> Result<RootCertStore, AcmeSettingsError> {
    let mut roots = RootCertStore::empty();
    for certificate in pem::certificates(bundle).map_err(AcmeSettingsError::Root)? {
        roots.add(certificate).map_err(|_| AcmeSettingsError::Root(crate::PairError::NotCertificate))?;
    }
    Ok(roots)
}

fn of_system() -> Result<RootCertStore, AcmeSettingsError> {
    let mut roots = RootCertStore::empty();
    // A single file that cannot be read matters only when nothing is left.
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 { Err(AcmeSettingsError::NoSystemRoots) } else { Ok(roots) }
}
