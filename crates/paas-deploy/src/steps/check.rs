use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, future::try_join_all, stream::FuturesUnordered};
use paas_docker::{ContainerExit, EngineError, LogsRequest};
use paas_domain::{DeployState, HealthCheck};
use paas_store::{App, ContainerRow, Release};
use tokio::time::{MissedTickBehavior, interval, sleep_until, timeout_at};

use super::advance;
use crate::{
    deployer::Deployer,
    diagnosis,
    environment::process_name,
    failure::{Failure, Stop},
    probe::{Answer, Probe},
    run::Run,
};

/// Between two probes of a container that is not up yet.
const PROBE_EVERY: Duration = Duration::from_millis(100);
/// The same in its first second: most apps are up before it ends, and everybody waits for this.
const PROBE_EVERY_AT_FIRST: Duration = Duration::from_millis(20);
const AT_FIRST: u32 = 50;
/// A process without a port proves itself by running this long.
const SETTLE: Duration = Duration::from_secs(1);
/// The path asked for when nobody named one (Rails and Kamal have it).
const DEFAULT_PATH: &str = "/up";
/// How many lines of a failed container are shown.
const SHOWN_LINES: u32 = 30;
/// How many different probe answers are shown.
const SHOWN_ANSWERS: usize = 5;

/// Waits until every container has proven healthy. All or nothing: the first that ends or stays away fails the deploy.
pub(crate) async fn check(
    deployer: &Deployer,
    run: &Run,
    app: &App,
    release: &Release,
    rows: &[ContainerRow],
) -> Result<(), Stop> {
    advance(deployer, run, DeployState::Checking)?;
    let began = Instant::now();
    // Every container is watched until all are healthy: one that was healthy and ends before the switch fails the deploy too.
    let mut exits: FuturesUnordered<_> = rows
        .iter()
        .map(|row| async move { (row, deployer.engine.wait_container(&row.name).await) })
        .collect();
    let checks = try_join_all(rows.iter().map(|row| check_one(deployer, app, release, row)));
    let passed = tokio::select! {
        biased;
        Some((row, exit)) = exits.next() => {
            let failure = ended(exit, row);
            return Err(with_evidence(deployer, app, release, row, failure, &Answers::default()).await.into());
        }
        passed = checks => passed?,
    };
    for note in passed.iter().flatten() {
        run.log.line(note.as_str());
    }
    run.log.step(format!("Healthy after {:.1} s", began.elapsed().as_secs_f64()));
    Ok(())
}

/// Waits until a container of the old version that was started again is healthy. One without a port is as soon as it runs.
pub(super) async fn check_again(
    deployer: &Deployer,
    app: &App,
    release: &Release,
    row: &ContainerRow,
) -> Result<(), Stop> {
    if !row.process_type.as_ref().is_some_and(paas_domain::ProcessType::is_web) {
        return Ok(());
    }
    tokio::select! {
        biased;
        exit = deployer.engine.wait_container(&row.name) => {
            let failure = ended(exit, row);
            Err(with_evidence(deployer, app, release, row, failure, &Answers::default()).await.into())
        }
        checked = check_one(deployer, app, release, row) => checked.map(|_| ()),
    }
}

/// Resolves with something worth telling when the container is healthy.
async fn check_one(
    deployer: &Deployer,
    app: &App,
    release: &Release,
    row: &ContainerRow,
) -> Result<Option<String>, Stop> {
    let mut answers = Answers::default();
    match healthy(deployer, app, release, row, &mut answers).await {
        Ok(note) => Ok(note),
        Err(failure) => Err(with_evidence(deployer, app, release, row, failure, &answers).await.into()),
    }
}

fn ended(exit: Result<ContainerExit, EngineError>, row: &ContainerRow) -> Failure {
    let name = process_name(row);
    match exit {
        Ok(ContainerExit { out_of_memory: true, code }) => {
            Failure::new(format!("{name} was killed for using too much memory (exit code {code})"))
                .hint("raise the app's memory limit, or make it use less")
        }
        Ok(ContainerExit { code: 127, .. }) => {
            Failure::new(format!("{name} could not start: its command is not in the image (exit code 127)"))
                .hint("check CMD in the Dockerfile, or the line in the Procfile")
        }
        // Also when the whole server has no memory left: then the engine is not told why.
        Ok(ContainerExit { code: 137, .. }) => Failure::new(format!(
            "{name} was killed before it was healthy (exit code 137)"
        ))
        .hint("most likely for memory: make it need less, or give the server swap; `dmesg` there says so"),
        Ok(ContainerExit { code, .. }) => {
            Failure::new(format!("{name} exited with code {code} before it was healthy"))
        }
        Err(error) => Failure::new(format!("{name} could not be watched: {}", crate::failure::chain(&error))),
    }
}

async fn healthy(
    deployer: &Deployer,
    app: &App,
    release: &Release,
    row: &ContainerRow,
    answers: &mut Answers,
) -> Result<Option<String>, Failure> {
    let is_web = row.process_type.as_ref().is_some_and(paas_domain::ProcessType::is_web);
    if !is_web {
        // Its exit ends the wait at once; there is nothing else to see of a process without a port.
        sleep_until((Instant::now() + SETTLE).into()).await;
        return Ok(None);
    }
    let health = &release.spec.health;
    let deadline = Instant::now() + health.timeout;
    let host = deployer
        .settings
        .default_host(&app.name)
        .map_or_else(|| "localhost".to_owned(), |host| host.to_string());
    let probe = Probe {
        address: (row.address, release.spec.port).into(),
        protocol: release.spec.declared.web_protocol,
        host: &host,
    };
    let waited = timeout_at(deadline.into(), until_healthy(probe, health, answers)).await;
    waited.map_err(|_| {
        Failure::new(format!(
            "{} did not become healthy within {} s",
            process_name(row),
            health.timeout.as_secs_f64()
        ))
    })
}

/// Probes until two answers in a row are good: an app that flaps once is not up.
async fn until_healthy(probe: Probe<'_>, health: &HealthCheck, answers: &mut Answers) -> Option<String> {
    let mut ticks = interval(PROBE_EVERY_AT_FIRST);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let path = health.path.as_deref().unwrap_or(DEFAULT_PATH);
    for tick in 0u32.. {
        if tick == AT_FIRST {
            ticks = interval(PROBE_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        ticks.tick().await;
        let mut good_path = None;
        for _confirmation in 0..2 {
            good_path = good(probe, path, health, answers).await;
            if good_path.is_none() {
                break;
            }
        }
        match good_path {
            Some("/") if path != "/" => {
                return Some(format!(
                    "{path} is 404, so any answer on / counts; set another: `paas checks:set APP --path /health`"
                ));
            }
            Some(_) => return None,
            None => {}
        }
    }
    None
}

/// The path that answered well, if one did.
async fn good<'a>(
    probe: Probe<'_>,
    path: &'a str,
    health: &HealthCheck,
    answers: &mut Answers,
) -> Option<&'a str> {
    let answer = probe.ask(path).await;
    let is_good = answer.is_success();
    let ask_root = health.path.is_none() && answer.is_not_found();
    answers.note(path, answer);
    if is_good {
        return Some(path);
    }
    if ask_root {
        let answer = probe.ask("/").await;
        let is_good = answer.is_below_500();
        answers.note("/", answer);
        return is_good.then_some("/");
    }
    None
}

/// The different answers seen, in order, with how often.
#[derive(Debug, Default)]
struct Answers(VecDeque<(String, Answer, u32)>);

impl Answers {
    fn note(&mut self, path: &str, answer: Answer) {
        if let Some((last_path, last, count)) = self.0.back_mut()
            && last_path == path
            && *last == answer
        {
            *count += 1;
            return;
        }
        self.0.push_back((path.to_owned(), answer, 1));
        if self.0.len() > SHOWN_ANSWERS {
            self.0.pop_front();
        }
    }

    fn last(&self) -> Option<&Answer> {
        self.0.back().map(|(_, answer, _)| answer)
    }

    fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.0.iter().map(|(path, answer, count)| format!("GET {path} → {answer} ({count}×)"))
    }
}

/// Adds the answers, the container's last lines, and what to do.
async fn with_evidence(
    deployer: &Deployer,
    app: &App,
    release: &Release,
    row: &ContainerRow,
    failure: Failure,
    answers: &Answers,
) -> Failure {
    let mut failure = failure.details(answers.lines());
    let lines = last_lines(deployer, &row.name).await;
    let name = process_name(row);
    if lines.is_empty() {
        failure.details.push(format!("{name} printed nothing"));
    } else {
        failure.details.push(format!("the last lines of {name}:"));
        failure.details.extend(lines.into_iter().map(|line| format!("  {line}")));
    }
    match answers.last() {
        Some(Answer::Refused) => {
            let found = deployer.engine.find_container(&row.name).await.ok().flatten();
            if let Some(pid) = found.and_then(|container| container.pid) {
                let (sentence, hint) = diagnosis::explain(&diagnosis::listening(pid), release.spec.port);
                failure.details.push(sentence);
                failure = failure.hint(hint);
            }
        }
        Some(Answer::Status(status, _)) if status.is_redirection() => {
            failure = failure.hint(format!(
                "a health check must answer 2xx itself, not redirect: exclude the path from redirects, or name another: `paas checks:set {} --path /health`",
                app.name
            ));
        }
        Some(Answer::Status(..)) => {
            failure = failure.hint(format!(
                "the check needs a 2xx answer; name another path with `paas checks:set {} --path /health`",
                app.name
            ));
        }
        _ => {}
    }
    failure
}

async fn last_lines(deployer: &Deployer, name: &str) -> Vec<String> {
    let request = LogsRequest { follow: false, tail: Some(SHOWN_LINES), timestamps: false };
    let Ok(mut stream) = deployer.engine.logs(name, request).await else { return Vec::new() };
    let mut lines = Vec::new();
    while let Some(Ok(line)) = stream.next().await {
        lines.push(line.text);
    }
    lines
}
