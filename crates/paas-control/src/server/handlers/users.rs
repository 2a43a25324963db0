use std::ops::RangeInclusive;

use axum::{Extension, Json, extract::State};
use http::StatusCode;
use paas_deploy::PasswordHash;
use paas_domain::Secret;
use paas_store::App;

use crate::{
    server::{
        extract::Body,
        failure::Failure,
        state::{self, blocking},
    },
    wire::{AddUser, RemoveUser, UserInfo},
};

/// How long a password may be, in characters.
const LENGTH: RangeInclusive<usize> = 8..=128;

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<Vec<UserInfo>>, Failure> {
    let door = shared.store(move |store| store.front_door(app.id)).await?;
    Ok(Json(door.users.into_keys().map(|user| UserInfo { user }).collect()))
}

pub(crate) async fn add(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Body(request): Body<AddUser>,
) -> Result<(StatusCode, Json<()>), Failure> {
    let AddUser { user, password } = request;
    check(&password)?;
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
    let user = request.user.clone();
    shared.store(move |store| store.remove_user(app.id, &request.user)).await?;
    tracing::info!(app.name = %app.name, %user, "removed a user");
    shared.deployer().apply_routes(app.id).await?;
    Ok(Json(()))
}

/// Never repeats it.
fn check(password: &Secret) -> Result<(), Failure> {
    let text = password.expose();
    if text.contains(char::is_control) {
        // RFC 7617 §2 has no way to send them.
        return Err(Failure::refused("a password cannot have control characters, like a newline or a tab"));
    }
    if !LENGTH.contains(&text.chars().count()) {
        return Err(Failure::refused("a password has 8 to 128 characters")
            .hint("`--generate` makes a good one and shows it once"));
    }
    Ok(())
}
