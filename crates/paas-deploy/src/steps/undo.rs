use futures_util::future::join_all;
use paas_domain::DeployId;

use crate::{deployer::Deployer, names};

/// Removes what a deploy made before the switch: its containers and its image. Repeatable; what cannot be removed now, the reconciler removes.
pub(crate) async fn undo(deployer: &Deployer, deploy: DeployId) {
    match deployer.store.containers_of_deploy(deploy) {
        Ok(rows) => {
            join_all(rows.iter().map(|row| deployer.remove(row))).await;
        }
        Err(error) => Deployer::note("the containers of a failed deploy could not be listed", &error),
    }
    let Ok(row) = deployer.store.get_deploy(deploy) else { return };
    if let Err(error) = deployer.engine.remove_image(&names::image_tag(row.app, deploy)).await {
        Deployer::note("the image of a failed deploy could not be removed", &error);
    }
}
