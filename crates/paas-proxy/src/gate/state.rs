use crate::{api::ServiceState, failure::Failure, router::Service};

/// Whether the service passes requests on at all.
pub(super) fn check_state(service: &Service) -> Result<(), Failure> {
    match service.spec.state {
        ServiceState::Stopped => Err(Failure::Stopped),
        ServiceState::Maintenance => Err(Failure::Maintenance),
        ServiceState::Serving if service.targets.is_empty() => Err(Failure::NoTarget),
        // They wait until it serves again.
        ServiceState::Serving | ServiceState::Held => Ok(()),
    }
}
