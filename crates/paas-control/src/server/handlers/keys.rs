use axum::{
    Extension, Json,
    extract::{RawPathParams, State},
};
use http::StatusCode;
use paas_domain::KeyName;
use paas_store::{Access, Key, PublicKey, Store};

use crate::{
    server::{
        authorized_keys::RenderKeysError,
        extract::{Body, param},
        failure::Failure,
        identity::Identity,
        state::{self, Shared},
        view::time,
    },
    wire::{AddKey, KeyInfo, RemoveKey},
};

pub(crate) async fn list(State(shared): State<state::State>) -> Result<Json<Vec<KeyInfo>>, Failure> {
    let keys = shared.store(Store::list_keys).await?;
    Ok(Json(keys.into_iter().map(info).collect()))
}

pub(crate) async fn add(
    State(shared): State<state::State>,
    Body(request): Body<AddKey>,
) -> Result<(StatusCode, Json<KeyInfo>), Failure> {
    let public_key = PublicKey::parse(&request.public_key).map_err(|error| {
        Failure::refused(error.to_string())
            .hint("give the one line of a .pub file, like ~/.ssh/id_ed25519.pub")
    })?;
    let access = match request.apps {
        None => Access::Admin,
        Some(apps) if apps.is_empty() => {
            return Err(
                Failure::refused("a key without any app could do nothing").hint("name at least one app")
            );
        }
        Some(apps) => Access::Apps(apps),
    };
    let _turn = shared.keys_turn.lock().await;
    let name = request.name;
    let key = shared.store(move |store| store.add_key(&name, &public_key, &access)).await?;
    tracing::info!(key.name = %key.name, key.id = key.id.0, "added the ssh key");
    render(&shared).await?;
    Ok((StatusCode::CREATED, Json(info(key))))
}

pub(crate) async fn remove(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    params: RawPathParams,
    Body(request): Body<RemoveKey>,
) -> Result<Json<()>, Failure> {
    let name: KeyName = param(&params, "key")?;
    let may_lock_out = request.force || identity == Identity::ServerAdmin;
    let _turn = shared.keys_turn.lock().await;
    let gone = name.clone();
    shared
        .store(move |store| {
            if !may_lock_out && is_last_admin(&store.list_keys()?, &gone) {
                return Err(Failure::conflict(format!(
                    "{gone} is the last admin key; without it nobody can administer over ssh"
                ))
                .hint("add another admin key first, or repeat with --force"));
            }
            Ok(store.remove_key(&gone)?)
        })
        .await?;
    tracing::info!(key.name = %name, "removed the ssh key");
    render(&shared).await?;
    Ok(Json(()))
}

fn is_last_admin(keys: &[Key], name: &KeyName) -> bool {
    let mut admins = keys.iter().filter(|key| key.access == Access::Admin);
    admins.next().is_some_and(|key| key.name == *name) && admins.next().is_none()
}

async fn render(shared: &Shared) -> Result<(), Failure> {
    let keys = shared.control.keys.clone();
    shared.store(move |store| keys.render(store)).await
}

impl From<RenderKeysError> for Failure {
    fn from(error: RenderKeysError) -> Self {
        Self::internal("the change is stored, but sshd does not know it yet", &error)
    }
}

fn info(key: Key) -> KeyInfo {
    let apps = match key.access {
        Access::Admin => None,
        Access::Apps(apps) => Some(apps),
    };
    KeyInfo {
        id: key.id,
        name: key.name,
        fingerprint: key.fingerprint,
        apps,
        created_at: time(key.created_at),
    }
}
