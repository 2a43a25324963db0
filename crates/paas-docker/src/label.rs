//! The labels everything of ours bears in the engine.

use std::collections::{BTreeMap, HashMap};

/// The random id of this installation. What lacks it, or has another, is never touched.
pub const INSTANCE: &str = "dev.paas.instance";
/// The numeric id of the app.
pub const APP: &str = "dev.paas.app";
/// On containers: the row id.
pub const CONTAINER: &str = "dev.paas.container";
/// On containers: the deploy's id.
pub const DEPLOY: &str = "dev.paas.deploy";

/// Labels as the engine returns them.
pub(crate) type EngineLabels = HashMap<String, String>;

/// Whether labels as the engine returned them say "made by this instance".
pub(crate) fn is_ours(labels: Option<&EngineLabels>, instance: &str) -> bool {
    labels.and_then(|labels| labels.get(INSTANCE)).is_some_and(|found| found == instance)
}

/// The labels to send: the given ones and always the instance's.
pub(crate) fn with_instance(labels: &BTreeMap<String, String>, instance: &str) -> EngineLabels {
    let mut all: EngineLabels = labels.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    all.insert(INSTANCE.to_owned(), instance.to_owned());
    all
}

/// Labels in our order.
pub(crate) fn sorted(labels: Option<EngineLabels>) -> BTreeMap<String, String> {
    labels.unwrap_or_default().into_iter().collect()
}

/// The engine's list filter for things of this instance.
pub(crate) fn filter(instance: &str) -> HashMap<String, Vec<String>> {
    HashMap::from([("label".to_owned(), vec![format!("{INSTANCE}={instance}")])])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_instance_is_ours() {
        let labels = with_instance(&BTreeMap::from([(APP.to_owned(), "7".to_owned())]), "me");
        assert!(is_ours(Some(&labels), "me"));
        assert!(!is_ours(Some(&labels), "you"));
        assert!(!is_ours(None, "me"));
        assert_eq!(labels.get(APP).map(String::as_str), Some("7"));
    }

    #[test]
    fn a_caller_cannot_replace_the_instance_label() {
        let labels = with_instance(&BTreeMap::from([(INSTANCE.to_owned(), "you".to_owned())]), "me");
        assert!(is_ours(Some(&labels), "me"));
    }
}
