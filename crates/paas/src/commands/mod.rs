//! The commands, one file each.
#![allow(
    clippy::doc_markdown,
    reason = "clap prints these comments as help, where backticks would only be noise"
)]

mod app_arg;
mod apps_create;
mod apps_destroy;
mod apps_info;
mod apps_list;
mod apps_rename;
mod auth_hash;
mod builds_set;
mod certs_add;
mod certs_ca;
mod certs_list;
mod certs_remove;
mod certs_renew;
mod checks_set;
mod config;
mod config_get;
mod config_import;
mod config_set;
mod config_unset;
mod deploys_set;
mod domains;
mod domains_add;
mod domains_remove;
mod front_door;
mod https_set;
mod keys_add;
mod keys_list;
mod keys_remove;
mod letsencrypt;
mod logs;
mod metrics;
mod mount;
mod new_password;
mod ps;
mod ps_restart;
mod ps_scale;
mod ps_start;
mod ps_stop;
mod purge;
mod releases;
mod releases_abort;
mod releases_canary;
mod releases_promote;
mod setting;
mod status;
mod storage_create;
mod storage_destroy;
mod storage_list;
mod storage_mount;
mod storage_unmount;
mod version;

use std::process::ExitCode;

use clap::Subcommand;
use paas_control::wire::{AppState, Source};

pub(crate) use self::app_arg::{AppArg, Arity, OneApp};
use crate::{
    context::{Context, LocalInput},
    error::CliError,
};

/// What can be said to a server, by its administrator or over ssh.
#[derive(Debug, Subcommand)]
pub(crate) enum AppCommand {
    #[command(name = "apps:create")]
    AppsCreate(apps_create::AppsCreate),
    #[command(name = "apps:list", visible_alias = "apps")]
    AppsList(apps_list::AppsList),
    #[command(name = "apps:info")]
    AppsInfo(apps_info::AppsInfo),
    #[command(name = "apps:destroy")]
    AppsDestroy(apps_destroy::AppsDestroy),
    #[command(name = "apps:rename")]
    AppsRename(apps_rename::AppsRename),
    #[command(name = "config")]
    Config(config::Config),
    #[command(name = "config:set")]
    ConfigSet(config_set::ConfigSet),
    #[command(name = "config:get")]
    ConfigGet(config_get::ConfigGet),
    #[command(name = "config:unset")]
    ConfigUnset(config_unset::ConfigUnset),
    #[command(name = "config:import")]
    ConfigImport(config_import::ConfigImport),
    #[command(name = "domains")]
    Domains(domains::Domains),
    #[command(name = "domains:add")]
    DomainsAdd(domains_add::DomainsAdd),
    #[command(name = "domains:remove")]
    DomainsRemove(domains_remove::DomainsRemove),
    #[command(name = "certs:list", visible_alias = "certs", alias = "certs:report", alias = "certs:info")]
    CertsList(certs_list::CertsList),
    #[command(name = "certs:add", alias = "certs:update")]
    CertsAdd(certs_add::CertsAdd),
    #[command(name = "certs:remove")]
    CertsRemove(certs_remove::CertsRemove),
    #[command(name = "certs:renew")]
    CertsRenew(certs_renew::CertsRenew),
    #[command(name = "certs:ca")]
    CertsCa(certs_ca::CertsCa),
    #[command(name = "https:set")]
    HttpsSet(https_set::HttpsSet),
    #[command(name = "auth:hash")]
    AuthHash(auth_hash::AuthHash),
    #[command(flatten)]
    FrontDoor(front_door::FrontDoorCommand),
    #[command(
        name = "letsencrypt:enable",
        alias = "letsencrypt",
        alias = "letsencrypt:auto-renew",
        alias = "letsencrypt:cron-job",
        alias = "certs:auto",
        alias = "certs:auto:enable"
    )]
    LetsEncrypt(letsencrypt::LetsEncrypt),
    #[command(name = "storage:create")]
    StorageCreate(storage_create::StorageCreate),
    #[command(name = "storage:list")]
    StorageList(storage_list::StorageList),
    #[command(name = "storage:destroy")]
    StorageDestroy(storage_destroy::StorageDestroy),
    #[command(name = "storage:mount")]
    StorageMount(storage_mount::StorageMount),
    #[command(name = "storage:unmount")]
    StorageUnmount(storage_unmount::StorageUnmount),
    #[command(name = "ps")]
    Ps(ps::Ps),
    #[command(name = "ps:restart")]
    PsRestart(ps_restart::PsRestart),
    #[command(name = "ps:start")]
    PsStart(ps_start::PsStart),
    #[command(name = "ps:stop")]
    PsStop(ps_stop::PsStop),
    #[command(name = "ps:scale")]
    PsScale(ps_scale::PsScale),
    #[command(name = "logs")]
    Logs(logs::Logs),
    #[command(name = "releases")]
    Releases(releases::Releases),
    #[command(name = "releases:canary")]
    ReleasesCanary(releases_canary::ReleasesCanary),
    #[command(name = "releases:promote")]
    ReleasesPromote(releases_promote::ReleasesPromote),
    #[command(name = "releases:abort")]
    ReleasesAbort(releases_abort::ReleasesAbort),
    #[command(name = "ssh-keys:add")]
    KeysAdd(keys_add::KeysAdd),
    #[command(name = "ssh-keys:list")]
    KeysList(keys_list::KeysList),
    #[command(name = "ssh-keys:remove")]
    KeysRemove(keys_remove::KeysRemove),
    #[command(name = "builds:set")]
    BuildsSet(builds_set::BuildsSet),
    #[command(name = "checks:set")]
    ChecksSet(checks_set::ChecksSet),
    #[command(name = "deploys:set")]
    DeploysSet(deploys_set::DeploysSet),
    #[command(name = "metrics")]
    Metrics(metrics::Metrics),
    #[command(name = "status")]
    Status(status::Status),
    #[command(name = "purge")]
    Purge(purge::Purge),
    #[command(name = "version")]
    Version(version::Version),
}

impl AppCommand {
    /// Whether it is about one app, so that a clone's git remote can say which.
    pub(crate) fn takes_app(&self) -> bool {
        match self {
            Self::AppsInfo(_)
            | Self::AppsDestroy(_)
            | Self::AppsRename(_)
            | Self::Config(_)
            | Self::ConfigSet(_)
            | Self::ConfigGet(_)
            | Self::ConfigUnset(_)
            | Self::ConfigImport(_)
            | Self::Domains(_)
            | Self::DomainsAdd(_)
            | Self::DomainsRemove(_)
            | Self::CertsAdd(_)
            | Self::CertsRemove(_)
            | Self::CertsRenew(_)
            | Self::HttpsSet(_)
            | Self::FrontDoor(_)
            | Self::StorageMount(_)
            | Self::StorageUnmount(_)
            | Self::Ps(_)
            | Self::PsRestart(_)
            | Self::PsStart(_)
            | Self::PsStop(_)
            | Self::PsScale(_)
            | Self::Logs(_)
            | Self::Releases(_)
            | Self::ReleasesCanary(_)
            | Self::ReleasesPromote(_)
            | Self::ReleasesAbort(_)
            | Self::BuildsSet(_)
            | Self::ChecksSet(_)
            | Self::DeploysSet(_) => true,
            Self::AppsCreate(_)
            | Self::AppsList(_)
            | Self::AuthHash(_)
            | Self::CertsList(_)
            | Self::CertsCa(_)
            | Self::LetsEncrypt(_)
            | Self::StorageCreate(_)
            | Self::StorageList(_)
            | Self::StorageDestroy(_)
            | Self::KeysAdd(_)
            | Self::KeysList(_)
            | Self::KeysRemove(_)
            | Self::Metrics(_)
            | Self::Status(_)
            | Self::Purge(_)
            | Self::Version(_) => false,
        }
    }

    /// What the server has to be given of this machine, when it runs there.
    pub(crate) fn local_input(&self) -> LocalInput {
        match self {
            Self::FrontDoor(command) => command.local_input(),
            _ => LocalInput::Inherited,
        }
    }

    pub(crate) async fn run(self, context: &Context) -> Result<ExitCode, CliError> {
        match self {
            Self::AppsCreate(command) => command.run(context).await,
            Self::AppsList(command) => command.run(context).await,
            Self::AppsInfo(command) => command.run(context).await,
            Self::AppsDestroy(command) => command.run(context).await,
            Self::AppsRename(command) => command.run(context).await,
            Self::Config(command) => command.run(context).await,
            Self::ConfigSet(command) => command.run(context).await,
            Self::ConfigGet(command) => command.run(context).await,
            Self::ConfigUnset(command) => command.run(context).await,
            Self::ConfigImport(command) => command.run(context).await,
            Self::Domains(command) => command.run(context).await,
            Self::DomainsAdd(command) => command.run(context).await,
            Self::DomainsRemove(command) => command.run(context).await,
            Self::CertsList(command) => command.run(context).await,
            Self::CertsAdd(command) => command.run(context).await,
            Self::CertsRemove(command) => command.run(context).await,
            Self::CertsRenew(command) => command.run(context).await,
            Self::CertsCa(command) => command.run(context).await,
            Self::HttpsSet(command) => command.run(context).await,
            Self::FrontDoor(command) => command.run(context).await,
            Self::AuthHash(command) => command.run(),
            Self::LetsEncrypt(command) => command.run(),
            Self::StorageCreate(command) => command.run(context).await,
            Self::StorageList(command) => command.run(context).await,
            Self::StorageDestroy(command) => command.run(context).await,
            Self::StorageMount(command) => command.run(context).await,
            Self::StorageUnmount(command) => command.run(context).await,
            Self::Ps(command) => command.run(context).await,
            Self::PsRestart(command) => command.run(context).await,
            Self::PsStart(command) => command.run(context).await,
            Self::PsStop(command) => command.run(context).await,
            Self::PsScale(command) => command.run(context).await,
            Self::Logs(command) => command.run(context).await,
            Self::Releases(command) => command.run(context).await,
            Self::ReleasesCanary(command) => command.run(context).await,
            Self::ReleasesPromote(command) => command.run(context).await,
            Self::ReleasesAbort(command) => command.run(context).await,
            Self::KeysAdd(command) => command.run(context).await,
            Self::KeysList(command) => command.run(context).await,
            Self::KeysRemove(command) => command.run(context).await,
            Self::BuildsSet(command) => command.run(context).await,
            Self::ChecksSet(command) => command.run(context).await,
            Self::DeploysSet(command) => command.run(context).await,
            Self::Metrics(command) => command.run(context).await,
            Self::Status(command) => command.run(context).await,
            Self::Purge(command) => command.run(context).await,
            Self::Version(command) => command.run(context).await,
        }?;
        Ok(ExitCode::SUCCESS)
    }
}

fn app_state(state: AppState) -> &'static str {
    match state {
        AppState::Running => "running",
        AppState::Stopped => "stopped",
        AppState::Deploying => "deploying",
        AppState::NeverDeployed => "never deployed",
        AppState::Crashed => "crashed",
        AppState::Unknown => "unknown (Docker does not answer)",
    }
}

fn source(source: Source) -> &'static str {
    match source {
        Source::Command => "set by command",
        Source::Manifest => "paas.toml",
        Source::Image => "the image",
        Source::Default => "default",
    }
}
