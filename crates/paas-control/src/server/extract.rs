use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request},
    http::request::Parts,
};
use http::StatusCode;
use paas_domain::NameError;
use serde::de::DeserializeOwned;

use super::{failure::Failure, state};

/// A JSON body. What is wrong with it is told by field, never with its values: they may be secrets.
pub(super) struct Body<T>(pub(super) T);

/// The query; unknown names are refused.
pub(super) struct Queried<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<state::State> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, shared: &state::State) -> Result<Self, Failure> {
        let read = tokio::select! {
            read = Bytes::from_request(request, shared) => read,
            () = shared.too_late() => {
                return Err(Failure::unavailable("control stops, and the request has not come whole")
                    .hint("send it again in a moment"));
            }
        };
        let bytes = read.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Failure::refused("the request is larger than 2 MiB")
                .hint("send fewer values at a time")
                .with_status(StatusCode::PAYLOAD_TOO_LARGE),
            status => Failure::refused("the request could not be read to its end").with_status(status),
        })?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| Failure::refused(explain(&error)))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Queried<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Query(value) = Query::from_request_parts(parts, state).await.map_err(|error| {
            Failure::refused(format!("the query of the request is wrong: {}", error.body_text()))
        })?;
        Ok(Self(value))
    }
}

/// A name out of the path.
pub(super) fn param<T: TryFrom<String, Error = NameError>>(
    params: &RawPathParams,
    name: &str,
) -> Result<T, Failure> {
    Ok(T::try_from(text(params, name).to_owned())?)
}

/// A part of the path.
pub(super) fn text<'a>(params: &'a RawPathParams, name: &str) -> &'a str {
    params.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
}

/// serde's messages quote a value only where its type is wrong (`invalid type: string "…"`); those are cut, the others are about names.
fn explain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match error.classify() {
        serde_json::error::Category::Data
            if text.starts_with("invalid type") || text.starts_with("invalid value") =>
        {
            format!(
                "the request has a value of the wrong type at line {} column {}",
                error.line(),
                error.column()
            )
        }
        serde_json::error::Category::Data => strip_position(&text).to_owned(),
        _ => format!("the request is not JSON: {text}"),
    }
}

fn strip_position(text: &str) -> &str {
    text.rfind(" at line ").map_or(text, |end| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{ConfigChange, CreateApp};

    fn said<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> String {
        explain(&serde_json::from_str::<T>(json).unwrap_err())
    }

    #[test]
    fn a_wrong_name_is_told_with_its_rule() {
        let text = said::<CreateApp>(r#"{"name": "-x"}"#);
        assert!(text.contains("lower-case letters") && !text.contains("line 1"), "{text}");
    }

    #[test]
    fn a_value_is_never_repeated() {
        for json in [
            r#"{"set": "canary-4711"}"#,
            r#"{"set": {"A": "v"}, "restart": "canary-4711"}"#,
            r#"{"set": {"A": 4711}}"#,
        ] {
            let text = said::<ConfigChange>(json);
            assert!(!text.contains("4711"), "{text}");
        }
        assert!(said::<ConfigChange>("{").contains("not JSON"));
    }
}
