//! Networks: one bridge for each app.

use std::collections::HashMap;

use bollard::{models::Network, query_parameters::ListNetworksOptionsBuilder};
use http::{Method, header};
use serde::Serialize;

use crate::{
    client::DockerEngine,
    engine::{Labelled, NetworkSpec},
    error::EngineError,
    failure::{engine_error, protocol, status},
    label, name,
    subnet::Subnet,
    wire::{self, Wire},
};

/// `POST /networks/create`. Spelled out here because the client library has dropped `CheckDuplicate`, without which engines before 25 make a second
/// network of the same name.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Creation<'a> {
    name: &'a str,
    check_duplicate: bool,
    driver: &'a str,
    #[serde(rename = "IPAM")]
    ipam: Ipam<'a>,
    labels: label::EngineLabels,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Ipam<'a> {
    driver: &'a str,
    config: [IpamRange<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct IpamRange<'a> {
    subnet: &'a str,
    gateway: String,
}

/// Makes the network unless it is there with the same subnet.
pub(crate) async fn ensure(engine: &DockerEngine, spec: &NetworkSpec) -> Result<(), EngineError> {
    name::check(&spec.name)?;
    let subnet: Subnet = spec.subnet.parse().map_err(|message| refused(&spec.name, message))?;
    let _alone = engine.making_network.lock().await;
    if let Some(network) = find(engine, &spec.name).await? {
        return accept(engine, spec, &network);
    }
    if create(engine, spec, subnet).await? {
        return Ok(());
    }
    // Somebody else made it in between.
    match find(engine, &spec.name).await? {
        Some(network) => accept(engine, spec, &network),
        None => Err(refused(&spec.name, "the engine has one of that name and hides it")),
    }
}

/// Names and labels of our networks.
pub(crate) async fn list(engine: &DockerEngine) -> Result<Vec<Labelled>, EngineError> {
    let networks = query(engine, label::filter(engine.instance_id())).await?;
    Ok(networks
        .into_iter()
        .filter_map(|network| Some(Labelled { name: network.name?, labels: label::sorted(network.labels) }))
        .collect())
}

/// Removes one of our networks.
pub(crate) async fn remove(engine: &DockerEngine, name: &str) -> Result<(), EngineError> {
    name::check(name)?;
    let action = || format!("remove the network {name}");
    let Some(network) = find(engine, name).await? else { return Ok(()) };
    if !label::is_ours(network.labels.as_ref(), engine.instance_id()) {
        return Err(foreign(name));
    }
    let id = network.id.ok_or_else(|| protocol(action(), "the network has no id"))?;
    match engine.docker()?.remove_network(&id).await {
        Ok(()) => Ok(()),
        Err(error) if status(&error) == Some(404) => Ok(()),
        Err(error) => Err(engine_error(action(), error)),
    }
}

/// Whether the network that is there is the one we want.
fn accept(engine: &DockerEngine, spec: &NetworkSpec, network: &Network) -> Result<(), EngineError> {
    if !label::is_ours(network.labels.as_ref(), engine.instance_id()) {
        return Err(foreign(&spec.name));
    }
    let subnets: Vec<&str> = network
        .ipam
        .iter()
        .flat_map(|ipam| ipam.config.iter().flatten())
        .filter_map(|range| range.subnet.as_deref())
        .collect();
    if subnets.contains(&spec.subnet.as_str()) {
        return Ok(());
    }
    Err(refused(&spec.name, format!("it exists with the subnet {}, not {}", subnets.join(", "), spec.subnet)))
}

/// `false` when the name is taken.
async fn create(engine: &DockerEngine, spec: &NetworkSpec, subnet: Subnet) -> Result<bool, EngineError> {
    let action = || format!("make the network {}", spec.name);
    let creation = Creation {
        name: &spec.name,
        check_duplicate: true,
        driver: "bridge",
        ipam: Ipam {
            driver: "default",
            config: [IpamRange { subnet: &spec.subnet, gateway: subnet.gateway().to_string() }],
        },
        labels: label::with_instance(&spec.labels, engine.instance_id()),
    };
    let body = serde_json::to_vec(&creation).map_err(|error| protocol(action(), error))?;
    let request = wire::request(Method::POST, "/networks/create")
        .header(header::CONTENT_TYPE, "application/json")
        .body(wire::full(body))
        .map_err(|error| protocol(action(), error))?;
    let wire = Wire::open(engine.socket()).await?;
    let answer = wire.send(request).await.map_err(|error| protocol(action(), error))?;
    match answer.response.status().as_u16() {
        200..=299 => Ok(true),
        409 => Ok(false),
        _ => Err(EngineError::Refused { action: action(), message: wire::refusal(answer.response).await }),
    }
}

/// The network of exactly that name. (Asking for one by name would also find one whose *id* begins so.)
async fn find(engine: &DockerEngine, name: &str) -> Result<Option<Network>, EngineError> {
    let networks = query(engine, HashMap::from([("name".to_owned(), vec![name.to_owned()])])).await?;
    Ok(networks.into_iter().find(|network| network.name.as_deref() == Some(name)))
}

async fn query(
    engine: &DockerEngine,
    filters: HashMap<String, Vec<String>>,
) -> Result<Vec<Network>, EngineError> {
    let options = ListNetworksOptionsBuilder::default().filters(&filters).build();
    engine.docker()?.list_networks(Some(options)).await.map_err(|error| engine_error("list networks", error))
}

fn refused(name: &str, message: impl Into<String>) -> EngineError {
    EngineError::Refused { action: format!("make the network {name}"), message: message.into() }
}

fn foreign(name: &str) -> EngineError {
    EngineError::Foreign(format!("the network {name}"))
}
