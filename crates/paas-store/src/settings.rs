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
    /// The largest request body, in bytes.
    MaxBody,
    /// How long a request's body may bring nothing.
    RequestTimeout,
    /// How long an app may take to begin its answer.
    ResponseTimeout,
    /// Whether a body is read whole before the app is asked: `on` or `off`.
    BufferRequests,
    /// Whether answers are compressed: `on` or `off`.
    Compression,
    /// Whether a visitor stays with one container: `on` or `off`.
    Sticky,
    /// Whether answers carry `Server-Timing`: `on` or `off`.
    ServerTiming,
    /// How long a request waits while the app is between two versions.
    HoldTimeout,
    /// How many requests wait then.
    HoldRequests,
    /// How requests are written down: `json`, `combined` or `off`.
    AccessLog,
    /// Whether visitors see the maintenance page: `on` or `off`.
    Maintenance,
    /// How a new release takes the place of the old one, a [`Strategy`](paas_domain::Strategy).
    Strategy,
    /// The share of the visitors that pushes and config changes get as candidates, in percent; `off`: they serve everybody.
    CanaryShare,
}

impl Setting {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::Dockerfile,
        Self::BuildContext,
        Self::HealthPath,
        Self::HealthTimeout,
        Self::DrainTimeout,
        Self::StopGrace,
        Self::MemoryLimit,
        Self::HttpsRedirect,
        Self::HstsDays,
        Self::MaxBody,
        Self::RequestTimeout,
        Self::ResponseTimeout,
        Self::BufferRequests,
        Self::Compression,
        Self::Sticky,
        Self::ServerTiming,
        Self::HoldTimeout,
        Self::HoldRequests,
        Self::AccessLog,
        Self::Maintenance,
        Self::Strategy,
        Self::CanaryShare,
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
            Self::MaxBody => "max_body",
            Self::RequestTimeout => "request_timeout",
            Self::ResponseTimeout => "response_timeout",
            Self::BufferRequests => "buffer_requests",
            Self::Compression => "compression",
            Self::Sticky => "sticky",
            Self::ServerTiming => "server_timing",
            Self::HoldTimeout => "hold_timeout",
            Self::HoldRequests => "hold_requests",
            Self::AccessLog => "access_log",
            Self::Maintenance => "maintenance",
            Self::Strategy => "strategy",
            Self::CanaryShare => "canary_share",
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
