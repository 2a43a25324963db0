use paas_domain::BuildSection;

use crate::{limits::Limits, plan_error::PlanError, tree_path::TreePath};

/// What a command set for an app on the server. It wins over the repository's `paas.toml`, field by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The Dockerfile's path from the repository's root.
    pub dockerfile: Option<String>,
    /// The directory that `COPY` sees, from the repository's root.
    pub context: Option<String>,
    /// What a tree may cost.
    pub limits: Limits,
}

impl Settings {
    pub(crate) fn context(&self, file: &BuildSection) -> Result<TreePath, PlanError> {
        Ok(choose("context", self.context.as_deref(), file.context.as_deref())?.unwrap_or_default())
    }

    pub(crate) fn dockerfile(&self, file: &BuildSection) -> Result<Option<TreePath>, PlanError> {
        choose("dockerfile", self.dockerfile.as_deref(), file.dockerfile.as_deref())
    }
}

fn choose(what: &'static str, set: Option<&str>, file: Option<&str>) -> Result<Option<TreePath>, PlanError> {
    let (origin, text) = match (set, file) {
        (Some(text), _) => ("the app's setting", text),
        (None, Some(text)) => ("paas.toml", text),
        (None, None) => return Ok(None),
    };
    TreePath::new(text).map(Some).map_err(|source| PlanError::Path { what, origin, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_wins_over_the_file_field_by_field() {
        let file = BuildSection {
            dockerfile: Some("a/Dockerfile".into()),
            context: Some("a".into()),
            ..Default::default()
        };
        let set = Settings { dockerfile: Some("./b/Dockerfile".into()), ..Settings::default() };
        assert_eq!(set.dockerfile(&file).unwrap().unwrap().as_str(), "b/Dockerfile");
        assert_eq!(set.context(&file).unwrap().as_str(), "a");
        assert_eq!(set.context(&BuildSection::default()).unwrap().as_str(), "");
        let bad = Settings { context: Some("../x".into()), ..Settings::default() };
        assert!(bad.context(&file).unwrap_err().to_string().contains("the app's setting"));
    }
}
