use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use paas_domain::AppId;
use paas_proxy::Refusal;

/// What the proxy refused of each app the last time. The reconciler asks every few seconds: the log says it once, and again when it changes.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<HashMap<AppId, Vec<Refusal>>>);

impl Refusals {
    /// Keeps what is refused of the app now, and gives what was not the last time.
    pub(crate) fn replace(&self, app: AppId, now: &[Refusal]) -> Vec<Refusal> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = if now.is_empty() { all.remove(&app) } else { all.insert(app, now.to_vec()) };
        let before = before.unwrap_or_default();
        now.iter().filter(|refusal| !before.contains(refusal)).cloned().collect()
    }
}
