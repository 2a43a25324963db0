use std::{collections::BTreeMap, path::Path, time::Instant};

use paas_build::{BuildPlan, Settings, Source, context_stream, plan};
use paas_docker::{BuildError, BuildOutput, BuildRequest, EngineInfo, ImageId, ImageInfo};
use paas_domain::{CommitId, Declared, DeployState, ProcessType, Secret};
use paas_store::{App, Setting};
use tokio::sync::mpsc;

use super::advance;
use crate::{
    declared_volumes,
    deployer::{Deployer, PushRequest},
    failure::{Failure, Stop, chain},
    free_space::{self, human},
    names,
    run::Run,
    spec::{Built, Commanded},
};

/// Lines between the engine and the log; a full channel slows the reading, never loses a line.
const OUTPUT_LINES: usize = 256;

/// What a build gave.
pub(crate) struct BuildResult {
    image: ImageInfo,
    plan: BuildPlan,
    commit: CommitId,
    /// The commit's first line.
    pub(crate) subject: String,
}

/// Builds the pushed commit: waits for the turn, streams the tree into the engine, reads what the image declares.
pub(crate) async fn build(
    deployer: &Deployer,
    run: &Run,
    app: &App,
    request: &PushRequest,
    engine: &EngineInfo,
    commanded: &Commanded,
) -> Result<BuildResult, Stop> {
    let (source, plan) = read_source(request, commanded).await?;
    for warning in &plan.warnings {
        run.log.line(format!("warning: {warning}"));
    }
    let _turn = deployer
        .builds
        .turn(run.deploy, |before| {
            run.log.step(format!("Waiting for {before} other build{}", if before == 1 { "" } else { "s" }));
        })
        .await;
    // After the wait: the builds before this one needed space too.
    free_space::check(&[Path::new(&engine.root_dir), &deployer.settings.data], deployer.settings.min_free)?;
    advance(deployer, run, DeployState::Building)?;
    run.log.step(format!(
        "Building {} from {} ({} files, {})",
        source.commit().id.short(),
        plan.dockerfile_source,
        plan.stats.files,
        human(plan.stats.bytes)
    ));
    let began = Instant::now();
    let image = run_build(deployer, run, app, &source, &plan, &commanded.config).await?;
    run.log.step(format!("Built in {:.1} s ({})", began.elapsed().as_secs_f64(), human(image.size_bytes)));
    let commit = source.commit();
    Ok(BuildResult { image, plan, commit: commit.id.clone(), subject: commit.summary.clone() })
}

async fn read_source(request: &PushRequest, commanded: &Commanded) -> Result<(Source, BuildPlan), Stop> {
    let settings = Settings {
        dockerfile: commanded.settings.get(&Setting::Dockerfile).cloned(),
        context: commanded.settings.get(&Setting::BuildContext).cloned(),
        ..Settings::default()
    };
    let request = request.clone();
    let read = tokio::task::spawn_blocking(move || {
        let source = Source::open(&request.repository, request.quarantine.as_deref(), request.new.as_str())
            .map_err(|error| Failure::new(chain(&error)))?;
        let plan = plan(&source, &settings).map_err(|error| Failure::new(chain(&error)))?;
        Ok::<_, Failure>((source, plan))
    });
    let read = read.await.map_err(|error| Failure::new(format!("reading the source failed: {error}")))?;
    Ok(read?)
}

async fn run_build(
    deployer: &Deployer,
    run: &Run,
    app: &App,
    source: &Source,
    plan: &BuildPlan,
    config: &BTreeMap<paas_domain::ConfigKey, Secret>,
) -> Result<ImageInfo, Stop> {
    let tag = names::image_tag(app.id, run.deploy);
    let request = BuildRequest {
        tag: tag.clone(),
        labels: names::app_labels(deployer.store.instance_label(), app.id),
        dockerfile: plan.dockerfile.clone(),
        args: plan.args.clone(),
        secrets: config.iter().map(|(key, value)| (key.to_string(), value.clone())).collect(),
    };
    let building = deployer.images.read().await;
    let image = match build_once(deployer, run, request.clone(), source, plan).await {
        Err(error) if error.is_transient() => {
            run.log.line("the engine lost a layer while it was used; building once more");
            build_once(deployer, run, request, source, plan).await
        }
        built => built,
    };
    drop(building);
    let image = image.map_err(|error| explain(&error))?;
    let found = deployer.engine.find_image(&image.0).await?;
    found.ok_or_else(|| Failure::new("the engine lost the image it has just built").hint("push again").into())
}

async fn build_once(
    deployer: &Deployer,
    run: &Run,
    request: BuildRequest,
    source: &Source,
    plan: &BuildPlan,
) -> Result<ImageId, BuildError> {
    let (sender, mut receiver) = mpsc::channel(OUTPUT_LINES);
    let building = deployer.engine.build(request, context_stream(source, plan), sender);
    let telling = async {
        while let Some(output) = receiver.recv().await {
            tell(run, output);
        }
    };
    let (image, ()) = tokio::join!(building, telling);
    image
}

fn tell(run: &Run, output: BuildOutput) {
    match output {
        BuildOutput::Step { name, cached } => {
            run.log.line(if cached { format!("{name} (cached)") } else { name });
        }
        BuildOutput::Line(text) => run.log.line(format!("  {text}")),
        BuildOutput::Warning(text) => run.log.line(format!("warning: {text}")),
    }
}

fn explain(error: &BuildError) -> Failure {
    let message = chain(error);
    match error {
        BuildError::Step { step: Some(step), .. } => {
            let failure = Failure::new(format!("the build failed at {step}: {message}"));
            if message.contains("exit code: 137") {
                return failure.hint(
                    "the step was killed, most likely for memory: make it need less, or give the server swap",
                );
            }
            failure.hint("the step's output is above")
        }
        BuildError::Step { step: None, .. } => Failure::new(format!("the build failed: {message}")),
        BuildError::Pull { message: detail, .. } => Failure::new(message)
            .details([detail.clone()])
            .hint("check the name in FROM and the server's network; `docker pull` on the server shows more"),
        BuildError::Engine(_) | BuildError::Context(_) => Failure::new(message),
    }
}

/// What the code declares: the Procfile and paas.toml of the commit, the ports, volumes and command of the image.
pub(crate) fn declared(
    deployer: &Deployer,
    run: &Run,
    app: &App,
    result: BuildResult,
) -> Result<Built, Stop> {
    let BuildResult { image, plan, commit, .. } = result;
    let mut processes = BTreeMap::new();
    if let Some(procfile) = &plan.procfile {
        for (name, command) in procfile.processes() {
            processes.insert(name.clone(), Some(command.argv()));
        }
    }
    if !processes.contains_key(&ProcessType::web()) && image.has_command {
        processes.insert(ProcessType::web(), None);
    }
    if processes.is_empty() {
        return Err(Failure::new(
            "nothing says how to start the app: the image has no CMD and there is no Procfile",
        )
        .hint("add a CMD to the Dockerfile, or a Procfile with a line `web: …`")
        .into());
    }
    let manifest = &plan.manifest;
    let mounts = declared_volumes::mounts(deployer, run, app, manifest, &image.volumes)?;
    Ok(Built {
        image: image.id.0,
        commit: Some(commit),
        processes,
        release_command: plan
            .procfile
            .as_ref()
            .and_then(|procfile| procfile.release())
            .map(paas_domain::ProcessCommand::argv),
        declared: Declared {
            port: image.exposed_tcp_ports.first().copied(),
            health_path: manifest.health.path.clone(),
            health_timeout: manifest.health.timeout,
            strategy: manifest.deploy.strategy,
            canary: manifest.deploy.canary,
            drain_timeout: manifest.deploy.drain_timeout,
            stop_grace: manifest.deploy.stop_grace,
            https_redirect: manifest.https.redirect,
            hsts_days: manifest.https.hsts_days,
            http: manifest.http.clone().into(),
            redirects: manifest.redirects.clone(),
            routes: manifest.routes.clone(),
            users: manifest.auth.clone(),
            pages: plan.pages.clone(),
            web_protocol: manifest.web.protocol,
            mounts,
            scale: manifest.scale.clone(),
        },
    })
}
