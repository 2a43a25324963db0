use paas_domain::CommitId;

use crate::deploy_branch::DeployBranch;
use crate::push_refusal::PushRefusal;
use crate::ref_update::RefUpdate;

/// What a push means: this commit shall run, and then be this branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushPlan {
    /// The branch that was pushed; `main` when both came with the same commit.
    pub branch: DeployBranch,
    /// The branch's commit before; `None` for its first push.
    pub old: Option<CommitId>,
    /// The commit to deploy. git checks only after the hooks that a branch gets a commit, so whoever reads it must refuse another
    /// kind of object.
    pub new: CommitId,
}

impl PushPlan {
    /// Judges all references of a push together, as `pre-receive` sees them.
    ///
    /// Exactly one commit must arrive for the deploy branches. Other references beside it are not this function's matter: the `update`
    /// hook refuses them one by one ([`crate::refuse_ref`]) while the deploy branch goes through.
    pub fn of(updates: &[RefUpdate]) -> Result<Self, PushRefusal> {
        let mut plans = Vec::new();
        for update in updates {
            let Some(branch) = DeployBranch::of(&update.reference) else { continue };
            let Some(new) = &update.new else { return Err(PushRefusal::Delete { branch }) };
            plans.push(Self { branch, old: update.old.clone(), new: new.clone() });
        }
        let Some(first) = plans.first() else { return Err(without_deploy_branch(updates)) };
        if plans.iter().any(|plan| plan.new != first.new) {
            return Err(PushRefusal::TwoCommits);
        }
        let main = plans.iter().position(|plan| plan.branch == DeployBranch::Main).unwrap_or(0);
        Ok(plans.swap_remove(main))
    }
}

/// The refusal that helps most: another branch is probably what the person wants to deploy.
fn without_deploy_branch(updates: &[RefUpdate]) -> PushRefusal {
    let refusals: Vec<PushRefusal> = updates.iter().filter_map(PushRefusal::of).collect();
    let branch = refusals.iter().position(|refusal| matches!(refusal, PushRefusal::OtherBranch { .. }));
    refusals.into_iter().nth(branch.unwrap_or(0)).unwrap_or(PushRefusal::Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: &str = "0000000000000000000000000000000000000000";
    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";

    fn plan(updates: &[(&str, &str, &str)]) -> Result<PushPlan, PushRefusal> {
        let updates: Vec<_> =
            updates.iter().map(|(name, old, new)| RefUpdate::new(name, old, new).unwrap()).collect();
        PushPlan::of(&updates)
    }

    #[test]
    fn a_deploy_branch_deploys() {
        let first = plan(&[("refs/heads/main", ZERO, ONE)]).unwrap();
        assert_eq!((first.branch, first.old, first.new.as_str()), (DeployBranch::Main, None, ONE));
        let next = plan(&[("refs/tags/v1", ZERO, TWO), ("refs/heads/master", ONE, TWO)]).unwrap();
        assert_eq!(
            (next.branch, next.old.unwrap().as_str(), next.new.as_str()),
            (DeployBranch::Master, ONE, TWO)
        );
    }

    #[test]
    fn main_and_master_together_need_one_commit() {
        let both = plan(&[("refs/heads/master", ONE, TWO), ("refs/heads/main", ZERO, TWO)]).unwrap();
        assert_eq!((both.branch, both.old), (DeployBranch::Main, None));
        let two = plan(&[("refs/heads/master", ZERO, ONE), ("refs/heads/main", ZERO, TWO)]);
        assert_eq!(two, Err(PushRefusal::TwoCommits));
    }

    #[test]
    fn deleting_a_deploy_branch_refuses_the_whole_push() {
        let refused = plan(&[("refs/heads/main", ZERO, ONE), ("refs/heads/master", ONE, ZERO)]);
        assert_eq!(refused, Err(PushRefusal::Delete { branch: DeployBranch::Master }));
    }

    #[test]
    fn without_a_deploy_branch_one_line_says_why() {
        let feature = plan(&[("refs/tags/v1", ZERO, ONE), ("refs/heads/feature", ZERO, ONE)]).unwrap_err();
        assert_eq!(
            feature.to_string(),
            "only main and master deploy here; to deploy this branch: git push deploy feature:main"
        );
        assert_eq!(plan(&[("refs/tags/v1", ZERO, ONE)]), Err(PushRefusal::Tag));
        assert_eq!(plan(&[]), Err(PushRefusal::Nothing));
    }
}
