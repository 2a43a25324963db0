//! Images: looking, listing, removing.

use std::collections::HashMap;

use bollard::{
    models::{ImageConfig, ImageInspect},
    query_parameters::{ListContainersOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder},
};

use crate::{
    client::DockerEngine,
    engine::{ImageId, ImageInfo, ImageSummary},
    error::EngineError,
    failure::{engine_error, found, protocol, status},
    label, name,
};

/// What the engine writes for "no tag" in lists.
const NO_TAG: &str = "<none>:<none>";

/// The image of that id or tag.
pub(crate) async fn find(engine: &DockerEngine, reference: &str) -> Result<Option<ImageInfo>, EngineError> {
    let Some(image) = inspect(engine, reference).await? else { return Ok(None) };
    let id = image.id.ok_or_else(|| protocol("show an image", "the image has no id"))?;
    let config = image.config.unwrap_or_default();
    let mut volumes = config.volumes.clone().unwrap_or_default();
    volumes.sort();
    let entrypoint = config.entrypoint.clone().unwrap_or_default();
    let command = config.cmd.clone().unwrap_or_default();
    Ok(Some(ImageInfo {
        id: ImageId(id),
        exposed_tcp_ports: tcp_ports(&config),
        volumes,
        has_command: !entrypoint.is_empty() || !command.is_empty(),
        entrypoint,
        labels: label::sorted(config.labels),
        size_bytes: image.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
    }))
}

/// Our images.
pub(crate) async fn list(engine: &DockerEngine) -> Result<Vec<ImageSummary>, EngineError> {
    let options = ListImagesOptionsBuilder::default().filters(&label::filter(engine.instance_id())).build();
    let images = engine
        .docker()?
        .list_images(Some(options))
        .await
        .map_err(|error| engine_error("list images", error))?;
    Ok(images
        .into_iter()
        .map(|image| ImageSummary {
            id: ImageId(image.id),
            tags: image.repo_tags.into_iter().filter(|tag| tag != NO_TAG).collect(),
            labels: label::sorted(Some(image.labels)),
            size_bytes: u64::try_from(image.size).unwrap_or(0),
        })
        .collect())
}

/// Removes what the reference names: a tag (the image goes with its last one), or by id the image with all its tags. Never forced, so a container
/// that still needs it keeps it.
pub(crate) async fn remove(engine: &DockerEngine, reference: &str) -> Result<bool, EngineError> {
    let Some(image) = inspect(engine, reference).await? else { return Ok(false) };
    if !label::is_ours(image.config.as_ref().and_then(|config| config.labels.as_ref()), engine.instance_id())
    {
        return Err(EngineError::Foreign(format!("the image {reference}")));
    }
    let id = image.id.ok_or_else(|| protocol("remove an image", "the image has no id"))?;
    let tags: Vec<String> =
        image.repo_tags.unwrap_or_default().into_iter().filter(|tag| tag != NO_TAG).collect();
    let by_id = is_id(reference, &id);
    if (by_id || tags.len() <= 1) && used(engine, &id).await? {
        return Ok(false);
    }
    if !by_id {
        return delete(engine, reference).await;
    }
    if tags.is_empty() {
        return delete(engine, &id).await;
    }
    let mut removed = false;
    for tag in &tags {
        removed = delete(engine, tag).await?;
    }
    Ok(removed)
}

async fn inspect(engine: &DockerEngine, reference: &str) -> Result<Option<ImageInspect>, EngineError> {
    if !name::is_reference(reference) {
        return Ok(None);
    }
    found("show an image", engine.docker()?.inspect_image(reference).await)
}

async fn delete(engine: &DockerEngine, reference: &str) -> Result<bool, EngineError> {
    let options = RemoveImageOptionsBuilder::default().force(false).build();
    match engine.docker()?.remove_image(reference, Some(options), None).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(status(&error), Some(404 | 409)) => Ok(false),
        Err(error) => Err(engine_error(format!("remove the image {reference}"), error)),
    }
}

/// Whether any container, running or not, was made from the image.
async fn used(engine: &DockerEngine, id: &str) -> Result<bool, EngineError> {
    let filters = HashMap::from([("ancestor", vec![id])]);
    let options = ListContainersOptionsBuilder::default().all(true).limit(1).filters(&filters).build();
    let containers = engine
        .docker()?
        .list_containers(Some(options))
        .await
        .map_err(|error| engine_error("list an image's containers", error))?;
    Ok(!containers.is_empty())
}

/// Whether a reference names an image by its id (`sha256:…`, the bare hex, or the beginning of it) and not by a tag.
fn is_id(reference: &str, id: &str) -> bool {
    let hex = id.strip_prefix("sha256:").unwrap_or(id);
    let given = reference.strip_prefix("sha256:").unwrap_or(reference);
    given.len() >= 12 && hex.starts_with(given)
}

fn tcp_ports(config: &ImageConfig) -> Vec<u16> {
    let mut ports: Vec<u16> =
        config.exposed_ports.iter().flatten().filter_map(|port| tcp_port(port)).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// `3000/tcp` and `3000` are TCP; `53/udp` is not.
fn tcp_port(text: &str) -> Option<u16> {
    let number = text.strip_suffix("/tcp").unwrap_or(text);
    number.parse().ok().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_tcp_in_numeric_order() {
        let ports = ["8080/tcp", "53/udp", "443", "0/tcp", "8080"].map(str::to_owned).to_vec();
        let config = ImageConfig { exposed_ports: Some(ports), ..Default::default() };
        assert_eq!(tcp_ports(&config), [443, 8080]);
    }

    #[test]
    fn ids_are_told_from_tags() {
        let id = "sha256:0123456789abcdef0123";
        assert!(is_id(id, id));
        assert!(is_id("0123456789ab", id));
        assert!(!is_id("paas/app-1:d7", id));
        assert!(!is_id("abc", "sha256:abcdef0123456789"));
    }
}
