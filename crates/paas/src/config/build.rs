use paas_domain::deserialize_size;
use serde::Deserialize;

/// `[build]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BuildSection {
    /// A build is refused while less than this is free on a disk it fills, in bytes.
    #[serde(deserialize_with = "deserialize_size")]
    pub(crate) min_free: u64,
    /// How many releases of an app keep their image.
    pub(crate) keep_releases: usize,
}

impl Default for BuildSection {
    fn default() -> Self {
        Self { min_free: 2 << 30, keep_releases: 5 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_means_here_what_it_means_in_commands() {
        for written in ["'10GB'", "'10g'", "'10 GiB'", "10737418240"] {
            let section: BuildSection = toml::from_str(&format!("min_free = {written}")).unwrap();
            assert_eq!(section.min_free, 10 << 30, "{written}");
        }
    }
}
