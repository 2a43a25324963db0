use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use paas_domain::AppId;
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid, fchown, fstat, openat, renameat, unlinkat};
use thiserror::Error;

use super::{Repositories, open_directory};
use crate::deploy_branch::DeployBranch;

const FRESH: &str = ".HEAD.new";

/// Why a repository's `HEAD` could not be set.
#[derive(Debug, Error)]
#[error("cannot set HEAD in the git repository {}", path.display())]
pub struct SetHeadError {
    path: PathBuf,
    source: io::Error,
}

impl Repositories {
    /// Lets `HEAD` name the branch that was deployed, so that a clone checks out what runs. Does nothing when it already does.
    pub fn set_head(&self, app: AppId, branch: DeployBranch) -> Result<(), SetHeadError> {
        self.write_head(app, branch).map_err(|source| SetHeadError { path: self.path(app), source })
    }

    /// Root writes in a directory that another user owns, so nothing here follows a link: the file is made anew and renamed over the
    /// old one, all relative to the opened directory.
    fn write_head(&self, app: AppId, branch: DeployBranch) -> io::Result<()> {
        let _root = self.lock()?;
        let directory = open_directory(&self.path(app))?;
        let wanted = format!("ref: {}\n", branch.reference());
        if read_head(&directory).is_ok_and(|head| head == wanted) {
            return Ok(());
        }
        match unlinkat(&directory, FRESH, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut fresh = File::from(openat(&directory, FRESH, flags, Mode::from_raw_mode(0o644))?);
        let owner = fstat(&directory)?;
        fchown(&fresh, Some(Uid::from_raw(owner.st_uid)), Some(Gid::from_raw(owner.st_gid)))?;
        fresh.write_all(wanted.as_bytes())?;
        fresh.sync_all()?;
        renameat(&directory, FRESH, &directory, "HEAD")?;
        directory.sync_all()
    }
}

fn read_head(directory: &File) -> io::Result<String> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let head = File::from(openat(directory, "HEAD", flags, Mode::empty())?);
    let mut text = String::new();
    head.take(1024).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn head_follows_the_branch_that_runs() {
        let root = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(root.path(), "/unused");
        let path = repositories.ensure(AppId(1)).unwrap();
        fs::write(path.join(FRESH), "left by a crash").unwrap();
        for branch in [DeployBranch::Master, DeployBranch::Master, DeployBranch::Main] {
            repositories.set_head(AppId(1), branch).unwrap();
            let head = git2::Repository::open_bare(&path).unwrap();
            assert_eq!(head.find_reference("HEAD").unwrap().symbolic_target(), Ok(Some(branch.reference())));
        }
    }

    #[test]
    fn a_link_in_the_place_of_head_is_replaced_and_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let victim = root.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        let repositories = Repositories::new(root.path(), "/unused");
        let path = repositories.ensure(AppId(1)).unwrap();
        fs::remove_file(path.join("HEAD")).unwrap();
        symlink(&victim, path.join("HEAD")).unwrap();
        repositories.set_head(AppId(1), DeployBranch::Main).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        assert_eq!(fs::read_to_string(path.join("HEAD")).unwrap(), "ref: refs/heads/main\n");
    }

    #[test]
    fn an_absent_repository_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        assert!(Repositories::new(root.path(), "/unused").set_head(AppId(1), DeployBranch::Main).is_err());
    }
}
