use axum::{Extension, Json, extract::State};
use http::StatusCode;
use paas_deploy::PasswordHash;
use paas_domain::{Declared, PasswordError, check_password};
use paas_store::{App, FrontDoor, Store, StoreError};

use crate::{
    server::{
        extract::Body,
        failure::Failure,
        state::{self, blocking},
    },
    wire::{AddUser, RemoveUser, Source, UserInfo},
};

const OF_FILE: &str = "paas.toml lets this user in: take the line out of [auth] there and push; users by command (`auth:add`) stand in place of all of the file's";

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<Vec<UserInfo>>, Failure> {
    let read = move |store: &Store| Ok::<_, StoreError>((store.front_door(app.id)?, store.declared(&app)?));
    let (door, declared) = shared.store(read).await?;
    Ok(Json(in_force(&door, &declared)))
}

pub(crate) async fn add(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Body(request): Body<AddUser>,
) -> Result<(StatusCode, Json<()>), Failure> {
    let AddUser { user, password } = request;
    check_password(&password).map_err(|error| {
        let failure = Failure::refused(error.to_string());
        match error {
            PasswordError::Length => failure.hint("`--generate` makes a good one and shows it once"),
            PasswordError::Control => failure,
        }
    })?;
    // Slow on purpose, so not on a thread that others wait for.
    let hash = blocking(move || Ok::<_, Failure>(PasswordHash::new(password.expose()))).await?;
    let name = user.clone();
    let is_new = shared.store(move |store| store.set_user(app.id, &name, hash.as_str())).await?;
    tracing::info!(app.name = %app.name, %user, is_new, "set a user's password");
    shared.deployer().apply_routes(app.id).await?;
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Json(())))
}

pub(crate) async fn remove(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Body(request): Body<RemoveUser>,
) -> Result<Json<()>, Failure> {
    let (of, user) = (app.clone(), request.user.clone());
    shared
        .store(move |store| {
            store.remove_user(of.id, &request.user).or_else(|error| {
                let is_of_file = store.declared(&of)?.users.contains_key(&request.user);
                let failure = Failure::from(error);
                Err(if is_of_file { failure.hint(OF_FILE) } else { failure })
            })
        })
        .await?;
    tracing::info!(app.name = %app.name, %user, "removed a user");
    shared.deployer().apply_routes(app.id).await?;
    Ok(Json(()))
}

/// Who may visit: users by command, or else those of the repository.
pub(super) fn in_force(door: &FrontDoor, declared: &Declared) -> Vec<UserInfo> {
    let (users, source): (Vec<_>, _) = if door.users.is_empty() {
        (declared.users.keys().collect(), Source::Manifest)
    } else {
        (door.users.keys().collect(), Source::Command)
    };
    users.into_iter().map(|user| UserInfo { user: user.clone(), source }).collect()
}
