use std::collections::BTreeMap;

use paas_docker::EngineInfo;
use paas_domain::{AppId, AppName, Declared, DeployKind, Masker, ProcessType, ReleaseSpec, Share, Strategy};
use paas_store::{App, NewRelease, Release, Setting, Wanted};

use super::{
    build::{self, BuildResult},
    check, failed, hold, release_command, start,
};
use crate::{
    deployer::{Deployer, Job, PushRequest},
    failure::{Failure, Stop},
    request_policy,
    run::Run,
    spec::{Built, Commanded, canary_share, resolve, strategy},
};

/// How a deploy that is prepared goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It serves everybody.
    Switch,
    /// It is the candidate for that share of the visitors.
    Candidate(Share),
}

/// What is done before the app's turn: a build may take long, and nobody has to wait for it to stop or configure the app.
pub(crate) async fn build(deployer: &Deployer, run: &Run, job: &Job) -> Result<Option<BuildResult>, Stop> {
    let app = deployer.store.get_app_by_id(run.app)?;
    let commanded = commanded(deployer, &app)?;
    run.log.mask_with(Masker::new(commanded.config.values()));
    let engine = check_world(deployer).await?;
    match job {
        Job::Push(request) => build::build(deployer, run, &app, request, &engine, &commanded).await.map(Some),
        Job::Redeploy { .. } => Ok(None),
    }
}

/// Everything else before the switch, with the app's turn. Dropping it in the middle is a cancel: what it made is found and removed by
/// [`super::undo`].
pub(crate) async fn prepare(
    deployer: &Deployer,
    run: &Run,
    job: &Job,
    build: Option<BuildResult>,
) -> Result<Ending, Stop> {
    // Read now: what was true before the turn may not be true any more.
    let app = deployer.store.get_app_by_id(run.app)?;
    refuse_while_held(deployer, app.id)?;
    let commanded = commanded(deployer, &app)?;
    run.log.mask_with(Masker::new(commanded.config.values()));
    let settings = commanded.settings.clone();
    let share_of = |declared: &Declared| canary_share(&settings, declared).filter(|_| may_be_candidate(job));
    let (release, share) = match (job, build) {
        (Job::Push(request), Some(build)) => {
            check_branch(request)?;
            let subject = build.subject.clone();
            let image = build::declared(deployer, run, &app, build)?;
            tell_left_out(deployer, run, &app, &image.declared)?;
            tell_overruled(run, &app.name, &settings, &image.declared);
            let share = share_of(&image.declared);
            check_canary(&app, share, strategy(&settings, &image.declared))?;
            let spec = resolve(image, commanded);
            (create_release(deployer, run, &spec, subject, &request.requested_by)?, share)
        }
        (Job::Redeploy { kind, description, requested_by }, _) => {
            if app.wanted == Wanted::Stopped && !kind.starts_a_stopped_app() {
                return Err(Failure::new("the app was stopped in the meantime")
                    .hint(format!(
                        "the change is stored; `paas ps:start {}` starts the app with it",
                        app.name
                    ))
                    .into());
            }
            let (current, share) = base_release(deployer, &app, share_of)?;
            check_canary(&app, share, strategy(&settings, &current.spec.declared))?;
            let spec = resolve(Built::from(current.spec.clone()), commanded);
            let release = if spec == current.spec {
                deployer.store.use_release(run.deploy, current.id)?;
                current
            } else {
                create_release(deployer, run, &spec, description.clone(), requested_by)?
            };
            (release, share)
        }
        (Job::Push(_), None) => return Err(Failure::new("nothing was built").into()),
    };
    let counts = counts(deployer, &app, &release.spec)?;
    start::ensure_surroundings(deployer, &app, &release.spec).await?;
    hold::hold(deployer, run, &app, strategy(&settings, &release.spec.declared)).await?;
    if matches!(job, Job::Push(_)) && release.spec.release_command.is_some() {
        release_command::run(deployer, run, &app, &release).await?;
    }
    let rows = start::start(deployer, run, &app, &release, &counts).await?;
    check::check(deployer, run, &app, &release, &rows).await?;
    match share {
        Some(share) if app.active_deploy.is_some() => Ok(Ending::Candidate(share)),
        Some(_) => {
            run.log.step("Nothing serves that this could be a candidate beside: everybody gets it");
            Ok(Ending::Switch)
        }
        None => Ok(Ending::Switch),
    }
}

/// What paas.toml says of hostnames that are not the app's, or are somebody else's by command.
fn tell_left_out(deployer: &Deployer, run: &Run, app: &App, declared: &Declared) -> Result<(), Stop> {
    let rules = deployer.host_rules_with(app, &deployer.store.front_door(app.id)?, declared)?;
    for left_out in rules.left_out {
        run.log.line(format!("warning: {}", left_out.sentence(&app.name)));
    }
    Ok(())
}

/// What paas.toml says that each push might be expected to do, and a command keeps from being done.
fn tell_overruled(run: &Run, app: &AppName, settings: &BTreeMap<Setting, String>, declared: &Declared) {
    let tell = |said: String, setting, undo: String| {
        let commanded = settings.get(&setting).map(String::as_str).unwrap_or_default();
        run.log.line(format!(
            "warning: `{said}` in paas.toml is not in force: a command says {commanded}; `paas {undo}` leaves it to the file"
        ));
    };
    let maintenance = request_policy::in_maintenance(settings, declared);
    if let Some(file) = declared.http.maintenance.filter(|file| *file != maintenance) {
        tell(
            format!("maintenance = {file}"),
            Setting::Maintenance,
            format!("http:set {app} --maintenance ''"),
        );
    }
    if let Some(file) = declared.canary.filter(|file| canary_share(settings, declared) != Some(*file)) {
        let said = format!("canary = {}", file.percent());
        tell(said, Setting::CanaryShare, format!("releases:canary {app} ''"));
    }
}

/// A restart, a start and a scale are about what serves already.
fn may_be_candidate(job: &Job) -> bool {
    match job {
        Job::Push(_) => true,
        Job::Redeploy { kind, .. } => matches!(kind, DeployKind::Push | DeployKind::Config),
    }
}

/// A candidate is a second version beside the first, which is what the other strategies are there to prevent.
fn check_canary(app: &App, share: Option<Share>, strategy: Strategy) -> Result<(), Stop> {
    if share.is_none() || app.active_deploy.is_none() || !strategy.stops_first() {
        return Ok(());
    }
    let name = &app.name;
    Err(Failure::new(format!(
        "the strategy {strategy} lets one version run at a time, and a candidate would be a second one"
    ))
    .hint(format!(
        "`paas releases:canary {name} off` deploys to everybody; `paas deploys:set {name} --strategy rolling` allows two versions"
    ))
    .into())
}

/// A deploy that could not run or could not switch is not begun.
async fn check_world(deployer: &Deployer) -> Result<EngineInfo, Stop> {
    let (engine, proxy) = tokio::join!(deployer.engine.info(), deployer.proxy.answers());
    let engine = engine?;
    proxy.map_err(|error| failed("the proxy is away", &error))?;
    Ok(engine)
}

/// git moves the branch only from where the client saw it; what would be refused after the deploy is refused before.
fn check_branch(request: &PushRequest) -> Result<(), Stop> {
    let now = request.branch_now.read().map_err(Failure::new)?;
    if now == request.old {
        return Ok(());
    }
    Err(Failure::new(format!("another push has moved {} in the meantime", request.branch))
        .hint("fetch it and push again, or push with --force")
        .into())
}

fn commanded(deployer: &Deployer, app: &App) -> Result<Commanded, Stop> {
    Ok(Commanded {
        config: deployer.store.config(app.id)?,
        mounts: deployer.store.mounts(app.id)?,
        settings: deployer.store.settings(app.id)?,
    })
}

/// The release a change is made to, and the share it gets: what serves, or what is on its way to, when the change goes to a candidate. Whether it does
/// is said by the newer of the two, whose paas.toml is the last that was pushed.
fn base_release(
    deployer: &Deployer,
    app: &App,
    share_of: impl Fn(&Declared) -> Option<Share>,
) -> Result<(Release, Option<Share>), Stop> {
    if let Some(id) = deployer.store.candidate(app.id)?.and_then(|candidate| candidate.release) {
        let candidate = deployer.store.get_release(id)?;
        let share = share_of(&candidate.spec.declared);
        if share.is_some() {
            return Ok((candidate, share));
        }
        return Ok((active_release(deployer, app)?, None));
    }
    let active = active_release(deployer, app)?;
    let share = share_of(&active.spec.declared);
    Ok((active, share))
}

fn active_release(deployer: &Deployer, app: &App) -> Result<Release, Stop> {
    let Some(id) = app.release else {
        return Err(Failure::new("the app was never deployed")
            .hint("push it first: git push deploy main")
            .into());
    };
    Ok(deployer.store.get_release(id)?)
}

fn create_release(
    deployer: &Deployer,
    run: &Run,
    spec: &ReleaseSpec,
    description: String,
    created_by: &str,
) -> Result<Release, Stop> {
    let new = NewRelease { deploy: run.deploy, spec, description, created_by: created_by.to_owned() };
    let release = deployer.store.create_release(new)?;
    run.log.step(format!("Release {}", release.version));
    Ok(release)
}

/// How many containers of each process type: what was commanded, else what paas.toml says, else one.
pub(super) fn counts(
    deployer: &Deployer,
    app: &App,
    spec: &ReleaseSpec,
) -> Result<Vec<(ProcessType, u16)>, Stop> {
    let commanded: BTreeMap<ProcessType, u16> = deployer.store.scale(app.id)?;
    let count = |process_type| {
        commanded.get(process_type).or_else(|| spec.declared.scale.get(process_type)).copied().unwrap_or(1)
    };
    Ok(spec.processes.keys().map(|process_type| (process_type.clone(), count(process_type))).collect())
}

/// A deploy that stopped all others and could not be undone yet: none may serve before that.
pub(super) fn refuse_while_held(deployer: &Deployer, app: AppId) -> Result<(), Stop> {
    if deployer.store.holding_deploy(app)?.is_none() {
        return Ok(());
    }
    Err(Failure::new("an earlier deploy of this app is still being undone")
        .hint("try again in a moment; `paas ps` shows what runs")
        .into())
}
