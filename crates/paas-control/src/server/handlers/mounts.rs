use axum::{Extension, Json, extract::State, response::Response};
use paas_domain::{DeployKind, Mount, VolumeName};
use paas_store::{App, MountRef, Store};

use super::{app_info, volumes};
use crate::{
    server::{
        change::{Change, apply},
        extract::Body,
        failure::Failure,
        identity::Identity,
        state,
    },
    wire::{MountInfo, MountVolume, UnmountVolume},
};

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<Vec<MountInfo>>, Failure> {
    let mounts = shared
        .store(move |store| {
            let release = app.release.map(|release| store.get_release(release)).transpose()?;
            Ok::<_, Failure>(app_info::mounts(&store.mounts(app.id)?, release.as_ref()))
        })
        .await?;
    Ok(Json(mounts))
}

pub(crate) async fn add(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    Extension(app): Extension<App>,
    Body(request): Body<MountVolume>,
) -> Result<Response, Failure> {
    let description = format!("Mount {} at {}", request.volume, request.path);
    let (id, who, deploy) = (app.id, identity.clone(), request.restart);
    let changed = shared
        .store(move |store| {
            find_volume(store, &who, &request.volume)?;
            Ok::<_, Failure>(store.mount(id, &request.volume, &request.path)?)
        })
        .await?;
    let change = Change { kind: DeployKind::Config, description, changed, deploy };
    apply(&shared, &identity, &app, change).await
}

pub(crate) async fn remove(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    Extension(app): Extension<App>,
    Body(request): Body<UnmountVolume>,
) -> Result<Response, Failure> {
    let (id, deploy) = (app.id, request.restart);
    let gone = shared.store(move |store| unmount(store, id, request)).await?;
    let gone: Vec<_> = gone.iter().map(|mount| format!("{} from {}", mount.volume, mount.path)).collect();
    let description = format!("Unmount {}", gone.join(", "));
    let change = Change { kind: DeployKind::Config, description, changed: true, deploy };
    apply(&shared, &identity, &app, change).await
}

/// A volume that is not there and one the caller may not use are one answer.
fn find_volume(store: &Store, identity: &Identity, name: &VolumeName) -> Result<(), Failure> {
    let volume = store.list_volumes()?.into_iter().find(|volume| volume.name == *name && !volume.destroying);
    match volume {
        Some(volume) if volumes::may_use(store, identity, &volume)? => Ok(()),
        _ if identity.is_admin() => Err(Failure::not_found(format!("there is no volume {name}"))
            .hint(format!("make it first: `storage:create {name}`"))),
        _ => Err(Failure::not_found(format!("there is no volume {name} that this key may use"))
            .hint("ask an admin of the server to make and mount it")),
    }
}

fn unmount(store: &Store, app: paas_domain::AppId, request: UnmountVolume) -> Result<Vec<Mount>, Failure> {
    let what = match (request.volume, request.path) {
        (None, None) => return Err(Failure::refused("neither a volume nor a path was named")),
        (Some(volume), None) => MountRef::Volume(volume),
        (None, Some(path)) => MountRef::Path(path),
        (Some(volume), Some(path)) => {
            if !store.mounts(app)?.iter().any(|mount| mount.volume == volume && mount.path == path) {
                return Err(Failure::not_found(format!("{volume} is not mounted at {path}"))
                    .hint("`storage:list` shows what is; what the code declares is changed in the code"));
            }
            MountRef::Path(path)
        }
    };
    Ok(store.unmount(app, &what)?)
}
