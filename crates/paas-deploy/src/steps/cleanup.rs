use paas_domain::AppId;

use crate::deployer::Deployer;

/// Removes the images of releases nobody will need again. The newest releases of the app keep theirs.
pub(crate) async fn remove_old_images(deployer: &Deployer, app: AppId) {
    let prunable = match deployer.store.prunable_images(app, deployer.settings.keep_releases) {
        Ok(prunable) => prunable,
        Err(error) => return Deployer::note("old images could not be listed", &error),
    };
    for (release, image) in prunable {
        if let Err(error) = deployer.engine.remove_image(&image).await {
            return Deployer::note("an old image could not be removed", &error);
        }
        if let Err(error) = deployer.store.mark_image_removed(release) {
            return Deployer::note("the removal of an old image could not be recorded", &error);
        }
    }
}
