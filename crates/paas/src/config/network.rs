use serde::Deserialize;

/// `[network]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NetworkSection {
    /// The range that app networks are cut from, a /24 each. Must not be in use around the server.
    pub(crate) pool: String,
}

impl Default for NetworkSection {
    fn default() -> Self {
        Self { pool: "10.208.0.0/12".to_owned() }
    }
}
