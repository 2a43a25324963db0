//! A whole receiving end in one program, used by the tests as git's `GIT_SSH`: it is the ssh client, sshd, the session and the hooks.
//!
//! Started as `receive … HOST COMMAND` it is the way from the client to the session: over pipes or over a socket pair, as sshd was
//! built, and closes its sending half when the client has sent all. Started under a hook's name it is that hook.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what hooks print is what the pusher reads")]
#![allow(clippy::disallowed_methods, reason = "a stand-in for sshd starts the session it serves")]

use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use paas_domain::AppId;
use paas_git::{
    Hangup, Hook, Protocol, Push, PushPlan, RefUpdate, Repositories, SshCommand, hook_name, refuse_ref, serve,
};

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    let transport = env::var("TEST_TRANSPORT").ok();
    let done = match (hook_name(&arguments[0]), transport) {
        (Some(hook), _) => run_hook(hook, &arguments[1..]),
        (None, Some(transport)) => stand_in_for_sshd(&arguments, &transport),
        (None, None) => session(&arguments[arguments.len() - 1]),
    };
    done.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

fn run_hook(hook: Hook, arguments: &[String]) -> Result<ExitCode, Failure> {
    match hook {
        Hook::PreReceive => match PushPlan::of(&RefUpdate::read(io::stdin().lock())?) {
            Ok(plan) => println!("deploying {} of {}", plan.new, plan.branch),
            Err(refusal) => return Err(refusal.into()),
        },
        Hook::Update => {
            if let Some(line) = refuse_ref(&RefUpdate::new(&arguments[0], &arguments[1], &arguments[2])?) {
                return Err(line.into());
            }
        }
        Hook::PostReceive => println!("the branch has moved"),
    }
    Ok(ExitCode::SUCCESS)
}

fn state(name: &str) -> PathBuf {
    PathBuf::from(env::var_os("TEST_STATE").unwrap_or_default()).join(name)
}

/// Makes a state file appear complete: whoever waits for it never reads half of it.
fn tell(name: &str, text: &str) -> io::Result<()> {
    fs::write(state(".fresh"), text)?;
    fs::rename(state(".fresh"), state(name))
}

/// As sshd does, keeps its ends open until the session has ended, whatever the client closes.
fn stand_in_for_sshd(arguments: &[String], transport: &str) -> Result<ExitCode, Failure> {
    let mut session = Command::new(env::current_exe()?);
    session.args(&arguments[1..]).env_remove("TEST_TRANSPORT");
    tell("sshd", &std::process::id().to_string())?;
    let mut session = if transport == "socketpair" {
        let (ours, theirs) = UnixStream::pair()?;
        let child =
            session.stdin(OwnedFd::from(theirs.try_clone()?)).stdout(OwnedFd::from(theirs)).spawn()?;
        drop(session);
        let to_session = ours.try_clone()?;
        send(to_session, |to_session| to_session.shutdown(Shutdown::Write));
        copy(ours, io::stdout().lock())?;
        child
    } else {
        let mut child = session.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        send(child.stdin.take().ok_or("no pipe")?, |to_session| {
            drop(to_session);
            Ok(())
        });
        copy(child.stdout.take().ok_or("no pipe")?, io::stdout().lock())?;
        child
    };
    let code = session.wait()?.code().unwrap_or(255);
    Ok(ExitCode::from(u8::try_from(code)?))
}

/// Sends what the client says to the session, and then that it has said all.
fn send<W: Write + Send + 'static>(
    mut to_session: W,
    close: impl FnOnce(W) -> io::Result<()> + Send + 'static,
) {
    thread::spawn(move || -> io::Result<()> {
        copy(io::stdin().lock(), &mut to_session)?;
        close(to_session)?;
        tell("half-closed", "")
    });
}

fn copy(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            read => to.write_all(&buffer[..read]).and_then(|()| to.flush())?,
        }
    }
}

fn session(command: &str) -> Result<ExitCode, Failure> {
    let app = AppId(1);
    let root = env::var_os("TEST_ROOT").unwrap_or_default();
    let hooks = env::var_os("TEST_HOOKS").unwrap_or_default();
    let repositories = Repositories::new(root, hooks);
    let protocol = Protocol::of(env::var_os("GIT_PROTOCOL").as_deref());
    match SshCommand::parse(command)? {
        SshCommand::ReceivePack { app: name } => {
            repositories.ensure(app)?;
            let push = Push { app: name, id: "p1".to_owned(), key: None };
            let mut pack = repositories.receive_pack(app, push).protocol(protocol);
            if let Some(bytes) = env::var("TEST_LARGEST_PUSH").ok().and_then(|bytes| bytes.parse().ok()) {
                pack = pack.largest_push(bytes);
            }
            tell("session", &std::process::id().to_string())?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let code = runtime.block_on(serve(&pack, on_hangup))?;
            tell("exit", &code.to_string())?;
            Ok(ExitCode::from(code))
        }
        SshCommand::UploadPack { .. } => {
            Err(repositories.upload_pack(app).protocol(protocol).program().exec().into())
        }
        SshCommand::CommandLine(words) => Err(format!("{} is not a command of this test", words[0]).into()),
        SshCommand::Empty => Err("no command".into()),
    }
}

async fn on_hangup() -> Hangup {
    let _ = File::create(state("hangup"));
    match env::var("TEST_HANGUP").as_deref() {
        Ok("finish") => Hangup::LetFinish,
        _ => Hangup::Kill,
    }
}
