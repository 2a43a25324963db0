use std::collections::BTreeMap;

use paas_docker::{ContainerSpec, RestartPolicy};
use paas_domain::{ReleaseSpec, ReleaseVersion, Secret};
use paas_store::{App, ContainerRow};

use crate::names;

/// The container a row stands for: the same row gives the same container today and after a crash.
pub(crate) fn container_spec(
    instance: &str,
    app: &App,
    version: ReleaseVersion,
    spec: &ReleaseSpec,
    row: &ContainerRow,
    memory_bytes: Option<u64>,
) -> ContainerSpec {
    let command = match &row.process_type {
        Some(process_type) => spec.processes.get(process_type).cloned().flatten(),
        None => spec.release_command.clone(),
    };
    ContainerSpec {
        name: row.name.clone(),
        image: spec.image.clone(),
        command,
        env: environment(app, version, spec, row),
        labels: names::container_labels(instance, row),
        network: names::network(app.id),
        address: Some(row.address),
        aliases: row.process_type.iter().map(ToString::to_string).collect(),
        mounts: spec
            .mounts
            .iter()
            .map(|mount| (names::volume(&mount.volume), mount.path.to_string()))
            .collect(),
        // Until it has proven healthy, a container that ends must stay ended: that is how a deploy sees it.
        restart: RestartPolicy::Never,
        memory_bytes,
        hostname: process_name(row).replace('.', "-"),
    }
}

/// `web.1`; the release command is `release.1`.
pub(crate) fn process_name(row: &ContainerRow) -> String {
    match &row.process_type {
        Some(process_type) => format!("{process_type}.{}", row.number),
        None => format!("release.{}", row.number),
    }
}

fn environment(
    app: &App,
    version: ReleaseVersion,
    spec: &ReleaseSpec,
    row: &ContainerRow,
) -> BTreeMap<String, Secret> {
    let mut env: BTreeMap<String, Secret> =
        spec.config.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
    env.insert("PORT".to_owned(), Secret::new(spec.port.to_string()));
    env.insert("PAAS_APP".to_owned(), Secret::new(app.name.as_str()));
    env.insert("PAAS_RELEASE".to_owned(), Secret::new(version.to_string()));
    env.insert("PAAS_PROCESS".to_owned(), Secret::new(process_name(row)));
    if let Some(commit) = &spec.commit {
        env.insert("PAAS_COMMIT".to_owned(), Secret::new(commit.as_str()));
    }
    env
}
