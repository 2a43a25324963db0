//! A private OpenSSH server on a port of its own.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::command::{program, run};
use crate::ports::free_port;
use crate::process::Process;
use crate::wait::eventually;

const START_DEADLINE: Duration = Duration::from_secs(20);

/// The server's process and what a client must know of it.
#[derive(Debug)]
pub(crate) struct Sshd {
    pub(crate) port: u16,
    /// The line of a client's `known_hosts`.
    pub(crate) known_host: String,
    pub(crate) process: Process,
}

impl Sshd {
    /// Starts it; it believes `authorized_keys` alone.
    pub(crate) fn start(directory: &Path, authorized_keys: &Path) -> Self {
        // Its own privilege separation wants this directory; the distribution's unit makes it, and there may be none.
        fs::create_dir_all("/run/sshd").expect("/run/sshd (these tests run as root)");
        let host_key = make_key(&directory.join("host_key"), "host");
        let port = free_port();
        let config = directory.join("sshd_config");
        fs::write(&config, config_text(port, &host_key, authorized_keys, directory))
            .expect("the sshd configuration");
        let mut command = program("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f"]).arg(&config);
        let mut process = Process::spawn("sshd", &command, directory);
        eventually("sshd answers", START_DEADLINE, || {
            assert!(process.ended().is_none(), "sshd ended:\n{}", process.log());
            TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())
        });
        let public = fs::read_to_string(host_key.with_extension("pub")).expect("the public host key");
        Self { port, known_host: format!("[127.0.0.1]:{port} {public}"), process }
    }
}

/// The home directory is one where the user's shell finds no file to read first: what root has in his own takes time, and may print.
fn config_text(port: u16, host_key: &Path, authorized_keys: &Path, home: &Path) -> String {
    format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
         StrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         AcceptEnv GIT_PROTOCOL\nSetEnv HOME={}\nMaxStartups 200\nPrintMotd no\nUseDNS no\n",
        host_key.display(),
        authorized_keys.display(),
        home.display(),
    )
}

/// Makes a key pair and returns the path of the private part.
pub(crate) fn make_key(path: &Path, comment: &str) -> PathBuf {
    let mut keygen = program("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"]).arg(path);
    run(keygen, b"").ok();
    path.to_path_buf()
}

/// Writes a file that only its owner may read.
pub(crate) fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::File::options()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .expect("a private file");
    file.write_all(text.as_bytes()).expect("a private file");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;

    #[test]
    fn a_known_key_gets_its_forced_command_and_no_other_key_gets_in() {
        let directory = tempfile::tempdir().unwrap();
        let authorized_keys = directory.path().join("authorized_keys");
        let sshd = Sshd::start(directory.path(), &authorized_keys);
        let admin = Client::new(&directory.path().join("admin"), "admin", &sshd);
        let stranger = Client::new(&directory.path().join("stranger"), "stranger", &sshd);
        let forced = "restrict,pty,command=\"echo got: $SSH_ORIGINAL_COMMAND; cat\"";
        write_private(&authorized_keys, &format!("{forced} {}", admin.public_key()));

        let ran = admin.ssh_with_input(&["apps:create", "it's $(quoted)"], b"input").ok();
        assert_eq!(ran.stdout, "got: 'apps:create' 'it'\\''s $(quoted)'\ninput");
        stranger.ssh(&["apps:list"]).fails_with(255).says("Permission denied");
    }
}
