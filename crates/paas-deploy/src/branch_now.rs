use std::{fmt, sync::Arc};

use paas_domain::CommitId;

/// Reads where a branch is at this moment. A push that waited for its turn may find that another one has moved the branch: git would refuse to move
/// it then, after the deploy. So it is asked before.
#[derive(Clone)]
pub struct BranchNow(Arc<Read>);

type Read = dyn Fn() -> Result<Option<CommitId>, String> + Send + Sync;

impl BranchNow {
    /// Asks by this function; its error is a sentence.
    pub fn new(read: impl Fn() -> Result<Option<CommitId>, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    pub(crate) fn read(&self) -> Result<Option<CommitId>, String> {
        (self.0)()
    }
}

impl fmt::Debug for BranchNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BranchNow")
    }
}
