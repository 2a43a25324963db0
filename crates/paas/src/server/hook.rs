//! The git hooks: what receive-pack starts. They decide nothing; control does.

use std::{env, io, path::PathBuf, process::ExitCode, time::Duration};

use futures_util::StreamExt as _;
use paas_control::{Client, ClientError, DeployEvents, wire::StartPush};
use paas_domain::{AppName, DeployEvent, DeployId, KeyId, Outcome};
use paas_git::{Hook, PushPlan, RefUpdate, refuse_ref};
use tokio::time::{Instant, sleep};

use crate::{
    config::{self, Config},
    error::CliError,
    output::{DeployPrinter, print_end},
    small_runtime,
};

/// Control that went away in the middle is being restarted; it is asked again this often, this long.
const RECONNECT_EVERY: Duration = Duration::from_millis(200);
const RECONNECT_FOR: Duration = Duration::from_secs(90);

/// Runs the hook this process was started as.
pub(crate) fn run(hook: Hook) -> Result<ExitCode, CliError> {
    match hook {
        Hook::PreReceive => small_runtime()?.block_on(pre_receive()),
        Hook::Update => update(),
        Hook::PostReceive => small_runtime()?.block_on(post_receive()),
    }
}

/// What `ssh-session` left in the environment.
struct Push {
    client: Client,
    app: AppName,
    id: String,
}

impl Push {
    fn from_environment() -> Result<Self, CliError> {
        let missing =
            || CliError::refused("this repository takes pushes over ssh only").hint("push to paas@HOST:APP");
        let variable = |name| env::var(name).map_err(|_| missing());
        let path =
            env::var_os("PAAS_CONFIG").map_or_else(|| PathBuf::from(config::DEFAULT_PATH), PathBuf::from);
        let config = Config::load(&path).map_err(|error| CliError::of(&error))?;
        let key = variable("PAAS_KEY")?.parse().map(KeyId).map_err(|_| missing())?;
        Ok(Self {
            client: Client::new(config.control_socket(), Some(key)),
            app: AppName::new(variable("PAAS_APP")?).map_err(|error| CliError::of(&error))?,
            id: variable("PAAS_PUSH")?,
        })
    }
}

async fn pre_receive() -> Result<ExitCode, CliError> {
    let push = Push::from_environment()?;
    let updates = RefUpdate::read(io::stdin().lock()).map_err(|error| CliError::of(&error))?;
    let plan = PushPlan::of(&updates).map_err(|refusal| CliError::refused(refusal.to_string()))?;
    let app = push.client.app(&push.app).await?.id;
    let start = StartPush {
        push: push.id.clone(),
        app,
        branch: plan.branch.name().to_owned(),
        old: plan.old,
        new: plan.new,
        quarantine: quarantine()?,
    };
    let events = push.client.start_push(&start).await?;
    match follow(&push.client, events).await? {
        Outcome::Done => Ok(ExitCode::SUCCESS),
        _ => Err(CliError::silent()),
    }
}

/// The quarantine is absolute in git's environment; nothing of ours changes the directory.
fn quarantine() -> Result<Option<PathBuf>, CliError> {
    env::var_os("GIT_QUARANTINE_PATH").map(|path| Ok(std::path::absolute(path)?)).transpose()
}

/// Prints the deploy to its end. When control goes away in the middle, comes back to the same deploy as soon as control does.
async fn follow(client: &Client, mut events: DeployEvents) -> Result<Outcome, CliError> {
    let mut printer = DeployPrinter::new();
    let mut deploy: Option<DeployId> = None;
    loop {
        let broken = loop {
            match events.next().await {
                Some(Ok(DeployEvent::Ended { outcome, release, url, share })) => {
                    print_end(outcome, release, url.as_deref(), share)?;
                    return Ok(outcome);
                }
                Some(Ok(DeployEvent::Accepted { deploy: id })) => deploy = Some(id),
                Some(Ok(event)) => printer.print(&event)?,
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        let Some(id) = deploy else {
            return Err(broken.map_or_else(
                || CliError::refused("the server ended before the deploy began; push again"),
                Into::into,
            ));
        };
        printer.note("the server went away; waiting for it to come back")?;
        events = reconnect(client, id).await?;
    }
}

async fn reconnect(client: &Client, deploy: DeployId) -> Result<DeployEvents, CliError> {
    let deadline = Instant::now() + RECONNECT_FOR;
    loop {
        match client.follow_deploy(deploy).await {
            Ok(events) => return Ok(events),
            Err(ClientError::Unreachable { .. }) if Instant::now() < deadline => sleep(RECONNECT_EVERY).await,
            Err(error) => return Err(error.into()),
        }
    }
}

/// `update <ref> <old> <new>`: what is not a deploy branch is refused by itself, so that the deploy branch beside it goes through.
fn update() -> Result<ExitCode, CliError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [reference, old, new] = arguments.as_slice() else {
        return Err(CliError::usage("the update hook takes a reference and two object ids"));
    };
    let update = RefUpdate::new(reference, old, new).map_err(|error| CliError::of(&error))?;
    match refuse_ref(&update) {
        None => Ok(ExitCode::SUCCESS),
        Some(why) => Err(CliError::refused(why)),
    }
}

/// The branch has moved: the app's next push may begin. Control notices by itself, later, when it is not told.
async fn post_receive() -> Result<ExitCode, CliError> {
    let push = Push::from_environment()?;
    push.client.push_received(&push.id).await?;
    Ok(ExitCode::SUCCESS)
}
