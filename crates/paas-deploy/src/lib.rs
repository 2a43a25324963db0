//! The deploy: one file per step, and the reconciler.
//!
//! [`Deployer`] drives every deploy of one server. A deploy's state and the names of what it makes are in the store before anything happens, so a
//! deploy that nobody drives any more is completed or undone by looking (`docs/ARCHITECTURE.md`, "A crash").

mod branch_now;
mod build_queue;
mod canary;
mod declared_volumes;
mod deployer;
mod diagnosis;
mod environment;
mod failpoint;
mod failure;
mod fake_proxy;
mod free_space;
mod host_rules;
mod log;
mod names;
mod probe;
mod proxy;
mod reconciler;
mod refusals;
mod request_policy;
mod routes;
mod run;
mod settings;
mod spec;
mod steps;

pub use branch_now::BranchNow;
pub use deployer::{CancelAnswer, DeployHandle, Deployer, PushRequest, RemoveError, StartDeployError};
pub use failure::chain;
pub use fake_proxy::FakeProxy;
pub use host_rules::{HostRules, Origin};
pub use names::{network, service as service_name, volume};
pub use paas_proxy::PasswordHash;
pub use proxy::Proxy;
pub use reconciler::ReconcileError;
pub use routes::{ApplyRoutesError, GivenUp};
pub use settings::DeploySettings;
pub use spec::{DEFAULT_DRAIN, DEFAULT_GRACE, DEFAULT_PORT, canary_share, strategy};
