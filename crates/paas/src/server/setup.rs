use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, chown},
    path::Path,
    process::ExitCode,
};

use paas_git::install_hooks;
use paas_store::{AddressPool, SecretKey, Store};

use crate::{config::Config, error::CliError};

/// Makes what is missing and leaves what is there: safe to repeat on a running server.
pub(super) fn run(config: &Config) -> Result<ExitCode, CliError> {
    let paths = &config.paths;
    for directory in [&paths.data, &paths.run, &paths.data.join("ssh"), &paths.data.join("backups")] {
        make(directory, 0o755)?;
    }
    make(&paths.data.join("proxy"), 0o700)?;
    let repositories = paths.repositories();
    make(&repositories, 0o755)?;
    let key = SecretKey::load_or_create(&paths.secret_key()).map_err(|error| CliError::of(&error))?;
    let pool = AddressPool::parse(&config.network.pool).map_err(|error| CliError::of(&error))?;
    Store::open(&paths.database(), key, pool).map_err(|error| CliError::of(&error))?;
    install_hooks(&paths.hooks(), &own_binary()?).map_err(|error| CliError::of(&error))?;
    if let Some((uid, gid)) = proxy_user() {
        chown(paths.data.join("proxy"), Some(uid), Some(gid)).map_err(|error| at(&paths.data, &error))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// This binary's path, as hooks and forced commands name it. A replaced binary's old inode shows as `… (deleted)`; the path is still right.
pub(super) fn own_binary() -> Result<std::path::PathBuf, CliError> {
    let path = std::env::current_exe()?;
    let text = path.to_string_lossy();
    Ok(text.strip_suffix(" (deleted)").map_or_else(|| path.clone(), Into::into))
}

fn make(directory: &Path, mode: u32) -> Result<(), CliError> {
    fs::DirBuilder::new().recursive(true).mode(mode).create(directory).map_err(|error| at(directory, &error))
}

fn at(path: &Path, error: &io::Error) -> CliError {
    CliError::refused(format!("{}: {error}", path.display())).hint("`paas setup` needs to run as root")
}

/// The account the proxy runs as, when install.sh has made it.
fn proxy_user() -> Option<(u32, u32)> {
    crate::config::SshSection { user: "paas-proxy".to_owned(), ..Default::default() }.uid()
}
