//! Why a build failed, from BuildKit's words: it sends no code.

use super::{progress::Progress, steps};
use crate::error::BuildError;

/// What BuildKit puts before the cause, one layer after the other.
const NOISE: [&str; 9] = [
    "failed to solve with frontend dockerfile.v0: ",
    "failed to solve with frontend gateway.v0: ",
    "failed to solve: ",
    "failed to build LLB: ",
    "failed to create LLB definition: ",
    "failed to compute cache key: ",
    "failed to load cache key: ",
    "rpc error: code = Unknown desc = ",
    "rpc error: code = NotFound desc = ",
];

/// What a registry that cannot be reached, or has no such image, makes BuildKit say.
const PULL: [&str; 8] = [
    "pull access denied",
    "failed to do request",
    "failed to resolve source metadata",
    "no such host",
    "dial tcp",
    "failed to authorize",
    "failed to fetch oauth token",
    ": not found",
];

/// The error of a build that ended with `message`.
pub(super) fn build_error(message: &str, progress: &Progress) -> BuildError {
    let message = clean(message);
    let failed = progress.failed().map(|failed| failed.step.as_str());
    if let Some((image, frontend)) = unfetched(message, failed) {
        return BuildError::Pull { image: image.to_owned(), message: pull_message(message, image, frontend) };
    }
    BuildError::Step {
        step: failed.filter(|step| steps::is_of_dockerfile(step)).map(str::to_owned),
        message: message.to_owned(),
    }
}

/// The image that could not be fetched, and whether it is the Dockerfile's frontend.
fn unfetched<'a>(message: &'a str, failed: Option<&'a str>) -> Option<(&'a str, bool)> {
    if let Some(step) = failed
        && let Some(image) = steps::fetched_image(step)
    {
        return Some((steps::short(image), steps::is_frontend(step)));
    }
    if failed.is_some_and(steps::is_of_dockerfile) || !PULL.iter().any(|sign| message.contains(sign)) {
        return None;
    }
    let reference = message.split(": ").find(|part| looks_like_image(part))?;
    Some((steps::short(reference), reference.starts_with("docker.io/docker/dockerfile")))
}

/// `docker.io/library/x:latest`: BuildKit writes references in full.
fn looks_like_image(text: &str) -> bool {
    let Some((host, rest)) = text.split_once('/') else { return false };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | ':' | '@');
    (host.contains('.') || host.contains(':'))
        && !rest.is_empty()
        && !rest.starts_with('/')
        && text.chars().all(plain)
}

fn pull_message(message: &str, image: &str, frontend: bool) -> String {
    if !frontend {
        return message.to_owned();
    }
    format!(
        "the line `# syntax={image}` makes the engine fetch that image from its registry before the build can begin; \
         remove the line or let the server reach the registry ({message})"
    )
}

fn clean(message: &str) -> &str {
    let mut message = message.trim();
    while let Some(rest) = NOISE.iter().find_map(|noise| message.strip_prefix(noise)) {
        message = rest;
    }
    message
}
