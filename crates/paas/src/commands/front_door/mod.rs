//! How an app's visitors come and how their requests are treated, one file each.

mod access_log_set;
mod allow;
mod allow_add;
mod allow_remove;
mod auth;
mod auth_add;
mod auth_remove;
mod http_set;
mod ip_list;
mod maintenance;
mod maintenance_off;
mod maintenance_on;
mod maintenance_page;
mod page_file;
mod pages;
mod pages_set;
mod pages_unset;
mod proxies;
mod proxies_add;
mod proxies_remove;
mod redirects;
mod redirects_add;
mod redirects_remove;
mod routes;
mod routes_add;
mod routes_remove;

use clap::Subcommand;

use crate::{
    context::{Context, LocalInput},
    error::CliError,
};

/// All of them are about one app and take effect at once.
#[derive(Debug, Subcommand)]
pub(crate) enum FrontDoorCommand {
    #[command(name = "http:set")]
    HttpSet(Box<http_set::HttpSet>),
    #[command(name = "routes", alias = "routes:list")]
    Routes(routes::Routes),
    #[command(name = "routes:add")]
    RoutesAdd(routes_add::RoutesAdd),
    #[command(name = "routes:remove")]
    RoutesRemove(routes_remove::RoutesRemove),
    #[command(name = "redirects", alias = "redirects:list", alias = "redirect")]
    Redirects(redirects::Redirects),
    #[command(name = "redirects:add", alias = "redirects:set", alias = "redirect:set")]
    RedirectsAdd(redirects_add::RedirectsAdd),
    #[command(name = "redirects:remove", alias = "redirects:unset", alias = "redirect:unset")]
    RedirectsRemove(redirects_remove::RedirectsRemove),
    #[command(name = "auth", alias = "auth:list")]
    Auth(auth::Auth),
    #[command(name = "auth:add", alias = "http-auth:on", alias = "http-auth:add-user")]
    AuthAdd(auth_add::AuthAdd),
    #[command(name = "auth:remove", alias = "http-auth:remove-user")]
    AuthRemove(auth_remove::AuthRemove),
    #[command(name = "allow", alias = "allow:list")]
    Allow(allow::Allow),
    #[command(name = "allow:add", alias = "http-auth:add-allowed-ip")]
    AllowAdd(allow_add::AllowAdd),
    #[command(name = "allow:remove", alias = "http-auth:remove-allowed-ip")]
    AllowRemove(allow_remove::AllowRemove),
    #[command(name = "proxies", alias = "proxies:list")]
    Proxies(proxies::Proxies),
    #[command(name = "proxies:add")]
    ProxiesAdd(proxies_add::ProxiesAdd),
    #[command(name = "proxies:remove")]
    ProxiesRemove(proxies_remove::ProxiesRemove),
    #[command(name = "maintenance")]
    Maintenance(maintenance::Maintenance),
    #[command(name = "maintenance:on", alias = "maintenance:enable")]
    MaintenanceOn(maintenance_on::MaintenanceOn),
    #[command(name = "maintenance:off", alias = "maintenance:disable")]
    MaintenanceOff(maintenance_off::MaintenanceOff),
    #[command(name = "maintenance:page")]
    MaintenancePage(maintenance_page::MaintenancePage),
    #[command(name = "pages", alias = "pages:list")]
    Pages(pages::Pages),
    #[command(name = "pages:set", alias = "pages:add")]
    PagesSet(pages_set::PagesSet),
    #[command(name = "pages:unset", alias = "pages:remove")]
    PagesUnset(pages_unset::PagesUnset),
    #[command(name = "access-log:set")]
    AccessLogSet(access_log_set::AccessLogSet),
}

impl FrontDoorCommand {
    /// What the server has to be given of this machine.
    pub(crate) fn local_input(&self) -> LocalInput {
        match self {
            Self::AuthAdd(command) => command.local_input(),
            Self::MaintenancePage(command) => command.local_input(),
            Self::PagesSet(command) => command.local_input(),
            _ => LocalInput::Inherited,
        }
    }

    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::HttpSet(command) => command.run(context).await,
            Self::Routes(command) => command.run(context).await,
            Self::RoutesAdd(command) => command.run(context).await,
            Self::RoutesRemove(command) => command.run(context).await,
            Self::Redirects(command) => command.run(context).await,
            Self::RedirectsAdd(command) => command.run(context).await,
            Self::RedirectsRemove(command) => command.run(context).await,
            Self::Auth(command) => command.run(context).await,
            Self::AuthAdd(command) => command.run(context).await,
            Self::AuthRemove(command) => command.run(context).await,
            Self::Allow(command) => command.run(context).await,
            Self::AllowAdd(command) => command.run(context).await,
            Self::AllowRemove(command) => command.run(context).await,
            Self::Proxies(command) => command.run(context).await,
            Self::ProxiesAdd(command) => command.run(context).await,
            Self::ProxiesRemove(command) => command.run(context).await,
            Self::Maintenance(command) => command.run(context).await,
            Self::MaintenanceOn(command) => command.run(context).await,
            Self::MaintenanceOff(command) => command.run(context).await,
            Self::MaintenancePage(command) => command.run(context).await,
            Self::Pages(command) => command.run(context).await,
            Self::PagesSet(command) => command.run(context).await,
            Self::PagesUnset(command) => command.run(context).await,
            Self::AccessLogSet(command) => command.run(context).await,
        }
    }
}
