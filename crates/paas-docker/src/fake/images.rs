//! The fake engine's images.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{
    FakeEngine,
    state::{self, State},
};
use crate::{
    engine::{ImageId, ImageInfo, ImageSummary},
    error::EngineError,
};

/// An id that is the same for the same content in every run.
pub(super) fn id_of(content: &impl Hash) -> ImageId {
    // Fixed keys, unlike a `RandomState`'s.
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    ImageId(format!("sha256:{0:016x}{0:016x}{0:016x}{0:016x}", hasher.finish()))
}

impl FakeEngine {
    pub(super) fn image_info(&self, reference: &str) -> Option<ImageInfo> {
        let state = self.state();
        let stored = state.image(reference)?;
        let image = stored.image.clone();
        let mut ports = image.exposed_tcp_ports;
        ports.sort_unstable();
        Some(ImageInfo {
            id: stored.id.clone(),
            exposed_tcp_ports: ports,
            volumes: image.volumes,
            has_command: image.has_command || !image.entrypoint.is_empty(),
            entrypoint: image.entrypoint,
            labels: stored.labels.clone(),
            size_bytes: image.size_bytes,
        })
    }

    pub(super) fn our_images(&self) -> Vec<ImageSummary> {
        let state = self.state();
        let ours = state.images.values().filter(|image| state::is_ours(&image.labels, self.instance_id()));
        ours.map(|stored| ImageSummary {
            id: stored.id.clone(),
            tags: stored.tags.iter().cloned().collect(),
            labels: stored.labels.clone(),
            size_bytes: stored.image.size_bytes,
        })
        .collect()
    }

    pub(super) fn delete_image(&self, reference: &str) -> Result<bool, EngineError> {
        let instance = self.instance_id().to_owned();
        self.change(|state, _| (delete(state, reference, &instance), Vec::new()))
    }
}

fn delete(state: &mut State, reference: &str, instance: &str) -> Result<bool, EngineError> {
    let Some(image) = state.image(reference).cloned() else { return Ok(false) };
    if !state::is_ours(&image.labels, instance) {
        return Err(EngineError::Foreign(format!("the image {reference}")));
    }
    let by_tag = image.tags.contains(reference);
    if by_tag && image.tags.len() > 1 {
        if let Some(image) = state.images.get_mut(&image.id) {
            image.tags.remove(reference);
        }
        return Ok(true);
    }
    if state.containers.values().any(|container| container.image == image.id) {
        return Ok(false);
    }
    Ok(state.images.remove(&image.id).is_some())
}
