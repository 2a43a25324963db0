//! A commit's tree becomes a build plan and a tar stream, testable without an engine. Nothing is checked out: objects are read from the bare
//! repository (and the quarantine of a push), and the tar goes into a channel. Only what is in the commit is ever read.

mod commit;
mod context;
mod dockerfile;
mod entry;
mod ignore;
mod limits;
mod lookup;
mod objects;
mod plan;
mod plan_error;
mod quarantine;
mod scan;
mod settings;
mod shown;
mod source;
mod stream;
mod tarball;
mod tree_path;
mod walk;

pub use commit::CommitInfo;
pub use context::ContextStats;
pub use entry::{EntryError, EntryKind};
pub use ignore::{IgnoreError, IgnoreRules};
pub use limits::Limits;
pub use lookup::LookupError;
pub use objects::ReadError;
pub use plan::{BuildPlan, PlanWarning, plan};
pub use plan_error::PlanError;
pub use quarantine::QuarantineError;
pub use settings::Settings;
pub use source::{Source, SourceError, SourceReadError};
pub use stream::{ContextStream, context_stream};
pub use tree_path::{TreePath, TreePathError};
pub use walk::WalkError;
