//! The command line: the same words on the server, over ssh and on a laptop.
#![allow(
    clippy::doc_markdown,
    reason = "clap prints these comments as help, where backticks would only be noise"
)]

use std::{ffi::OsString, io::Write as _, path::PathBuf, process::ExitCode};

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::{
    commands::AppCommand,
    config,
    context::{Context, remote},
    error::CliError,
    server, small_runtime,
};

/// On the server and on a laptop.
#[derive(Debug, Parser)]
#[command(name = "paas", version, about = ABOUT, after_help = EXAMPLES, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    /// The server's configuration (on the server)
    #[arg(long, global = true, env = "PAAS_CONFIG", value_name = "PATH", hide_env_values = true)]
    config: Option<PathBuf>,
    /// The server to talk to over ssh (from a laptop), for example paas@203.0.113.7; else the `deploy` git remote says
    #[arg(long, global = true, env = "PAAS_HOST", value_name = "[USER@]HOST")]
    host: Option<String>,
    #[command(subcommand)]
    command: Command,
}

/// Over ssh: no flag that names a file or a host, no command of the server's own.
#[derive(Debug, Parser)]
#[command(name = "paas", version, about = ABOUT, after_help = EXAMPLES, max_term_width = 100, arg_required_else_help = true)]
struct SessionCli {
    #[command(subcommand)]
    command: AppCommand,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    App(AppCommand),
    #[command(flatten)]
    Server(server::ServerCommand),
    /// Print the completions for a shell, for example: paas completions bash > /etc/bash_completion.d/paas
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

const ABOUT: &str = "One command turns a bare server into a private Heroku: git push deploy main";

const EXAMPLES: &str = "\
A first app, on a laptop:
  git remote add deploy paas@HOST:blog
  git push deploy main                      builds, checks, switches; prints the URL
  ssh paas@HOST config:set blog KEY=value   sets a config var and deploys again
  ssh paas@HOST logs blog -t                follows what the app prints

The app is the first word, or -a/--app; in a clone with a `deploy` remote it can be left out.
Exit codes: 0 done, 1 refused, 2 usage, 69 the server is away, 70 our fault.";

/// Runs one command line of this machine's own user.
pub(crate) fn run(arguments: &[OsString]) -> Result<ExitCode, CliError> {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return Ok(explain(&error)),
    };
    match cli.command {
        Command::Server(command) => command.run(cli.config),
        Command::Completions { shell } => {
            // Into memory first: clap_complete panics when its reader goes away.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "paas", &mut script);
            std::io::stdout().write_all(&script)?;
            Ok(ExitCode::SUCCESS)
        }
        // Of this machine alone, whether it has a server or not.
        Command::App(AppCommand::AuthHash(command)) => command.run().map(|()| ExitCode::SUCCESS),
        Command::App(command) => {
            let config = cli.config.unwrap_or_else(|| config::DEFAULT_PATH.into());
            if cli.host.is_none() && config.exists() {
                let context = Context::server(&config)?;
                return small_runtime()?.block_on(command.run(&context));
            }
            remote::run(cli.host.as_deref(), arguments, command.takes_app(), &command.local_input())
        }
    }
}

/// Runs one command line that came over ssh.
pub(crate) async fn run_session(words: Vec<String>, context: &Context) -> Result<ExitCode, CliError> {
    let words = std::iter::once("paas".to_owned()).chain(words);
    match SessionCli::try_parse_from(words) {
        Ok(cli) => cli.command.run(context).await,
        Err(error) => Ok(explain(&error)),
    }
}

/// clap knows best how to say it; asking for help is no error.
fn explain(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::LocalInput;

    #[test]
    fn the_command_lines_are_consistent() {
        Cli::command().debug_assert();
        SessionCli::command().debug_assert();
    }

    fn parsed(words: &[&str]) -> AppCommand {
        let words = std::iter::once("paas").chain(words.iter().copied());
        SessionCli::try_parse_from(words).unwrap().command
    }

    #[test]
    fn the_front_door_is_spoken_to_as_people_write_it() {
        for words in [
            &["http:set", "blog", "--max-body", "100m", "--buffer-requests", "on", "--hold-timeout=30s"][..],
            &["routes:add", "blog", "example.com/blog", "--strip"],
            &["redirects:add", "blog", "www.example.com", "example.com", "--status", "301"],
            &["redirect:set", "blog", "www.example.com", "example.com"],
            &["auth:add", "blog", "ann", "--generate"],
            &["allow:add", "-a", "blog", "10.0.0.0/8"],
            &["proxies:remove", "blog", "::1"],
            &["maintenance:on", "blog"],
            &["maintenance", "--json", "blog"],
            &["pages:set", "blog", "502", "-"],
            &["access-log:set", "blog", "--format", "json"],
        ] {
            assert!(parsed(words).takes_app(), "{words:?}");
        }
        let words = ["paas", "auth:add", "blog", "ann", "--password", "x"];
        assert!(SessionCli::try_parse_from(words).is_err(), "a password in the command line is in `ps`");
    }

    #[test]
    fn a_laptop_gives_the_server_its_own_files_and_passwords() {
        let input = |words: &[&str]| parsed(words).local_input();
        let file = LocalInput::File("public/502.html".into());
        assert_eq!(input(&["pages:set", "blog", "502", "public/502.html"]), file);
        assert_eq!(input(&["maintenance:page", "public/502.html"]), file);
        assert_eq!(input(&["pages:set", "blog", "502", "-"]), LocalInput::Inherited);
        assert_eq!(input(&["pages:set", "--stdin", "blog", "502", "x"]), LocalInput::Inherited);
        assert_eq!(input(&["auth:add", "blog", "ann"]), LocalInput::Password);
        assert_eq!(input(&["auth:add", "blog", "ann", "--generate"]), LocalInput::Inherited);
        assert_eq!(input(&["apps:list"]), LocalInput::Inherited);
    }

    #[test]
    fn a_hash_is_made_wherever_it_is_asked_for_and_of_no_argument() {
        assert!(!parsed(&["auth:hash"]).takes_app());
        assert!(!parsed(&["auth:hash", "--generate"]).takes_app());
        assert!(SessionCli::try_parse_from(["paas", "auth:hash", "secret"]).is_err(), "it would be in `ps`");
    }

    #[test]
    fn a_session_has_no_command_of_the_servers_own() {
        for words in [
            ["serve"].as_slice(),
            &["proxy"],
            &["setup"],
            &["--config", "/tmp/x", "apps:list"],
            &["--host", "x", "apps:list"],
            &["ssh-session", "--key", "1"],
        ] {
            let words = std::iter::once("paas").chain(words.iter().copied());
            assert!(SessionCli::try_parse_from(words).is_err());
        }
    }
}
