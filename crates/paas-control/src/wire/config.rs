use std::collections::BTreeMap;

use paas_domain::{ConfigKey, Secret};
use serde::{Deserialize, Serialize};

/// `GET /v1/apps/{app}/config`: the only answer that carries values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigVars {
    /// Names and values.
    pub config: BTreeMap<ConfigKey, Secret>,
}

/// `PATCH /v1/apps/{app}/config`. All of it happens, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigChange {
    /// Values to set.
    #[serde(default)]
    pub set: BTreeMap<ConfigKey, Secret>,
    /// Names to remove; an absent one is an error.
    #[serde(default)]
    pub unset: Vec<ConfigKey>,
    /// Whether the running app gets it now, by a new release. `true` when not given.
    #[serde(default = "yes")]
    pub restart: bool,
}

/// The answer to a change when no deploy follows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Whether anything is different now.
    pub changed: bool,
    /// When the running app notices.
    pub takes_effect: TakesEffect,
}

/// When a running app notices a change that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakesEffect {
    /// It did already, or there was nothing to notice.
    Now,
    /// The app is stopped: with `ps:start`.
    NextStart,
    /// With the next deploy or `ps:restart`, as asked.
    NextRestart,
    /// Nothing is deployed yet: with the first push; or only a build reads it.
    NextPush,
}

fn yes() -> bool {
    true
}
