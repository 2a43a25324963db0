//! The words of `POST /build`.

use http::{Method, Request, header};

use super::ACTION;
use crate::{
    engine::BuildRequest,
    error::EngineError,
    failure::protocol,
    label,
    wire::{self, WireBody},
};

/// `version` 2 is BuildKit.
const BUILDKIT: &str = "2";

/// The request for a build in that session, its body the context. Config vars and secrets are no part of it.
pub(super) fn encode(
    request: &BuildRequest,
    session: &str,
    instance: &str,
    body: WireBody,
) -> Result<Request<WireBody>, EngineError> {
    let labels = serde_json::to_string(&label::with_instance(&request.labels, instance))
        .map_err(|error| protocol(ACTION, error))?;
    let args = serde_json::to_string(&request.args).map_err(|error| protocol(ACTION, error))?;
    let query = wire::query(&[
        ("version", BUILDKIT),
        ("session", session),
        ("buildid", session),
        ("t", &request.tag),
        ("dockerfile", &request.dockerfile),
        ("labels", &labels),
        ("buildargs", &args),
        ("rm", "1"),
        ("forcerm", "1"),
    ]);
    wire::request(Method::POST, &format!("/build{query}"))
        .header(header::CONTENT_TYPE, "application/x-tar")
        .body(body)
        .map_err(|error| protocol(ACTION, error))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use paas_domain::Secret;

    use super::*;

    #[test]
    fn secrets_are_no_part_of_the_request() {
        let request = BuildRequest {
            tag: "paas/app-1:d1".to_owned(),
            labels: BTreeMap::new(),
            dockerfile: "deploy/Docker file".to_owned(),
            args: BTreeMap::from([("A".to_owned(), "x&y \"z\"".to_owned())]),
            secrets: BTreeMap::from([("token".to_owned(), Secret::new("canary-1"))]),
        };
        let request = encode(&request, "s1", "me", wire::full("")).unwrap();
        let uri = request.uri().to_string();
        assert!(uri.contains("&dockerfile=deploy%2FDocker%20file&"), "{uri}");
        assert!(uri.contains("%7B%22A%22%3A%22x%26y%20%5C%22z%5C%22%22%7D"), "{uri}");
        assert!(uri.contains("dev.paas.instance%22%3A%22me"), "{uri}");
        assert!(!uri.contains("canary") && !uri.contains("token"), "{uri}");
    }
}
