use futures_util::future::join_all;
use paas_domain::DeployId;
use paas_store::ContainerRow;

use crate::{deployer::Deployer, names};

/// Removes what a deploy made before the switch: its containers and its image. Repeatable; what cannot be removed now, the reconciler removes.
pub(crate) async fn undo(deployer: &Deployer, deploy: DeployId) {
    match deployer.store.containers_of_deploy(deploy) {
        Ok(rows) => {
            join_all(rows.iter().map(|row| remove(deployer, row))).await;
        }
        Err(error) => Deployer::note("the containers of a failed deploy could not be listed", &error),
    }
    let Ok(row) = deployer.store.get_deploy(deploy) else { return };
    if let Err(error) = deployer.engine.remove_image(&names::image_tag(row.app, deploy)).await {
        Deployer::note("the image of a failed deploy could not be removed", &error);
    }
}

/// A release command in the middle of a migration is asked to stop before it is killed.
async fn remove(deployer: &Deployer, row: &ContainerRow) {
    if row.process_type.is_none() {
        let grace = deployer.store.get_release(row.release).map(|release| release.spec.stop_grace);
        if let Ok(grace) = grace
            && let Err(error) = deployer.engine.stop_container(&row.name, grace).await
        {
            Deployer::note("a release command could not be stopped", &error);
        }
    }
    deployer.remove(row).await;
}
