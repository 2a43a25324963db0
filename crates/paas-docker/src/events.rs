//! What happens to our containers.

use bollard::models::EventMessage;
use futures_util::StreamExt;
use http::Method;
use serde_json::json;
use time::OffsetDateTime;

use crate::{
    client::DockerEngine,
    engine::{EngineEvent, EventStream},
    error::EngineError,
    failure::protocol,
    label,
    wire::{self, Wire},
};

const ACTION: &str = "tell its events";

/// What the engine adds to a container's labels in an event.
const NOT_LABELS: [&str; 5] = ["name", "image", "exitCode", "execDuration", "signal"];

/// Start, die, oom and destroy of our containers from now on.
pub(crate) async fn watch(engine: &DockerEngine) -> Result<EventStream, EngineError> {
    subscribe(
        engine,
        &json!({
            "type": ["container"],
            "event": ["start", "die", "oom", "destroy"],
            "label": [format!("{}={}", label::INSTANCE, engine.instance_id())],
        }),
    )
    .await
}

/// Create and destroy of whatever has that name, from now on.
pub(crate) async fn watch_name(engine: &DockerEngine, name: &str) -> Result<EventStream, EngineError> {
    subscribe(engine, &json!({"type": ["container"], "event": ["create", "destroy"], "container": [name]}))
        .await
}

/// The engine answers before it has subscribed us, so it is asked for what happened since before the call: nothing after it is missed.
async fn subscribe(engine: &DockerEngine, filters: &serde_json::Value) -> Result<EventStream, EngineError> {
    let now = OffsetDateTime::now_utc();
    let since = format!("{}.{:09}", now.unix_timestamp(), now.nanosecond());
    let path = format!("/events{}", wire::query(&[("since", &since), ("filters", &filters.to_string())]));
    let request =
        wire::request(Method::GET, &path).body(wire::full("")).map_err(|error| protocol(ACTION, error))?;
    let wire = Wire::open(engine.socket()).await?;
    let answer = wire.send(request).await.map_err(|error| protocol(ACTION, error))?;
    if !answer.response.status().is_success() {
        let message = wire::refusal(answer.response).await;
        return Err(EngineError::Refused { action: ACTION.to_owned(), message });
    }
    Ok(Box::pin(wire::lines(answer).filter_map(async |line| match line {
        Ok(line) if line.trim_ascii().is_empty() => None,
        Ok(line) => parse(&line).transpose(),
        Err(error) => Some(Err(protocol(ACTION, error))),
    })))
}

fn parse(line: &[u8]) -> Result<Option<EngineEvent>, EngineError> {
    let message: EventMessage = serde_json::from_slice(line).map_err(|error| protocol(ACTION, error))?;
    let (Some(action), Some(actor)) = (message.action, message.actor) else { return Ok(None) };
    let mut labels = label::sorted(actor.attributes);
    let Some(container) = labels.remove("name") else { return Ok(None) };
    for key in NOT_LABELS {
        labels.remove(key);
    }
    Ok(Some(EngineEvent { action, container, labels }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_the_container_and_its_labels() {
        let line = br#"{"Type":"container","Action":"die","Actor":{"ID":"0a","Attributes":{"dev.paas.app":"7","exitCode":"1","image":"x","name":"web"}},"timeNano":1}"#;
        let event = parse(line).unwrap().unwrap();
        assert_eq!((event.action.as_str(), event.container.as_str()), ("die", "web"));
        assert_eq!(event.labels.len(), 1);
        assert_eq!(event.labels[label::APP], "7");
    }
}
