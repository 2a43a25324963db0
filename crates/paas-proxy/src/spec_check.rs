//! What a service must be before it is put.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    api::{ServiceSpec, TargetState},
    host::HostPattern,
    policy_check::check_policy,
    refusal::Refusal,
    route_check::{check_circles, check_routes, check_routes_against},
    router::{Service, Table},
    target::Target,
};

const MAX_ID: usize = 128;

impl ServiceSpec {
    /// Says why the proxy would refuse this service whatever else it has. Whoever makes services can ask before it is too late to go back.
    pub fn check(&self) -> Result<(), Refusal> {
        check_spec(self)
    }

    /// Says why the proxy would refuse this service beside those that it has.
    pub fn check_beside<'a>(&self, others: impl IntoIterator<Item = &'a Self>) -> Result<(), Refusal> {
        self.check()?;
        let mut table = Table::default();
        for spec in others {
            table.add(Arc::new(Service::new(spec.clone(), Vec::new(), None)));
        }
        check_routes_against(self, &table)?;
        check_circles(self, &table)
    }
}

/// Checks a service by itself.
pub(crate) fn check_spec(spec: &ServiceSpec) -> Result<(), Refusal> {
    check_id("service name", &spec.name)?;
    for host in &spec.hosts {
        HostPattern::parse(host).map_err(|_| Refusal::not_a_host(host))?;
    }
    check_routes(spec)?;
    check_policy(&spec.policy)?;
    let mut seen = HashSet::new();
    check_candidate(spec)?;
    for target in spec.all_targets() {
        check_id("target id", &target.id)?;
        if !seen.insert(&target.id) {
            return Err(Refusal::invalid(format!("the target {} is named twice; name it once", target.id)));
        }
    }
    Ok(())
}

fn check_candidate(spec: &ServiceSpec) -> Result<(), Refusal> {
    let Some(candidate) = &spec.candidate else { return Ok(()) };
    check_id("candidate id", &candidate.id)?;
    if candidate.percent > 100 {
        let percent = candidate.percent;
        return Err(Refusal::invalid(format!("a candidate cannot get {percent} %; write 0 to 100")));
    }
    Ok(())
}

/// Checks that a service takes nothing from the others, which is so whatever else there is. `targets` are those known, the draining ones included.
pub(crate) fn check_against(
    spec: &ServiceSpec,
    table: &Table,
    targets: &HashMap<String, Arc<Target>>,
) -> Result<(), Refusal> {
    check_routes_against(spec, table)?;
    for wanted in spec.all_targets() {
        let known = targets.get(&wanted.id).filter(|target| target.state() != TargetState::Retired);
        let Some(known) = known else { continue };
        if known.service != spec.name {
            return Err(Refusal::target_taken(
                &wanted.id,
                &format!("a target of the service {}", known.service),
            ));
        }
        if known.address != wanted.address {
            return Err(Refusal::target_taken(&wanted.id, &format!("at {}", known.address)));
        }
        if known.protocol != wanted.protocol {
            return Err(Refusal::target_taken(&wanted.id, "known to speak another protocol"));
        }
    }
    Ok(())
}

/// Names and ids stand in the admin API's paths as they are.
pub(crate) fn check_id(what: &str, id: &str) -> Result<(), Refusal> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    if (1..=MAX_ID).contains(&id.len()) && id.bytes().all(allowed) && id.bytes().any(|byte| byte != b'.') {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "`{}` cannot be a {what}; use 1 to {MAX_ID} of A-Z a-z 0-9 . _ : -",
        id.chars().take(MAX_ID).collect::<String>().escape_debug()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ServiceState, TargetProtocol, TargetSpec};

    fn spec(name: &str, hosts: &[&str], targets: &[&str]) -> ServiceSpec {
        let target = |id: &&str| TargetSpec {
            id: (*id).to_owned(),
            address: ([127, 0, 0, 1], 1).into(),
            protocol: TargetProtocol::Http1,
        };
        ServiceSpec {
            name: name.to_owned(),
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            targets: targets.iter().map(target).collect(),
            state: ServiceState::Serving,
            ..ServiceSpec::default()
        }
    }

    #[test]
    fn a_spec_is_checked() {
        assert!(check_spec(&spec("blog", &["a.b", "*.a.b", "[::1]"], &["c:1", "c-2"])).is_ok());
        for bad in [
            spec("", &[], &[]),
            spec("a/b", &[], &[]),
            spec("..", &[], &[]),
            spec(&"a".repeat(129), &[], &[]),
            spec("a", &["a b"], &[]),
            spec("a", &["a:80"], &[]),
            spec("a", &[], &["x", "x"]),
            spec("a", &[], &["x?"]),
        ] {
            assert!(check_spec(&bad).is_err(), "{bad:?}");
        }
    }
}
