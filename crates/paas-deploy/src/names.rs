//! The deterministic names and labels of what we make in the engine (docs/ARCHITECTURE.md, "Facts every part relies on").

use std::collections::BTreeMap;

use paas_docker::{NetworkSpec, VolumeSpec, label};
use paas_domain::{AppId, DeployId, VolumeName};
use paas_store::{App, ContainerRow};

/// The engine's name of an app's network.
pub fn network(app: AppId) -> String {
    format!("paas-app-{app}")
}

/// The engine's name of a volume.
pub fn volume(name: &VolumeName) -> String {
    format!("paas-{name}")
}

/// The tag of the image a deploy builds.
pub(crate) fn image_tag(app: AppId, deploy: DeployId) -> String {
    format!("paas/app-{app}:d{deploy}")
}

/// The proxy's name of an app's service.
pub fn service(app: AppId) -> String {
    format!("app-{app}")
}

/// Labels of everything that belongs to one app.
pub(crate) fn app_labels(instance: &str, app: AppId) -> BTreeMap<String, String> {
    BTreeMap::from([
        (label::INSTANCE.to_owned(), instance.to_owned()),
        (label::APP.to_owned(), app.to_string()),
    ])
}

/// Labels of a container.
pub(crate) fn container_labels(instance: &str, row: &ContainerRow) -> BTreeMap<String, String> {
    let mut labels = app_labels(instance, row.app);
    labels.insert(label::CONTAINER.to_owned(), row.id.to_string());
    labels.insert(label::DEPLOY.to_owned(), row.deploy.to_string());
    labels
}

/// The app's network.
pub(crate) fn network_spec(instance: &str, app: &App) -> NetworkSpec {
    NetworkSpec { name: network(app.id), subnet: app.subnet.cidr(), labels: app_labels(instance, app.id) }
}

/// A volume; it belongs to the server, not to one app.
pub(crate) fn volume_spec(instance: &str, name: &VolumeName) -> VolumeSpec {
    VolumeSpec {
        name: volume(name),
        labels: BTreeMap::from([(label::INSTANCE.to_owned(), instance.to_owned())]),
    }
}
