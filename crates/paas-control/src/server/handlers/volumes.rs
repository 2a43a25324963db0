use std::collections::BTreeSet;

use axum::{
    Extension, Json,
    extract::{RawPathParams, State},
};
use http::StatusCode;
use paas_domain::{AppName, VolumeName};
use paas_store::{Store, StoreError, Volume};

use crate::{
    server::{
        extract::{Body, param},
        failure::Failure,
        identity::Identity,
        state,
        view::time,
    },
    wire::{CreateVolume, MountUse, VolumeInfo},
};

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
) -> Result<Json<Vec<VolumeInfo>>, Failure> {
    let volumes = shared
        .store(move |store| {
            let mut shown = Vec::new();
            for volume in store.list_volumes()? {
                if !volume.destroying && may_use(store, &identity, &volume)? {
                    shown.push(info(volume));
                }
            }
            Ok::<_, StoreError>(shown)
        })
        .await?;
    Ok(Json(volumes))
}

pub(crate) async fn create(
    State(shared): State<state::State>,
    Body(request): Body<CreateVolume>,
) -> Result<(StatusCode, Json<()>), Failure> {
    shared.store(move |store| store.create_volume(&request.name)).await?;
    Ok((StatusCode::CREATED, Json(())))
}

pub(crate) async fn destroy(
    State(shared): State<state::State>,
    params: RawPathParams,
) -> Result<Json<()>, Failure> {
    let name: VolumeName = param(&params, "volume")?;
    let wanted = name.clone();
    let users = shared.store(move |store| users(store, &store.get_volume(&wanted)?)).await?;
    if !users.is_empty() {
        let users: Vec<_> = users.iter().map(AppName::as_str).collect();
        return Err(Failure::conflict(format!("the volume {name} is mounted by {}", users.join(", ")))
            .hint("unmount it first with `storage:unmount`"));
    }
    tracing::info!(volume.name = %name, "destroying the volume");
    shared.deployer().destroy_volume(&name).await?;
    Ok(Json(()))
}

/// Whether an identity may see and mount a volume: an admin any, others those that apps of theirs use and no other app does.
pub(super) fn may_use(store: &Store, identity: &Identity, volume: &Volume) -> Result<bool, StoreError> {
    if identity.is_admin() {
        return Ok(true);
    }
    let users = users(store, volume)?;
    Ok(!users.is_empty() && users.iter().all(|app| identity.may_use(app)))
}

/// The apps that mount a volume by command, or in the release they run.
fn users(store: &Store, volume: &Volume) -> Result<BTreeSet<AppName>, StoreError> {
    let mut users: BTreeSet<_> = volume.mounted_by.iter().map(|(app, _)| app.clone()).collect();
    for app in store.list_apps()? {
        let Some(release) = app.release else { continue };
        let spec = store.get_release(release)?.spec;
        if spec.mounts.iter().any(|mount| mount.volume == volume.name) {
            users.insert(app.name);
        }
    }
    Ok(users)
}

fn info(volume: Volume) -> VolumeInfo {
    let mounts = volume.mounted_by.into_iter().map(|(app, path)| MountUse { app, path }).collect();
    VolumeInfo { name: volume.name, mounts, created_at: time(volume.created_at) }
}
