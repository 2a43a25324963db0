//! BuildKit's progress as lines for a person.

use std::collections::{BTreeMap, HashMap};

use bollard_buildkit_proto::moby::buildkit::v1::{StatusResponse, Vertex, VertexLog, VertexWarning};

use super::steps;
use crate::{engine::BuildOutput, lines::LineJoiner};

/// What BuildKit writes into every step that was running when another one failed.
const CANCELLED: &str = "context canceled";

/// What is known of a running build.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// By digest; BuildKit sends a vertex again whenever it changes.
    steps: HashMap<String, Step>,
    /// Output whose line has not ended, by digest, and by channel.
    partial: BTreeMap<(String, i64), LineJoiner>,
    /// The first that failed by itself.
    failed: Option<Failed>,
}

/// The step that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    /// As BuildKit names it.
    pub(super) step: String,
    /// Its own message.
    pub(super) message: String,
}

#[derive(Debug, Default)]
struct Step {
    shown: bool,
}

impl Progress {
    /// What a message of BuildKit's adds to the log.
    pub(super) fn apply(&mut self, status: StatusResponse) -> Vec<BuildOutput> {
        let mut output = Vec::new();
        let mut completed = Vec::new();
        for vertex in status.vertexes {
            self.vertex(&vertex, &mut output);
            if vertex.completed.is_some() {
                completed.push(vertex.digest);
            }
        }
        for log in &status.logs {
            self.log(log, &mut output);
        }
        for digest in completed {
            self.flush(&digest, &mut output);
        }
        output.extend(status.warnings.iter().map(warning));
        output
    }

    /// Lines that never ended.
    pub(super) fn finish(&mut self) -> Vec<BuildOutput> {
        std::mem::take(&mut self.partial)
            .into_values()
            .filter_map(|mut joiner| joiner.finish().map(BuildOutput::Line))
            .collect()
    }

    /// The step that failed, if one did.
    pub(super) fn failed(&self) -> Option<&Failed> {
        self.failed.as_ref()
    }

    fn vertex(&mut self, vertex: &Vertex, output: &mut Vec<BuildOutput>) {
        let step = self.steps.entry(vertex.digest.clone()).or_default();
        if vertex.started.is_some() && !step.shown {
            step.shown = true;
            if steps::is_of_dockerfile(&vertex.name) {
                output.push(BuildOutput::Step { name: vertex.name.clone(), cached: vertex.cached });
            }
        }
        if self.failed.is_none() && !vertex.error.is_empty() && !vertex.error.ends_with(CANCELLED) {
            self.failed = Some(Failed { step: vertex.name.clone(), message: vertex.error.clone() });
        }
    }

    fn log(&mut self, log: &VertexLog, output: &mut Vec<BuildOutput>) {
        let joiner = self.partial.entry((log.vertex.clone(), log.stream)).or_default();
        joiner.push(&log.msg, |line| output.push(BuildOutput::Line(line)));
    }

    fn flush(&mut self, digest: &str, output: &mut Vec<BuildOutput>) {
        let keys: Vec<_> = self.partial.keys().filter(|(vertex, _)| vertex == digest).cloned().collect();
        for key in keys {
            if let Some(line) = self.partial.remove(&key).and_then(|mut joiner| joiner.finish()) {
                output.push(BuildOutput::Line(line));
            }
        }
    }
}

fn warning(warning: &VertexWarning) -> BuildOutput {
    BuildOutput::Warning(String::from_utf8_lossy(&warning.short).trim().to_owned())
}
