use std::net::{SocketAddr, SocketAddrV4};

use paas_domain::{AppId, Hostname};
use paas_proxy::{
    HttpsPolicy, ProxyClientError, Refusal, RefusalKind, ServiceSpec, ServiceState, TargetProtocol,
    TargetSpec,
};
use paas_store::{App, ContainerRow, StoreError, Wanted};
use thiserror::Error;

use crate::{deployer::Deployer, names};

impl ApplyRoutesError {
    /// Whether the same call may succeed when the proxy is back.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Store(StoreError::NoRow { .. }) => false,
            Self::Proxy(ProxyClientError::Refused(refusal)) => refusal.kind == RefusalKind::NotDurable,
            Self::Store(_) | Self::Proxy(_) => true,
        }
    }
}

/// Why an app's routes could not be applied.
#[derive(Debug, Error)]
pub enum ApplyRoutesError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The proxy did not take them.
    #[error(transparent)]
    Proxy(#[from] ProxyClientError),
}

impl Deployer {
    /// Every hostname of the app, its own name first.
    pub(crate) fn hosts(&self, app: &App) -> Result<Vec<Hostname>, StoreError> {
        let own = self.settings.default_host(&app.name);
        Ok(own.into_iter().chain(self.store.domains(app.id)?).collect())
    }

    /// Makes the proxy route the app as the store says. One at a time: what is read is put before anybody reads again, so that an older reading never
    /// lands after a newer one.
    pub async fn apply_routes(&self, app: AppId) -> Result<(), ApplyRoutesError> {
        let _turn = self.routes_turn.lock().await;
        let app = self.store.get_app_by_id(app)?;
        let Some(mut service) = self.service(&app)? else {
            self.proxy.delete_service(&names::service(app.id)).await?;
            return Ok(());
        };
        loop {
            match self.proxy.put_service(&service).await {
                Err(ProxyClientError::Refused(Refusal {
                    kind: RefusalKind::HostTaken { host, .. },
                    message,
                })) if service.hosts.contains(&host) => {
                    // The other app's routes are older than the store: the reconciler mends both. This app must not wait for one name.
                    tracing::warn!(app.name = %app.name, host, message, "a hostname is not free in the proxy yet");
                    service.hosts.retain(|own| *own != host);
                }
                answer => return Ok(answer?),
            }
        }
    }

    /// The app's service; none for an app that was never deployed or is going away, so that its hosts answer like unknown ones.
    pub(crate) fn service(&self, app: &App) -> Result<Option<ServiceSpec>, StoreError> {
        let Some(release) = app.release else { return Ok(None) };
        if matches!(app.wanted, Wanted::Destroyed { .. }) {
            return Ok(None);
        }
        let port = self.store.get_release(release)?.spec.port;
        let rows = match app.active_deploy {
            Some(deploy) => self.store.containers_of_deploy(deploy)?,
            None => Vec::new(),
        };
        Ok(Some(ServiceSpec {
            name: names::service(app.id),
            hosts: self.hosts(app)?.iter().map(ToString::to_string).collect(),
            targets: rows.iter().filter(|row| is_web(row)).map(|row| target(row, port)).collect(),
            state: match app.wanted {
                Wanted::Stopped => ServiceState::Stopped,
                Wanted::Running | Wanted::Destroyed { .. } => ServiceState::Serving,
            },
            https: HttpsPolicy::default(),
        }))
    }
}

fn is_web(row: &ContainerRow) -> bool {
    row.process_type.as_ref().is_some_and(paas_domain::ProcessType::is_web)
}

fn target(row: &ContainerRow, port: u16) -> TargetSpec {
    TargetSpec {
        id: row.name.clone(),
        address: SocketAddr::V4(SocketAddrV4::new(row.address, port)),
        protocol: TargetProtocol::Http1,
    }
}
