use paas_domain::Declared;
use paas_store::{App, Store, StoreError};

/// What the repository says, as the release that serves has it; nothing before the first deploy.
pub(super) fn declared(store: &Store, app: &App) -> Result<Declared, StoreError> {
    match app.release {
        Some(release) => Ok(store.get_release(release)?.spec.declared),
        None => Ok(Declared::default()),
    }
}
