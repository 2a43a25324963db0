//! Which volume stands behind a path that the code declares (paas.toml `[volumes]`, the image's `VOLUME` lines).

use std::collections::BTreeSet;

use paas_domain::{Manifest, Mount, MountPath, VolumeName};
use paas_store::{App, Store};

use crate::{
    deployer::Deployer,
    failure::{Failure, Stop},
    run::Run,
};

/// Room for a number behind a volume's name of at most 60 characters.
const LONGEST_BASE: usize = 57;

/// The mounts the code declares, under volume names that belong to this app.
///
/// A path that the app's current release has keeps its volume, whatever the app is called by now: data never gets out of sight by a rename. A new
/// path gets `<app>--<name>`, where neither part can contain the separator ambiguously, and never a volume that another app uses.
pub(crate) fn mounts(
    deployer: &Deployer,
    run: &Run,
    app: &App,
    manifest: &Manifest,
    image_volumes: &[String],
) -> Result<Vec<Mount>, Stop> {
    let store = &deployer.store;
    let current = store.declared(app)?.mounts;
    let mut taken = used_by_others(store, app)?;
    taken.extend(store.mounts(app.id)?.into_iter().map(|mount| mount.volume));
    taken.extend(current.iter().map(|mount| mount.volume.clone()));
    let mut mounts: Vec<Mount> = Vec::new();
    let named = manifest.volumes.iter().map(|(name, path)| (name.to_string(), path.clone()));
    let mut wanted: Vec<(String, MountPath)> = named.collect();
    for text in image_volumes {
        let path = MountPath::new(text.trim_end_matches('/'))
            .map_err(|error| Failure::new(format!("a VOLUME of the image: {error}")))?;
        if !wanted.iter().any(|(_, taken)| *taken == path) {
            wanted.push((path.to_string(), path));
        }
    }
    for (name, path) in wanted {
        let kept = current.iter().find(|mount| mount.path == path).map(|mount| mount.volume.clone());
        let volume = if let Some(volume) = kept {
            volume
        } else {
            let volume = own_volume(app, &name, &taken)?;
            if store.get_volume(&volume).is_ok() {
                run.log.line(format!("the volume {volume} was there already: its data is used at {path}"));
            }
            volume
        };
        taken.insert(volume.clone());
        mounts.push(Mount { volume, path });
    }
    Ok(mounts)
}

fn used_by_others(store: &Store, app: &App) -> Result<BTreeSet<VolumeName>, Stop> {
    let mut used = BTreeSet::new();
    for other in store.list_apps()?.into_iter().filter(|other| other.id != app.id) {
        used.extend(store.mounts(other.id)?.into_iter().map(|mount| mount.volume));
        if let Some(release) = other.release {
            used.extend(store.get_release(release)?.spec.mounts.into_iter().map(|mount| mount.volume));
        }
    }
    Ok(used)
}

fn own_volume(app: &App, name: &str, taken: &BTreeSet<VolumeName>) -> Result<VolumeName, Stop> {
    let lower = name.to_ascii_lowercase();
    let parts: Vec<&str> =
        lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let mut base = format!("{}--{}", app.name, parts.join("-"));
    base.truncate(LONGEST_BASE);
    let base = base.trim_end_matches('-').to_owned();
    let candidates = std::iter::once(base.clone()).chain((2..100).map(|n| format!("{base}-{n}")));
    for candidate in candidates {
        let volume = VolumeName::new(candidate)
            .map_err(|error| Failure::new(format!("the volume at {name} has no usable name: {error}")))?;
        if !taken.contains(&volume) {
            return Ok(volume);
        }
    }
    Err(Failure::new(format!("every name for the volume at {name} is taken by another app")).into())
}
