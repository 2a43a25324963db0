use std::collections::BTreeMap;

use axum::{Extension, Json, extract::State, response::Response};
use paas_domain::{ConfigKey, DeployKind, Secret};
use paas_store::App;

use crate::{
    server::{
        change::{Change, apply},
        extract::Body,
        failure::Failure,
        identity::Identity,
        state,
    },
    wire::{ConfigChange, ConfigVars},
};

/// Linux gives a program no longer environment string than this, with its name, `=` and final NUL (`MAX_ARG_STRLEN`, execve(2)).
const LONGEST: usize = 128 * 1024;
/// Set by us in every container.
const OURS: [&str; 4] = ["PAAS_APP", "PAAS_RELEASE", "PAAS_COMMIT", "PAAS_PROCESS"];

pub(crate) async fn show(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<ConfigVars>, Failure> {
    let config = shared.store(move |store| store.config(app.id)).await?;
    Ok(Json(ConfigVars { config }))
}

pub(crate) async fn change(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
    Extension(app): Extension<App>,
    Body(request): Body<ConfigChange>,
) -> Result<Response, Failure> {
    for (key, value) in &request.set {
        check(key, value)?;
    }
    if let Some(key) = request.unset.iter().find(|key| request.set.contains_key(*key)) {
        return Err(Failure::refused(format!("{key} cannot be set and removed at once")));
    }
    let description = describe(&request);
    let (id, deploy) = (app.id, request.restart);
    let changed = shared
        .store(move |store| {
            absent(&store.config(id)?, &request.unset)?;
            let set = request.set.into_iter().map(|(key, value)| (key, Some(value)));
            let changes: Vec<_> = set.chain(request.unset.into_iter().map(|key| (key, None))).collect();
            Ok::<_, Failure>(store.change_config(id, &changes)?)
        })
        .await?;
    let change = Change { kind: DeployKind::Config, description, changed, deploy };
    apply(&shared, &identity, &app, change).await
}

fn check(key: &ConfigKey, value: &Secret) -> Result<(), Failure> {
    if OURS.contains(&key.as_str()) {
        return Err(Failure::refused(format!("{key} is set by paas itself")).hint("choose another name"));
    }
    if value.expose().contains('\0') {
        return Err(Failure::refused(format!(
            "the value of {key} contains a NUL byte, which no environment can hold"
        ))
        .hint("encode it, for example with base64"));
    }
    if key.as_str().len() + value.expose().len() + 2 > LONGEST {
        return Err(Failure::refused(format!(
            "the value of {key} is longer than the 128 KiB an environment can hold"
        ))
        .hint("put it in a file on a volume, see `storage:mount`"));
    }
    let is_port = |text: &str| text.parse::<u16>().is_ok_and(|port| port != 0);
    if key.as_str() == "PORT" && !is_port(value.expose()) {
        return Err(Failure::refused("PORT must be a number from 1 to 65535"));
    }
    Ok(())
}

fn absent(config: &BTreeMap<ConfigKey, Secret>, unset: &[ConfigKey]) -> Result<(), Failure> {
    match unset.iter().find(|key| !config.contains_key(*key)) {
        Some(key) => Err(Failure::not_found(format!("there is no config var {key}"))
            .hint("`config` shows those there are")),
        None => Ok(()),
    }
}

/// Names only; this stands in the list of releases.
fn describe(change: &ConfigChange) -> String {
    let names = |keys: Vec<&ConfigKey>| keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match (change.set.is_empty(), change.unset.is_empty()) {
        (true, true) => "Change nothing".to_owned(),
        (false, true) => format!("Set {}", names(change.set.keys().collect())),
        (true, false) => format!("Remove {}", names(change.unset.iter().collect())),
        (false, false) => {
            format!(
                "Set {}, remove {}",
                names(change.set.keys().collect()),
                names(change.unset.iter().collect())
            )
        }
    }
}
