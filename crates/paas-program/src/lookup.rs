use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use rustix::fs::Access;

use crate::error::ProgramError;

/// Where programs are looked up, for us and for our children. Fixed, so that no environment decides what root runs.
pub(crate) const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Finds a program's file in a search path. A relative entry is passed over: what a directory happens to hold is never run.
pub(crate) fn find(program: &'static str, path: &OsStr) -> Result<PathBuf, ProgramError> {
    std::env::split_paths(path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(program))
        .find(|candidate| is_executable(candidate))
        .ok_or(ProgramError::Missing { program: program.to_owned(), package: package_of(program).to_owned() })
}

/// The file itself, when it can be run.
pub(crate) fn check(file: &Path) -> Result<PathBuf, ProgramError> {
    if file.is_absolute() && is_executable(file) {
        return Ok(file.to_owned());
    }
    Err(ProgramError::NotExecutable { program: file.display().to_string() })
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok()
}

/// The Debian and Ubuntu package a program comes from; where nothing else is known, the package has the program's name.
fn package_of(program: &'static str) -> &'static str {
    match program {
        "ssh" | "ssh-keygen" | "ssh-keyscan" => "openssh-client",
        "sshd" => "openssh-server",
        "docker" | "dockerd" => "docker.io",
        "systemctl" | "journalctl" => "systemd",
        "setsid" => "util-linux",
        "useradd" | "usermod" | "userdel" => "passwd",
        "git-receive-pack" | "git-upload-pack" => "git",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_says_which_package_has_it() {
        let error = find("no-such-program-here", SEARCH_PATH.as_ref()).unwrap_err().to_string();
        assert_eq!(
            error,
            "no-such-program-here is not installed: run `apt-get install no-such-program-here` and try again"
        );
        assert_eq!(package_of("sshd"), "openssh-server");
    }

    #[test]
    fn a_relative_entry_is_passed_over() {
        assert!(find("git", ".:bin".as_ref()).is_err());
    }

    #[test]
    fn a_named_file_is_absolute_and_executable() {
        assert!(check(Path::new("/bin/sh")).is_ok());
        assert!(check(Path::new("bin/sh")).is_err());
        assert!(check(Path::new("/etc/passwd")).unwrap_err().to_string().contains("chmod +x"));
    }

    #[test]
    fn git_is_found_by_its_absolute_path() {
        assert!(find("git", SEARCH_PATH.as_ref()).unwrap().is_absolute());
    }
}
