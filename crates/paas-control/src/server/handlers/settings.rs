use axum::{Extension, Json, extract::State};
use paas_store::{App, Setting};

use super::{canary, setting_value::stored};
use crate::{
    server::{extract::Body, failure::Failure, state},
    wire::{Saved, SettingsChange, TakesEffect},
};

pub(crate) async fn change(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Body(request): Body<SettingsChange>,
) -> Result<Json<Saved>, Failure> {
    let changes = request.set.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let build_only = changes.iter().all(|(setting, _)| is_read_by_builds(*setting));
    let route_only = changes.iter().all(|(setting, _)| is_read_by_routes(*setting));
    let has_route = changes.iter().any(|(setting, _)| is_read_by_routes(*setting));
    let of = app.clone();
    let is_new = shared
        .store(move |store| {
            canary::check_changes(store, &of, &changes)?;
            Ok::<_, Failure>(store.change_settings(of.id, &changes)?)
        })
        .await?;
    if is_new && has_route {
        shared.deployer().apply_routes(app.id).await?;
    }
    let takes_effect = match (is_new, app.release) {
        (false, _) => TakesEffect::Now,
        (true, _) if route_only => TakesEffect::Now,
        (true, Some(_)) if !build_only => TakesEffect::NextRestart,
        (true, _) => TakesEffect::NextPush,
    };
    Ok(Json(Saved { changed: is_new, takes_effect }))
}

fn read((name, value): (String, Option<String>)) -> Result<(Setting, Option<String>), Failure> {
    let setting = Setting::parse(&name).ok_or_else(|| unknown(&name))?;
    let value = value.map(|value| stored(setting, &value)).transpose()?;
    Ok((setting, value))
}

fn is_read_by_builds(setting: Setting) -> bool {
    matches!(setting, Setting::Dockerfile | Setting::BuildContext)
}

fn is_read_by_routes(setting: Setting) -> bool {
    match setting {
        Setting::HttpsRedirect
        | Setting::HstsDays
        | Setting::MaxBody
        | Setting::RequestTimeout
        | Setting::ResponseTimeout
        | Setting::BufferRequests
        | Setting::Compression
        | Setting::Sticky
        | Setting::ServerTiming
        | Setting::HoldTimeout
        | Setting::HoldRequests
        | Setting::AccessLog
        | Setting::Maintenance => true,
        Setting::Dockerfile
        | Setting::BuildContext
        | Setting::HealthPath
        | Setting::HealthTimeout
        | Setting::DrainTimeout
        | Setting::StopGrace
        | Setting::MemoryLimit
        | Setting::Strategy
        | Setting::CanaryShare => false,
    }
}

fn unknown(name: &str) -> Failure {
    let name: String = name.chars().take(40).flat_map(char::escape_debug).collect();
    let known: Vec<_> = Setting::ALL.iter().map(|setting| setting.as_str()).collect();
    Failure::refused(format!("there is no setting \"{name}\""))
        .hint(format!("the settings are {}", known.join(", ")))
}
