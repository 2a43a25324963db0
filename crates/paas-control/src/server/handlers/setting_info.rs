use std::time::Duration;

use paas_domain::{Declared, HealthCheck};
use paas_store::Setting;

use super::{app_info::Stored, setting_value::shown};
use crate::wire::{SettingInfo, Source};

/// The defaults of `paas_deploy`.
const DRAIN: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(30);
const PORT: u16 = 3000;

/// Every setting with its value and where that comes from.
pub(super) fn in_force(stored: &Stored) -> Vec<SettingInfo> {
    let none = Declared::default();
    let declared = stored.release.as_ref().map_or(&none, |release| &release.spec.declared);
    let setting = |setting: Setting| {
        let commanded = stored.settings.get(&setting).map(|value| (shown(setting, value), Source::Command));
        let (value, source) = commanded
            .or_else(|| manifest(setting, declared).map(|value| (value, Source::Manifest)))
            .unwrap_or_else(|| (default(setting), Source::Default));
        SettingInfo { name: setting.as_str().to_owned(), value, source }
    };
    let mut all: Vec<_> = Setting::ALL.into_iter().map(setting).collect();
    all.push(port(stored, declared));
    all
}

fn port(stored: &Stored, declared: &Declared) -> SettingInfo {
    let port = stored.release.as_ref().map_or(PORT, |release| release.spec.port);
    let source = match declared.port {
        _ if stored.port_is_set => Source::Command,
        Some(_) => Source::Image,
        None => Source::Default,
    };
    SettingInfo { name: "port".to_owned(), value: port.to_string(), source }
}

fn manifest(setting: Setting, declared: &Declared) -> Option<String> {
    match setting {
        Setting::HealthPath => declared.health_path.clone(),
        Setting::HealthTimeout => declared.health_timeout.map(text),
        Setting::DrainTimeout => declared.drain_timeout.map(text),
        Setting::StopGrace => declared.stop_grace.map(text),
        Setting::HttpsRedirect => declared.https_redirect.map(|on| if on { "on" } else { "off" }.to_owned()),
        Setting::HstsDays => declared.hsts_days.map(|days| days.to_string()),
        // Only the build reads these; a release does not remember them.
        Setting::Dockerfile | Setting::BuildContext | Setting::MemoryLimit => None,
    }
}

fn default(setting: Setting) -> String {
    match setting {
        Setting::Dockerfile => "as paas.toml says, else Dockerfile".to_owned(),
        Setting::BuildContext => "as paas.toml says, else the repository".to_owned(),
        Setting::HealthPath => "/up, or / when there is none".to_owned(),
        Setting::HealthTimeout => text(HealthCheck::default().timeout),
        Setting::DrainTimeout => text(DRAIN),
        Setting::StopGrace => text(GRACE),
        Setting::MemoryLimit => "none".to_owned(),
        Setting::HttpsRedirect => "on".to_owned(),
        Setting::HstsDays => "0".to_owned(),
    }
}

fn text(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("{}s", duration.as_secs()),
        _ => format!("{}ms", duration.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use paas_domain::parse_duration;

    use super::*;

    #[test]
    fn durations_are_shown_as_they_are_typed() {
        for millis in [0, 500, 1_000, 90_000, 1_500] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse_duration(&text(duration)), Ok(duration));
        }
    }
}
