//! Commands about a candidate.

use std::sync::Arc;

use paas_domain::{AppId, ReleaseVersion, Share};
use paas_store::{Deploy, StoreError};

use crate::{
    deployer::{DeployHandle, Deployer, RemoveError, StartDeployError},
    routes::ApplyRoutesError,
    steps,
};

impl Deployer {
    /// Gives the app's candidate to that share of the visitors from now on, and says which release it is; none when there is no candidate.
    pub async fn set_share(
        &self,
        app: AppId,
        share: Share,
    ) -> Result<Option<ReleaseVersion>, ApplyRoutesError> {
        let Some(candidate) = self.store.set_share(app, share)? else { return Ok(None) };
        self.apply_routes(app).await?;
        Ok(self.version(&candidate)?)
    }

    /// Begins to make the app's candidate the active release: its containers serve everybody, the old ones drain and go. `None` when there is no
    /// candidate.
    pub fn promote(self: &Arc<Self>, app: AppId) -> Result<Option<DeployHandle>, StartDeployError> {
        let Some(candidate) = self.store.candidate(app)? else { return Ok(None) };
        self.drive(candidate.id, app, |deployer, run| async move { steps::promote(&deployer, &run).await })
            .map(Some)
    }

    /// Takes the app's candidate back: its visitors get the active release, its containers drain and go. Says which release it was; none when there
    /// is no candidate. `by` is told to people.
    pub async fn abort_candidate(
        self: &Arc<Self>,
        app: AppId,
        by: &str,
    ) -> Result<Option<ReleaseVersion>, RemoveError> {
        let _turn = self.turn(app).await;
        let Some(candidate) = self.store.abort_candidate(app, &format!("aborted by {by}"))? else {
            return Ok(None);
        };
        self.reconcile_app(app, None).await.map_err(|error| RemoveError::Later(error.to_string()))?;
        self.forget_candidate(&candidate).await;
        Ok(self.version(&candidate)?)
    }

    fn version(&self, deploy: &Deploy) -> Result<Option<ReleaseVersion>, StoreError> {
        deploy
            .release
            .map(|release| self.store.get_release(release).map(|release| release.version))
            .transpose()
    }
}
