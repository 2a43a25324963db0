use std::collections::BTreeMap;

use paas_docker::EngineInfo;
use paas_domain::{Masker, ProcessType, ReleaseSpec};
use paas_store::{App, NewRelease, Release, Wanted};

use super::{
    build::{self, BuildResult},
    check, failed, release_command, start,
};
use crate::{
    deployer::{Deployer, Job, PushRequest},
    failure::{Failure, Stop},
    run::Run,
    spec::{Built, Commanded, resolve},
};

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
) -> Result<(), Stop> {
    // Read now: what was true before the turn may not be true any more.
    let app = deployer.store.get_app_by_id(run.app)?;
    let commanded = commanded(deployer, &app)?;
    run.log.mask_with(Masker::new(commanded.config.values()));
    let release = match (job, build) {
        (Job::Push(request), Some(build)) => {
            check_branch(request)?;
            let subject = build.subject.clone();
            let spec = resolve(build::declared(deployer, run, &app, build)?, commanded);
            create_release(deployer, run, &spec, subject, &request.requested_by)?
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
            let current = current_release(deployer, &app)?;
            let spec = resolve(Built::from(current.spec.clone()), commanded);
            if spec == current.spec {
                deployer.store.use_release(run.deploy, current.id)?;
                current
            } else {
                create_release(deployer, run, &spec, description.clone(), requested_by)?
            }
        }
        (Job::Push(_), None) => return Err(Failure::new("nothing was built").into()),
    };
    let counts = counts(deployer, &app, &release.spec)?;
    start::ensure_surroundings(deployer, &app, &release.spec).await?;
    if matches!(job, Job::Push(_)) && release.spec.release_command.is_some() {
        release_command::run(deployer, run, &app, &release).await?;
    }
    let rows = start::start(deployer, run, &app, &release, &counts).await?;
    check::check(deployer, run, &app, &release, &rows).await
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

fn current_release(deployer: &Deployer, app: &App) -> Result<Release, Stop> {
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
fn counts(deployer: &Deployer, app: &App, spec: &ReleaseSpec) -> Result<Vec<(ProcessType, u16)>, Stop> {
    let commanded: BTreeMap<ProcessType, u16> = deployer.store.scale(app.id)?;
    let count = |process_type| {
        commanded.get(process_type).or_else(|| spec.declared.scale.get(process_type)).copied().unwrap_or(1)
    };
    Ok(spec.processes.keys().map(|process_type| (process_type.clone(), count(process_type))).collect())
}
