use std::collections::BTreeSet;

use paas_domain::AppId;
use paas_store::StoreError;

use crate::{deployer::Deployer, names, reconciler::ReconcileError};

/// Removes the images of releases nobody will need again. The newest releases of the app keep theirs.
pub(crate) async fn remove_old_images(deployer: &Deployer, app: AppId) {
    // During a build it stays for the next deploy.
    let Ok(_alone) = deployer.images.try_write() else { return };
    if let Err(error) = remove_prunable(deployer, app).await {
        Deployer::note("old images could not be removed", &error);
    }
}

async fn remove_prunable(deployer: &Deployer, app: AppId) -> Result<(), ReconcileError> {
    let prunable = deployer.store.prunable_images(app, deployer.settings.keep_releases)?;
    if prunable.is_empty() {
        return Ok(());
    }
    let images = deployer.engine.list_images().await?;
    let being_deployed = deployer.tags_being_deployed()?;
    for (release, id) in prunable {
        if let Some(image) = images.iter().find(|image| image.id.0 == id) {
            let is_needed = image.tags.iter().any(|tag| being_deployed.contains(tag));
            // In use: the next deploy or the reconciler tries again.
            if is_needed || !deployer.engine.remove_image(&id).await? {
                continue;
            }
        }
        deployer.store.mark_image_removed(release)?;
    }
    Ok(())
}

impl Deployer {
    /// Removes images of ours that no release and no running deploy needs: what an undo or a clean-up could not remove in its time.
    pub(crate) async fn sweep_images(&self) -> Result<(), ReconcileError> {
        // What is being built may be one of them; the next look is soon.
        let Ok(_alone) = self.images.try_write() else { return Ok(()) };
        // Listed before the rows are read: an image listed here had its deploy's row first.
        let images = self.engine.list_images().await?;
        let mut kept = BTreeSet::new();
        for app in self.store.list_apps()? {
            let prunable: BTreeSet<_> = self
                .store
                .prunable_images(app.id, self.settings.keep_releases)?
                .into_iter()
                .map(|(id, _)| id)
                .collect();
            let releases = self.store.list_releases(app.id)?.into_iter();
            kept.extend(
                releases.filter(|release| !prunable.contains(&release.id)).map(|release| release.image),
            );
        }
        let being_deployed = self.tags_being_deployed()?;
        for image in images {
            if !kept.contains(&image.id.0) && !image.tags.iter().any(|tag| being_deployed.contains(tag)) {
                self.engine.remove_image(&image.id.0).await?;
            }
        }
        Ok(())
    }

    /// The tags of the images that running deploys have built or will build.
    fn tags_being_deployed(&self) -> Result<BTreeSet<String>, StoreError> {
        let running = self.store.running_deploys()?;
        Ok(running.iter().map(|deploy| names::image_tag(deploy.app, deploy.id)).collect())
    }
}
