use std::collections::BTreeSet;

use paas_domain::AppId;

use crate::{deployer::Deployer, names, reconciler::ReconcileError};

/// Removes the images of releases nobody will need again. The newest releases of the app keep theirs.
pub(crate) async fn remove_old_images(deployer: &Deployer, app: AppId) {
    let prunable = match deployer.store.prunable_images(app, deployer.settings.keep_releases) {
        Ok(prunable) => prunable,
        Err(error) => return Deployer::note("old images could not be listed", &error),
    };
    for (release, image) in prunable {
        match deployer.engine.remove_image(&image).await {
            Ok(true) => {}
            Ok(false) if deployer.engine.find_image(&image).await.is_ok_and(|found| found.is_none()) => {}
            // Still in use: the next deploy or the reconciler tries again.
            Ok(false) => continue,
            Err(error) => return Deployer::note("an old image could not be removed", &error),
        }
        if let Err(error) = deployer.store.mark_image_removed(release) {
            return Deployer::note("the removal of an old image could not be recorded", &error);
        }
    }
}

impl Deployer {
    /// Removes images of ours that no release and no running deploy needs: what an undo or a clean-up could not remove in its time.
    pub(crate) async fn sweep_images(&self) -> Result<(), ReconcileError> {
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
        let running: BTreeSet<String> = self
            .store
            .running_deploys()?
            .iter()
            .map(|deploy| names::image_tag(deploy.app, deploy.id))
            .collect();
        for image in images {
            if !kept.contains(&image.id.0) && !image.tags.iter().any(|tag| running.contains(tag)) {
                self.engine.remove_image(&image.id.0).await?;
            }
        }
        Ok(())
    }
}
