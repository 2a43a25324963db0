use std::{
    collections::{BTreeMap, BTreeSet},
    net::{SocketAddr, SocketAddrV4},
};

use paas_domain::{AppId, Declared, DeployId, Hostname, LONGEST_REDIRECT_CHAIN, Strategy, WebProtocol};
use paas_proxy::{
    CandidateSpec, HoldPolicy, HostRedirect, HttpsPolicy, ProxyClientError, Refusal, RefusalKind,
    ServiceSpec, ServiceState, TargetProtocol, TargetSpec,
};
use paas_store::{App, ContainerRow, Deploy, Release, Setting, StoreError, Wanted};
use thiserror::Error;

use crate::{deployer::Deployer, names, request_policy};

const SECONDS_OF_A_DAY: u64 = 24 * 60 * 60;

impl ApplyRoutesError {
    /// Whether the same call may succeed when the proxy is back.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Store(StoreError::NoRow { .. }) => false,
            Self::Proxy(ProxyClientError::Refused(refusal)) => {
                matches!(refusal.kind, RefusalKind::NotDurable | RefusalKind::Moved)
            }
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

/// Something that an app has to do without, because the proxy does not take it (yet).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{refusal}")]
pub struct GivenUp {
    /// Why.
    pub refusal: Refusal,
    /// Whether it is a redirect of paas.toml, whose hostname leads to the app in place of it.
    pub is_of_file: bool,
}

impl GivenUp {
    fn by_proxy(refusal: &Refusal) -> Self {
        Self { refusal: refusal.clone(), is_of_file: false }
    }

    /// The proxy may have named another one, which goes on by way of this.
    fn of_file(HostRedirect { host, to, .. }: &HostRedirect) -> Self {
        let message = format!(
            "the redirect from {host} to {to} in paas.toml is not in force: visitors would come back to where they began, or meet more than {LONGEST_REDIRECT_CHAIN} redirects in a row; {host} leads to the app, send visitors to a hostname that stays where it is"
        );
        let kind = RefusalKind::RedirectCircle { host: host.clone() };
        Self { refusal: Refusal { kind, message }, is_of_file: true }
    }
}

impl Deployer {
    /// Every hostname of the app, its own name first.
    pub(crate) fn hosts(&self, app: &App) -> Result<Vec<Hostname>, StoreError> {
        let own = self.settings.default_host(&app.name);
        Ok(own.into_iter().chain(self.store.domains(app.id)?).collect())
    }

    /// Makes the proxy route the app as the store says. One at a time: what is read is put before anybody reads again, so that an older reading never
    /// lands after a newer one. Gives what the app has to do without for now: one for each hostname, path or redirect.
    pub async fn apply_routes(&self, app: AppId) -> Result<Vec<GivenUp>, ApplyRoutesError> {
        let _turn = self.routes_turn.lock().await;
        self.names_changed.notify_one();
        let app = self.store.get_app_by_id(app)?;
        let Some((mut service, of_file)) = self.service(&app)? else {
            self.proxy.delete_service(&names::service(app.id)).await?;
            self.log_refusals(&app, &[]);
            return Ok(Vec::new());
        };
        let put = self.put(&mut service, &of_file).await;
        match &put {
            Ok(given_up) => {
                let refusals: Vec<_> = given_up.iter().map(|one| one.refusal.clone()).collect();
                self.log_refusals(&app, &refusals);
            }
            Err(ProxyClientError::Refused(refusal)) => {
                self.log_refusals(&app, std::slice::from_ref(refusal));
            }
            Err(_) => {}
        }
        Ok(put?)
    }

    /// Applies the routes of the other apps that have a part of a hostname, or of one to which redirects by command lead from there: what their
    /// paas.toml says of it gives way to a command of this one, and comes back after it. What cannot be done now, the reconciler does.
    pub async fn apply_routes_beside(&self, app: AppId, host: &Hostname) -> Result<(), StoreError> {
        let mut redirects = self.store.redirects_of_others(app)?;
        redirects.extend(self.store.redirects(app)?);
        let mut way = vec![host];
        while let Some(last) = way.last() {
            let next = redirects.iter().find(|redirect| last.is_covered_by([redirect.host.as_str()]));
            match next {
                Some(next) if !way.contains(&&next.to) => way.push(&next.to),
                _ => break,
            }
        }
        let is_on_way = |name: &Hostname| way.iter().any(|host| host.is_covered_by([name.as_str()]));
        let own = self.store.list_apps()?.into_iter().filter_map(|other| {
            self.settings.default_host(&other.name).is_some_and(|name| is_on_way(&name)).then_some(other.id)
        });
        let parts = self.store.all_domains()?.into_iter().chain(self.store.all_route_hosts()?);
        let parts = parts.filter(|(name, _)| is_on_way(name)).map(|(_, other)| other);
        let others: BTreeSet<AppId> = own.chain(parts).filter(|other| *other != app).collect();
        for other in others {
            if let Err(error) = self.apply_routes(other).await {
                Self::note("the routes of another app of the hostname could not be applied", &error);
            }
        }
        Ok(())
    }

    /// Puts the service, without the hostnames, paths and redirects that the proxy does not take; gives these refusals.
    async fn put(
        &self,
        service: &mut ServiceSpec,
        of_file: &BTreeSet<String>,
    ) -> Result<Vec<GivenUp>, ProxyClientError> {
        let mut given_up = Vec::new();
        loop {
            let refusal = match self.proxy.put_service(service).await {
                Ok(()) => return Ok(given_up),
                Err(ProxyClientError::Refused(refusal)) => refusal,
                Err(error) => return Err(error),
            };
            // The other app's routes are older than the store, or the end of a redirect is not there (yet): the reconciler tries again. This app must
            // not wait for one name.
            let one = match &refusal.kind {
                RefusalKind::HostTaken { host, .. } => {
                    request_policy::gives_up(service, host).then(|| GivenUp::by_proxy(&refusal))
                }
                RefusalKind::RedirectCircle { host } => {
                    request_policy::gives_up_redirect(service, host, of_file).map(|redirect| {
                        if !of_file.contains(&redirect.host) {
                            return GivenUp::by_proxy(&refusal);
                        }
                        // A name that a command redirects is the app's for that alone; one that the file redirects is the app's all the same.
                        service.hosts.push(redirect.host.clone());
                        GivenUp::of_file(&redirect)
                    })
                }
                _ => None,
            };
            match one {
                Some(one) => given_up.push(one),
                None => return Err(ProxyClientError::Refused(refusal)),
            }
        }
    }

    fn log_refusals(&self, app: &App, now: &[Refusal]) {
        for refusal in self.refusals.replace(app.id, now) {
            tracing::warn!(app.name = %app.name, reason = %refusal, "the proxy does not take all of an app (yet)");
        }
    }

    /// Why the proxy would refuse for good what it is to be told when that deploy is the active one. Asked while there still is a way back.
    pub(crate) fn refused_if_active(&self, deploy: DeployId) -> Result<Option<Refusal>, StoreError> {
        let row = self.store.get_deploy(deploy)?;
        let app = self.store.get_app_by_id(row.app)?;
        // As it is then: the hold is over, and one that is promoted is no candidate.
        let service = self.passed_on(&App { release: row.release, active_deploy: Some(deploy), ..app })?;
        Ok(service.and_then(|(service, _)| service.check().err()))
    }

    /// The app's service, and the hostnames in it that the file redirects; none for an app that was never deployed or is going away, so that its hosts
    /// answer like unknown ones.
    pub(crate) fn service(&self, app: &App) -> Result<Option<(ServiceSpec, BTreeSet<String>)>, StoreError> {
        let Some((mut service, of_file)) = self.passed_on(app)? else { return Ok(None) };
        match self.store.holding_deploy(app.id)? {
            Some(deploy) => hold(&mut service, &deploy),
            None => service.candidate = self.candidate(app.id)?,
        }
        Ok(Some((service, of_file)))
    }

    /// The app's service without regard to a deploy under way: its requests are passed on to the active deploy.
    fn passed_on(&self, app: &App) -> Result<Option<(ServiceSpec, BTreeSet<String>)>, StoreError> {
        let Some(release) = app.release else { return Ok(None) };
        if matches!(app.wanted, Wanted::Destroyed { .. }) {
            return Ok(None);
        }
        let release = self.store.get_release(release)?;
        let declared = &release.spec.declared;
        let (settings, door) = (self.store.settings(app.id)?, self.store.front_door(app.id)?);
        let rules = self.host_rules_with(app, &door, declared)?;
        let targets = match app.active_deploy {
            Some(deploy) => self.targets(deploy, &release)?,
            None => Vec::new(),
        };
        let service = ServiceSpec {
            name: names::service(app.id),
            hosts: rules.hosts.iter().map(ToString::to_string).collect(),
            targets,
            https: https_policy(&settings, declared),
            paths: rules.proxy_paths(),
            redirects: rules.proxy_redirects(),
            policy: request_policy::policy(&settings, declared, &door),
            state: match app.wanted {
                _ if request_policy::in_maintenance(&settings, declared) => ServiceState::Maintenance,
                Wanted::Stopped => ServiceState::Stopped,
                Wanted::Running | Wanted::Destroyed { .. } => ServiceState::Serving,
            },
            ..ServiceSpec::default()
        };
        Ok(Some((service, rules.redirected_by_file())))
    }

    /// The candidate of the app, if it has one. Its id is the release's: whoever got another release is chosen anew.
    fn candidate(&self, app: AppId) -> Result<Option<CandidateSpec>, StoreError> {
        let Some(Deploy { id, release: Some(release), share: Some(share), .. }) =
            self.store.candidate(app)?
        else {
            return Ok(None);
        };
        let release = self.store.get_release(release)?;
        let targets = self.targets(id, &release)?;
        Ok(Some(CandidateSpec { id: release.version.to_string(), percent: share.percent(), targets }))
    }

    /// The web containers of a deploy of that release.
    fn targets(&self, deploy: DeployId, release: &Release) -> Result<Vec<TargetSpec>, StoreError> {
        let protocol = match release.spec.declared.web_protocol {
            WebProtocol::Http1 => TargetProtocol::Http1,
            WebProtocol::H2c => TargetProtocol::H2c,
        };
        let target = |row: &ContainerRow| TargetSpec {
            id: row.name.clone(),
            address: SocketAddr::V4(SocketAddrV4::new(row.address, release.spec.port)),
            protocol,
        };
        let rows = self.store.containers_of_deploy(deploy)?;
        Ok(rows.iter().filter(|row| is_web(row)).map(target).collect())
    }
}

/// Keeps requests from every container: they wait, or are answered 503 at once.
fn hold(service: &mut ServiceSpec, deploy: &Deploy) {
    service.targets.clear();
    if service.state == ServiceState::Serving {
        service.state = ServiceState::Held;
    }
    if deploy.strategy == Strategy::Recreate {
        // Nobody waits: the answer past the bounds of a hold, 503 with `Retry-After`, is the answer to all.
        service.policy.hold = HoldPolicy { timeout_ms: 0, requests: 0 };
    }
}

fn is_web(row: &ContainerRow) -> bool {
    row.process_type.as_ref().is_some_and(paas_domain::ProcessType::is_web)
}

/// A command wins over the repository, which wins over the default.
fn https_policy(settings: &BTreeMap<Setting, String>, declared: &Declared) -> HttpsPolicy {
    let redirect = settings.get(&Setting::HttpsRedirect).map(|value| value == "on");
    let days = settings.get(&Setting::HstsDays).and_then(|days| days.parse().ok()).or(declared.hsts_days);
    HttpsPolicy {
        redirect: redirect.or(declared.https_redirect).unwrap_or(true),
        hsts_seconds: days.filter(|days| *days > 0).map(|days: u16| u64::from(days) * SECONDS_OF_A_DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_wins_over_the_repository_in_how_visitors_come() {
        let none = BTreeMap::new();
        let default = https_policy(&none, &Declared::default());
        assert_eq!(default, HttpsPolicy { redirect: true, hsts_seconds: None });
        let declared = Declared { https_redirect: Some(false), hsts_days: Some(2), ..Declared::default() };
        let policy = https_policy(&none, &declared);
        assert_eq!(policy, HttpsPolicy { redirect: false, hsts_seconds: Some(172_800) });
        let set =
            BTreeMap::from([(Setting::HttpsRedirect, "on".to_owned()), (Setting::HstsDays, "0".to_owned())]);
        assert_eq!(https_policy(&set, &declared), HttpsPolicy { redirect: true, hsts_seconds: None });
    }
}
