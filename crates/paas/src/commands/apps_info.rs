use clap::Args;

use super::{OneApp, app_state, source};
use crate::{context::Context, error::CliError, output};

/// Show everything about an app but its config values
#[derive(Debug, Args)]
pub(crate) struct AppsInfo {
    #[command(flatten)]
    app: OneApp,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl AppsInfo {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let info = context.client.app(&app).await?;
        if self.json {
            return output::json(&info);
        }
        let mut rows = vec![
            ("name", info.name.to_string()),
            ("state", app_state(info.state).to_owned()),
            ("git remote", info.git_remote.clone()),
            ("release", info.release.map_or_else(|| "none yet".to_owned(), |release| release.to_string())),
            ("commit", info.commit.as_ref().map_or_else(String::new, |commit| commit.short().to_owned())),
            ("created", output::time(info.created_at)),
        ];
        rows.extend(info.candidate.iter().map(|candidate| {
            ("candidate", format!("{} ({} of the visitors)", candidate.release, candidate.share))
        }));
        rows.extend(info.urls.iter().map(|url| ("url", url.clone())));
        rows.extend(info.scale.iter().map(|(process, count)| ("scale", format!("{process}={count}"))));
        rows.extend(
            info.mounts.iter().map(|mount| {
                ("mount", format!("{}:{} ({})", mount.volume, mount.path, source(mount.source)))
            }),
        );
        rows.extend(info.redirects.iter().map(|redirect| {
            let (host, to, status) = (&redirect.host, &redirect.to, redirect.status);
            ("redirect", format!("{host} to {to}, {status} ({})", source(redirect.source)))
        }));
        rows.extend(info.routes.iter().map(|route| {
            let strip = if route.strip { " without the path" } else { "" };
            ("route", format!("{}{}{strip} ({})", route.host, route.path, source(route.source)))
        }));
        rows.extend(
            info.users.iter().map(|user| ("user", format!("{} ({})", user.user, source(user.source)))),
        );
        rows.extend(info.settings.iter().map(|setting| {
            ("setting", format!("{} = {} ({})", setting.name, setting.value, source(setting.source)))
        }));
        for (name, value) in rows {
            output::line(&format!("{name:<11} {value}"))?;
        }
        Ok(())
    }
}
