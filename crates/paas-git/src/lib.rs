//! Bare repositories, receive-pack, hooks and the ssh command line.
//!
//! The parts, in the order a push meets them: [`SshCommand`] reads what the client asked for, [`Repositories`] keeps the bare repositories,
//! [`ReceivePack`] is the command that receives, [`serve`] runs it for a client that may go away, [`Hook`] says which hook we were
//! started as, and [`PushPlan`] says what a push means. [`RemoteUrl`] is the same road seen from the laptop. Everything external runs
//! through [`Program`].

mod deploy_branch;
mod deploy_remote;
mod hook;
mod pack;
mod push_plan;
mod push_refusal;
mod ref_update;
mod remote_url;
mod repositories;
mod repository_path;
mod session;
mod ssh_command;
mod ssh_program;

pub use deploy_branch::DeployBranch;
pub use deploy_remote::{FindRemoteError, find_deploy_remote};
pub use hook::{Hook, InstallHooksError, hook_name, install_hooks};
pub use paas_program::{ArgumentError, Program, ProgramError, Stream};
pub use pack::{Protocol, Push, ReceivePack, UploadPack};
pub use push_plan::PushPlan;
pub use push_refusal::{PushRefusal, refuse_ref};
pub use ref_update::{ReadUpdatesError, RefUpdate, RefUpdateError};
pub use remote_url::{RemoteUrl, RemoteUrlError};
pub use repositories::{
    EnsureRepositoryError, Owner, ReadRepositoryError, RemoveRepositoryError, Repositories, SetHeadError,
};
pub use repository_path::RepositoryPathError;
pub use session::{Hangup, ServeError, serve};
pub use ssh_command::{SshCommand, SshCommandError};
pub use ssh_program::{SshProgramError, ssh_program};
