use thiserror::Error;

use crate::deploy_branch::DeployBranch;
use crate::ref_update::RefUpdate;
use paas_program::Escaped;

/// Why a push, or one reference of it, is refused. `Display` is one line for the person who pushed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PushRefusal {
    /// The push changes nothing.
    #[error("nothing was pushed; to deploy: git push deploy main")]
    Nothing,
    /// A deploy branch would be deleted.
    #[error("{branch} is what runs here and cannot be deleted; to remove the app: paas apps:destroy")]
    Delete {
        /// The branch.
        branch: DeployBranch,
    },
    /// `main` and `master` arrive with different commits.
    #[error(
        "main and master were pushed with different commits and only one can run; push one of them: git push deploy main"
    )]
    TwoCommits,
    /// Another branch.
    #[error("only main and master deploy here; to deploy this branch: git push deploy {source_branch}:main")]
    OtherBranch {
        /// The branch's name, quoted for a shell.
        source_branch: String,
    },
    /// A tag.
    #[error("tags are not kept here; to deploy: git push deploy main")]
    Tag,
    /// Notes and whatever else lives below `refs/`.
    #[error(
        "{reference} is not kept here, only the branches main and master are; to deploy: git push deploy main"
    )]
    OtherReference {
        /// Its name, escaped and cut short.
        reference: String,
    },
    /// Something we never kept would be deleted.
    #[error("there is no {reference} here to delete")]
    NothingToDelete {
        /// Its name, escaped and cut short.
        reference: String,
    },
}

impl PushRefusal {
    /// Why a reference cannot be changed as wanted; `None` for a deploy branch that gets a commit.
    pub(crate) fn of(update: &RefUpdate) -> Option<Self> {
        let branch = DeployBranch::of(&update.reference);
        match (branch, &update.new) {
            (Some(_), Some(_)) => None,
            (Some(branch), None) => Some(Self::Delete { branch }),
            (None, None) => {
                Some(Self::NothingToDelete { reference: Escaped::of(&update.reference).to_string() })
            }
            (None, Some(_)) => Some(Self::not_kept(&update.reference)),
        }
    }

    fn not_kept(reference: &str) -> Self {
        if let Some(branch) = reference.strip_prefix("refs/heads/") {
            // The line invites to be pasted into a shell, and git allows `$`, `;` and quotes in a branch's name.
            let source_branch = shell_words::quote(&Escaped::of(branch).to_string()).into_owned();
            return Self::OtherBranch { source_branch };
        }
        if reference.starts_with("refs/tags/") {
            return Self::Tag;
        }
        Self::OtherReference { reference: Escaped::of(reference).to_string() }
    }
}

/// The `update` hook's answer for one reference: the line to print before refusing it, or `None` to let it change.
///
/// `pre-receive` judges the push as a whole ([`crate::PushPlan::of`]); this keeps what came along with a deploy branch out of the repository.
pub fn refuse_ref(update: &RefUpdate) -> Option<String> {
    PushRefusal::of(update).map(|refusal| refusal.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: &str = "0000000000000000000000000000000000000000";
    const ONE: &str = "1111111111111111111111111111111111111111";

    fn refusal(reference: &str, new: &str) -> Option<String> {
        refuse_ref(&RefUpdate::new(reference, ZERO, new).unwrap())
    }

    #[test]
    fn only_the_deploy_branches_are_kept() {
        assert_eq!(refusal("refs/heads/main", ONE), None);
        assert_eq!(refusal("refs/heads/master", ONE), None);
        assert!(refusal("refs/heads/feature", ONE).unwrap().ends_with("git push deploy feature:main"));
        assert!(refusal("refs/tags/v1", ONE).unwrap().starts_with("tags are not kept here"));
        assert!(refusal("refs/notes/commits", ONE).unwrap().starts_with("refs/notes/commits is not kept"));
        assert!(refusal("refs/heads/main", ZERO).unwrap().contains("cannot be deleted"));
        assert!(refusal("refs/heads/gone", ZERO).unwrap().contains("no refs/heads/gone"));
    }

    #[test]
    fn a_branch_name_is_safe_to_paste() {
        let line = refusal("refs/heads/x;reboot$(id)'", ONE).unwrap();
        let words = shell_words::split(line.rsplit("branch: ").next().unwrap()).unwrap();
        assert_eq!(words, ["git", "push", "deploy", "x;reboot$(id)':main"]);
    }
}
