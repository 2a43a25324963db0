//! BuildKit's progress as lines for a person.

use std::collections::{BTreeMap, HashSet};

use bollard_buildkit_proto::moby::buildkit::v1::{StatusResponse, Vertex, VertexLog, VertexWarning};

use super::steps;
use crate::{engine::BuildOutput, lines::LineJoiner};

/// What BuildKit writes into every step that was running when another one failed.
const CANCELLED: &str = "context canceled";

/// What is known of a running build.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The names of the steps that have begun. BuildKit sends a vertex again whenever it changes, and newer ones (Engine 26 among them) send that of
    /// another build as well, with a digest of its own, when both builds have the step in common. Within a Dockerfile a name is unique.
    begun: HashSet<String>,
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
        let told = steps::is_of_dockerfile(&vertex.name) && vertex.started.is_some();
        if told && self.begun.insert(vertex.name.clone()) {
            output.push(BuildOutput::Step { name: vertex.name.clone(), cached: vertex.cached });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn vertex(digest: &str, name: &str, begun: bool, cached: bool) -> Vertex {
        Vertex {
            digest: digest.to_owned(),
            name: name.to_owned(),
            started: begun.then(Default::default),
            cached,
            ..Default::default()
        }
    }

    fn names(output: Vec<BuildOutput>) -> Vec<(String, bool)> {
        let step = |line| match line {
            BuildOutput::Step { name, cached } => Some((name, cached)),
            _ => None,
        };
        output.into_iter().filter_map(step).collect()
    }

    #[test]
    fn a_step_is_told_once_however_often_it_comes() {
        let vertexes = vec![
            vertex("a", "[1/2] COPY x /x", false, false),
            vertex("a", "[1/2] COPY x /x", true, true),
            vertex("b", "[2/2] RUN make", true, false),
            vertex("b", "[2/2] RUN make", true, false),
            // From another build, which has the step in common.
            vertex("c", "[1/2] COPY x /x", true, true),
            vertex("d", "[internal] load build context", true, false),
        ];
        let output = Progress::default().apply(StatusResponse { vertexes, ..Default::default() });
        assert_eq!(
            names(output),
            [("[1/2] COPY x /x".to_owned(), true), ("[2/2] RUN make".to_owned(), false)]
        );
    }
}
