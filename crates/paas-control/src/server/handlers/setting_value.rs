use std::time::Duration;

use paas_domain::parse_duration;
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
    let bytes = (setting == Setting::MemoryLimit).then(|| memory(value)).flatten();
    Ok(bytes.map_or_else(|| value.to_owned(), |bytes| bytes.to_string()))
}

/// A stored value as a person types it.
pub(super) fn shown(setting: Setting, value: &str) -> String {
    let size = |bytes: u64| match bytes {
        bytes if bytes % (1 << 30) == 0 => format!("{}g", bytes >> 30),
        bytes if bytes % (1 << 20) == 0 => format!("{}m", bytes >> 20),
        bytes => bytes.to_string(),
    };
    let bytes = (setting == Setting::MemoryLimit).then(|| value.parse().ok()).flatten();
    bytes.map_or_else(|| value.to_owned(), size)
}

fn check(setting: Setting, value: &str) -> Result<(), Failure> {
    let good = match setting {
        Setting::Dockerfile | Setting::BuildContext => is_inside(value),
        Setting::HealthPath => {
            value.starts_with('/') && value.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
        }
        Setting::HealthTimeout => parse_duration(value).is_ok_and(|timeout| timeout > Duration::ZERO),
        Setting::DrainTimeout | Setting::StopGrace => parse_duration(value).is_ok(),
        Setting::MemoryLimit => memory(value).is_some_and(|bytes| bytes >= SMALLEST_MEMORY),
        Setting::HttpsRedirect => matches!(value, "on" | "off"),
        Setting::HstsDays => value.parse::<u16>().is_ok(),
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
        Setting::HealthTimeout => "use a duration of more than nothing, like 90s or 2m",
        Setting::DrainTimeout | Setting::StopGrace => "use a duration, like 30s or 500ms",
        Setting::HttpsRedirect => "use on or off",
        Setting::HstsDays => "use a whole number of days, like 180; 0 is not at all",
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

/// `512m`, `2g`, `65536k`, or bytes.
fn memory(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1 << 10,
        "m" | "mb" => 1 << 20,
        "g" | "gb" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
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
            (Setting::MemoryLimit, "512m"),
        ] {
            assert_eq!(shown(setting, &stored(setting, good).unwrap()), good);
        }
        assert_eq!(stored(Setting::MemoryLimit, "512m").unwrap(), (512u64 << 20).to_string());
    }
}
