use std::{collections::BTreeSet, time::Duration};

use paas_deploy::{DEFAULT_DRAIN, DEFAULT_GRACE, DEFAULT_PORT};
use paas_domain::{AccessLog, Declared, HealthCheck, IpRange, Strategy, size_text};
use paas_proxy::{Limits, RequestPolicy};
use paas_store::Setting;

use super::{app_info::Stored, setting_value::shown};
use crate::wire::{SettingInfo, Source};

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
    let (door, http) = (&stored.door, &declared.http);
    let allow = ranges(&door.allow, http.allow.as_deref());
    let trusted = ranges(&door.trusted_proxies, http.trusted_proxies.as_deref());
    for (name, (ranges, source), none) in
        [("allow", allow, "everybody"), ("trusted_proxies", trusted, "none")]
    {
        let value = ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let value = if value.is_empty() { none.to_owned() } else { value };
        all.push(SettingInfo { name: name.to_owned(), value, source });
    }
    all
}

/// The list in force: a command's as a whole, or else the repository's.
pub(super) fn ranges(commanded: &BTreeSet<IpRange>, declared: Option<&[IpRange]>) -> (Vec<IpRange>, Source) {
    match declared {
        _ if !commanded.is_empty() => (commanded.iter().copied().collect(), Source::Command),
        Some(declared) => (declared.to_vec(), Source::Manifest),
        None => (Vec::new(), Source::Default),
    }
}

fn port(stored: &Stored, declared: &Declared) -> SettingInfo {
    let port = stored.release.as_ref().map_or(DEFAULT_PORT, |release| release.spec.port);
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
        Setting::HttpsRedirect => declared.https_redirect.map(on_or_off),
        Setting::HstsDays => declared.hsts_days.map(|days| days.to_string()),
        Setting::MaxBody => declared.http.max_body.map(size_text),
        Setting::RequestTimeout => declared.http.request_timeout.map(text),
        Setting::ResponseTimeout => declared.http.response_timeout.map(text),
        Setting::BufferRequests => declared.http.buffer_requests.map(on_or_off),
        Setting::Compression => declared.http.compression.map(on_or_off),
        Setting::Sticky => declared.http.sticky.map(on_or_off),
        Setting::ServerTiming => declared.http.server_timing.map(on_or_off),
        Setting::HoldTimeout => declared.http.hold_timeout.map(text),
        Setting::HoldRequests => declared.http.hold_requests.map(|count| count.to_string()),
        Setting::AccessLog => declared.http.access_log.map(|format| format.as_str().to_owned()),
        Setting::Maintenance => declared.http.maintenance.map(on_or_off),
        Setting::Strategy => declared.strategy.map(|strategy| strategy.to_string()),
        Setting::CanaryShare => declared.canary.map(|share| share.percent().to_string()),
        // The first two are read by the build alone, and a release does not remember them; the last is for commands.
        Setting::Dockerfile | Setting::BuildContext | Setting::MemoryLimit => None,
    }
}

fn default(setting: Setting) -> String {
    let (policy, limits) = (RequestPolicy::default(), Limits::default());
    match setting {
        Setting::Dockerfile => "as paas.toml says, else Dockerfile".to_owned(),
        Setting::BuildContext => "as paas.toml says, else the repository".to_owned(),
        Setting::HealthPath => "/up, or / when there is none".to_owned(),
        Setting::HealthTimeout => text(HealthCheck::default().timeout),
        Setting::DrainTimeout => text(DEFAULT_DRAIN),
        Setting::StopGrace => text(DEFAULT_GRACE),
        Setting::MemoryLimit => "none".to_owned(),
        Setting::HttpsRedirect => on_or_off(true),
        Setting::HstsDays => "0".to_owned(),
        Setting::MaxBody => size_text(policy.max_body),
        Setting::RequestTimeout | Setting::ResponseTimeout => text(limits.response_timeout),
        Setting::BufferRequests
        | Setting::Compression
        | Setting::Sticky
        | Setting::ServerTiming
        | Setting::Maintenance => on_or_off(false),
        Setting::HoldTimeout => text(Duration::from_millis(policy.hold.timeout_ms)),
        Setting::HoldRequests => policy.hold.requests.to_string(),
        Setting::AccessLog => AccessLog::default().as_str().to_owned(),
        Setting::Strategy => Strategy::default().to_string(),
        Setting::CanaryShare => "off".to_owned(),
    }
}

fn on_or_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
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
