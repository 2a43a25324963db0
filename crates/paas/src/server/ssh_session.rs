use std::{env, path::PathBuf, process::ExitCode};

use paas_control::{Client, wire::CancelAnswer};
use paas_domain::{AppName, KeyId};
use paas_git::{Hangup, Protocol, Push, Repositories, SshCommand};

use crate::{cli, config::Config, context::Context, error::CliError, small_runtime};

/// Serves the one command of an ssh connection. sshd has authenticated the key; `SSH_ORIGINAL_COMMAND` is all the client decides.
pub(super) fn run(config: &Config, config_path: Option<PathBuf>, key: KeyId) -> Result<ExitCode, CliError> {
    let command = env::var_os("SSH_ORIGINAL_COMMAND");
    let command = SshCommand::from_environment(command.as_deref())
        .map_err(|error| CliError::usage(error.to_string()))?;
    let protocol = Protocol::of(env::var_os("GIT_PROTOCOL").as_deref());
    let context = Context::session(config, key);
    small_runtime()?.block_on(async {
        match command {
            SshCommand::CommandLine(words) => cli::run_session(words, &context).await,
            SshCommand::Empty => cli::run_session(vec!["help".to_owned()], &context).await,
            SshCommand::ReceivePack { app } => {
                receive(config, config_path, &context.client, key, app, protocol).await
            }
            SshCommand::UploadPack { app } => fetch(config, &context.client, &app, protocol).await,
        }
    })
}

async fn receive(
    config: &Config,
    config_path: Option<PathBuf>,
    client: &Client,
    key: KeyId,
    app: AppName,
    protocol: Option<Protocol>,
) -> Result<ExitCode, CliError> {
    let prepared = client.prepare_push(&app).await?;
    if prepared.created {
        eprint_line(&format!("-----> Created the app {app}"));
    }
    let id = format!("{:032x}", rand::random::<u128>());
    let push = Push { app, id: id.clone(), key: Some(key) };
    let repositories = Repositories::new(config.paths.repositories(), config.paths.hooks());
    let pack =
        repositories.receive_pack(prepared.app_id, push).config(config_path.as_deref()).protocol(protocol);
    let on_hangup = || async {
        match client.cancel_push(&id).await {
            Ok(CancelAnswer::TooLate) => Hangup::LetFinish,
            // Cancelled: the hook ends by itself, but nobody waits for its words. Unknown or away: no deploy began that must be kept.
            Ok(CancelAnswer::Cancelled | CancelAnswer::Unknown) | Err(_) => Hangup::Kill,
        }
    };
    let code = paas_git::serve(&pack, on_hangup).await.map_err(|error| CliError::of(&error))?;
    Ok(ExitCode::from(code))
}

/// `git fetch` and `git clone`: whoever may push may read.
async fn fetch(
    config: &Config,
    client: &Client,
    app: &AppName,
    protocol: Option<Protocol>,
) -> Result<ExitCode, CliError> {
    let prepared = client.prepare_fetch(app).await?;
    let repositories = Repositories::new(config.paths.repositories(), config.paths.hooks());
    let program = repositories.upload_pack(prepared.app_id).protocol(protocol).program();
    Err(CliError::of(&program.exec()))
}

/// Before git speaks, standard error is the person's.
fn eprint_line(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
}
