//! One file for each group of endpoints. A handler finds the identity and, on routes of an app, the app as extensions that the guard left.

mod app_info;
pub(super) mod apps;
pub(super) mod certificates;
pub(super) mod config;
pub(super) mod deploys;
pub(super) mod domains;
pub(super) mod keys;
mod log_follow;
mod log_tail;
pub(super) mod logs;
pub(super) mod mounts;
pub(super) mod processes;
pub(super) mod purge;
pub(super) mod pushes;
pub(super) mod releases;
mod setting_info;
mod setting_value;
pub(super) mod settings;
pub(super) mod status;
pub(super) mod volumes;
