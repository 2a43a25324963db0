use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use paas_domain::AppId;
use paas_git::DeployBranch;

/// Pushes remembered at once; far more than can be under way.
const MOST: usize = 1024;

/// Which push is of which app, so that only those who may use the app can cancel it or say that it arrived.
#[derive(Debug, Default)]
pub(super) struct PushRegistry(Mutex<Pushes>);

#[derive(Debug, Default)]
struct Pushes {
    known: HashMap<String, (AppId, DeployBranch)>,
    oldest_first: VecDeque<String>,
}

impl PushRegistry {
    /// Remembers a push. False when that id is taken: ids are never used twice.
    pub(super) fn add(&self, push: &str, app: AppId, branch: DeployBranch) -> bool {
        let mut pushes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pushes.known.contains_key(push) {
            return false;
        }
        pushes.known.insert(push.to_owned(), (app, branch));
        pushes.oldest_first.push_back(push.to_owned());
        if pushes.oldest_first.len() > MOST
            && let Some(oldest) = pushes.oldest_first.pop_front()
        {
            pushes.known.remove(&oldest);
        }
        true
    }

    /// The app and the branch of a push.
    pub(super) fn find(&self, push: &str) -> Option<(AppId, DeployBranch)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).known.get(push).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_used_once_and_the_oldest_are_forgotten() {
        let registry = PushRegistry::default();
        assert!(registry.add("first", AppId(1), DeployBranch::Main));
        assert!(!registry.add("first", AppId(2), DeployBranch::Main));
        assert_eq!(registry.find("first"), Some((AppId(1), DeployBranch::Main)));
        for n in 0..MOST {
            assert!(registry.add(&n.to_string(), AppId(3), DeployBranch::Master));
        }
        assert_eq!(registry.find("first"), None);
        assert!(registry.find("0").is_some());
    }
}
