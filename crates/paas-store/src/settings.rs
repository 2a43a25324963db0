use std::collections::BTreeMap;

use paas_domain::AppId;
use rusqlite::params;

use crate::{
    apps,
    error::inconsistent,
    store::{Result, Store},
};

/// What a command can set for an app; it wins over the app's paas.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Setting {
    /// Path of the Dockerfile.
    Dockerfile,
    /// The directory that `COPY` sees.
    BuildContext,
    /// The path a health check asks for.
    HealthPath,
    /// How long a new container may take to be healthy.
    HealthTimeout,
    /// How long old requests may go on after a switch.
    DrainTimeout,
    /// Between SIGTERM and SIGKILL.
    StopGrace,
    /// Memory of one container, in bytes.
    MemoryLimit,
    /// Whether plain HTTP is redirected to HTTPS: `on` or `off`.
    HttpsRedirect,
    /// For how many days browsers are told to come by HTTPS alone; `0` is not at all.
    HstsDays,
}

impl Setting {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Dockerfile,
        Self::BuildContext,
        Self::HealthPath,
        Self::HealthTimeout,
        Self::DrainTimeout,
        Self::StopGrace,
        Self::MemoryLimit,
        Self::HttpsRedirect,
        Self::HstsDays,
    ];

    /// Its name in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dockerfile => "dockerfile",
            Self::BuildContext => "build_context",
            Self::HealthPath => "health_path",
            Self::HealthTimeout => "health_timeout",
            Self::DrainTimeout => "drain_timeout",
            Self::StopGrace => "stop_grace",
            Self::MemoryLimit => "memory_limit",
            Self::HttpsRedirect => "https_redirect",
            Self::HstsDays => "hsts_days",
        }
    }

    /// The setting of that name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.as_str() == word)
    }
}

impl Store {
    /// What commands have set.
    pub fn settings(&self, app: AppId) -> Result<BTreeMap<Setting, String>> {
        let rows: Vec<(String, String)> = self.read(|db| {
            let mut query = db.prepare_cached("SELECT name, value FROM settings WHERE app_id = ?1")?;
            Ok(query.query_map([app.0], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
        })?;
        rows.into_iter()
            .map(|(name, value)| {
                let setting = Setting::parse(&name)
                    .ok_or_else(|| inconsistent("settings", &name, "unknown setting"))?;
                Ok((setting, value))
            })
            .collect()
    }

    /// Sets these, or takes them back. Says whether anything changed.
    pub fn change_settings(&self, app: AppId, changes: &[(Setting, Option<String>)]) -> Result<bool> {
        self.write(|db| {
            apps::require(db, app)?;
            let mut rows = 0;
            for (setting, value) in changes {
                rows += match value {
                    Some(value) => db.execute(
                        "INSERT INTO settings (app_id, name, value) VALUES (?1, ?2, ?3)
                         ON CONFLICT (app_id, name) DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
                        params![app.0, setting.as_str(), value],
                    )?,
                    None => db.execute("DELETE FROM settings WHERE app_id = ?1 AND name = ?2", params![app.0, setting.as_str()])?,
                };
            }
            Ok(rows > 0)
        })
    }
}
