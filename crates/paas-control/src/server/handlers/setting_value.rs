use std::time::Duration;

use paas_domain::{AccessLog, HttpSection, Share, Strategy, parse_duration, parse_size, size_text};
use paas_store::Setting;

use crate::server::failure::Failure;

/// Longer than any path or size anybody types.
const LONGEST: usize = 1024;
/// The engine's own lower limit is 6 MB; below this nothing starts.
const SMALLEST_MEMORY: u64 = 16 * 1024 * 1024;

/// The value as it is stored; refused when a later deploy could not use it.
pub(super) fn stored(setting: Setting, value: &str) -> Result<String, Failure> {
    check(setting, value)?;
    // A size is stored in bytes, whatever unit it was typed in.
    let bytes = is_size(setting).then(|| parse_size(value).ok()).flatten();
    Ok(bytes.map_or_else(|| value.to_owned(), |bytes| bytes.to_string()))
}

/// A stored value as a person types it.
pub(super) fn shown(setting: Setting, value: &str) -> String {
    let bytes = is_size(setting).then(|| value.parse().ok()).flatten();
    bytes.map_or_else(|| value.to_owned(), size_text)
}

fn is_size(setting: Setting) -> bool {
    matches!(setting, Setting::MemoryLimit | Setting::MaxBody)
}

fn check(setting: Setting, value: &str) -> Result<(), Failure> {
    let good = match setting {
        Setting::Dockerfile | Setting::BuildContext => is_inside(value),
        Setting::HealthPath => {
            value.starts_with('/') && value.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
        }
        Setting::HealthTimeout | Setting::RequestTimeout | Setting::ResponseTimeout => {
            parse_duration(value).is_ok_and(|timeout| timeout > Duration::ZERO)
        }
        Setting::HoldTimeout => parse_duration(value).is_ok_and(HttpSection::is_hold_timeout),
        Setting::HoldRequests => value.parse().is_ok_and(HttpSection::is_hold_requests),
        Setting::MaxBody => parse_size(value).is_ok_and(HttpSection::is_max_body),
        Setting::AccessLog => AccessLog::parse(value).is_some(),
        Setting::DrainTimeout | Setting::StopGrace => parse_duration(value).is_ok(),
        Setting::MemoryLimit => parse_size(value).is_ok_and(|bytes| bytes >= SMALLEST_MEMORY),
        Setting::HttpsRedirect
        | Setting::BufferRequests
        | Setting::Compression
        | Setting::Sticky
        | Setting::ServerTiming
        | Setting::Maintenance => matches!(value, "on" | "off"),
        Setting::HstsDays => value.parse::<u16>().is_ok(),
        Setting::Strategy => Strategy::parse(value).is_some(),
        Setting::CanaryShare => value == "off" || value.parse::<Share>().is_ok(),
    };
    if good && value.len() <= LONGEST {
        return Ok(());
    }
    let shown: String = value.chars().take(40).flat_map(char::escape_debug).collect();
    Err(Failure::refused(format!("\"{shown}\" is not a value for {}", setting.as_str())).hint(rule(setting)))
}

fn rule(setting: Setting) -> &'static str {
    match setting {
        Setting::Dockerfile => "use the path of a file in the repository, like docker/web.Dockerfile",
        Setting::BuildContext => "use the path of a directory in the repository, like web",
        Setting::HealthPath => "use a path that begins with /, without blanks, like /up",
        Setting::HealthTimeout | Setting::RequestTimeout | Setting::ResponseTimeout => {
            "use a duration of more than nothing, like 90s or 2m"
        }
        Setting::DrainTimeout | Setting::StopGrace => "use a duration, like 30s or 500ms",
        Setting::HttpsRedirect
        | Setting::BufferRequests
        | Setting::Compression
        | Setting::Sticky
        | Setting::ServerTiming
        | Setting::Maintenance => "use on or off",
        Setting::MaxBody => "use a size from 1k to 1t, like 100m or 2g",
        Setting::HoldTimeout => "use a duration of more than nothing and at most 10m, like 30s",
        Setting::HoldRequests => "use a whole number from 1 to 100000",
        Setting::AccessLog => "use json, combined or off",
        Setting::HstsDays => "use a whole number of days, like 180; 0 is not at all",
        Setting::Strategy => "use rolling, hold or recreate",
        Setting::CanaryShare => "use a whole number of percent from 0 to 100, like 10, or off",
        Setting::MemoryLimit => "use a size of at least 16m, like 512m or 2g",
    }
}

/// A relative path that stays below its root.
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.starts_with('/')
        && !path.contains(|c: char| c.is_control())
        && path.split('/').all(|part| part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_a_deploy_could_not_use_are_refused_with_the_rule() {
        for (setting, bad) in [
            (Setting::Dockerfile, "../Dockerfile"),
            (Setting::Dockerfile, "/etc/passwd"),
            (Setting::BuildContext, ""),
            (Setting::HealthPath, "up"),
            (Setting::HealthPath, "/a b"),
            (Setting::HealthTimeout, "0s"),
            (Setting::DrainTimeout, "soon"),
            (Setting::HttpsRedirect, "maybe"),
            (Setting::HstsDays, "-1"),
            (Setting::HstsDays, "100000"),
            (Setting::MaxBody, "0"),
            (Setting::MaxBody, "2t"),
            (Setting::RequestTimeout, "0"),
            (Setting::ResponseTimeout, "never"),
            (Setting::HoldTimeout, "1h"),
            (Setting::HoldRequests, "0"),
            (Setting::Sticky, "yes"),
            (Setting::AccessLog, "apache"),
            (Setting::Strategy, "Hold"),
            (Setting::CanaryShare, "101"),
            (Setting::MemoryLimit, "1m"),
            (Setting::MemoryLimit, "99999999999999999999g"),
            (Setting::MemoryLimit, "lots"),
        ] {
            let failure = check(setting, bad).unwrap_err();
            assert_eq!(failure.error.hints.len(), 1, "{bad}");
        }
        for (setting, good) in [
            (Setting::Dockerfile, "docker/web.Dockerfile"),
            (Setting::BuildContext, "web"),
            (Setting::HealthPath, "/up?deep=1"),
            (Setting::HealthTimeout, "90s"),
            (Setting::StopGrace, "0s"),
            (Setting::HttpsRedirect, "off"),
            (Setting::HstsDays, "180"),
            (Setting::MaxBody, "100m"),
            (Setting::ResponseTimeout, "5m"),
            (Setting::HoldTimeout, "30s"),
            (Setting::HoldRequests, "500"),
            (Setting::Compression, "on"),
            (Setting::AccessLog, "combined"),
            (Setting::Strategy, "recreate"),
            (Setting::CanaryShare, "10"),
            (Setting::MemoryLimit, "512m"),
        ] {
            assert_eq!(shown(setting, &stored(setting, good).unwrap()), good);
        }
        assert_eq!(stored(Setting::MemoryLimit, "512m").unwrap(), (512u64 << 20).to_string());
    }
}
