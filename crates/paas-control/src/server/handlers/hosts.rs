//! Which hostnames an app may have, whole or in part.

use http::StatusCode;
use paas_deploy::GivenUp;
use paas_domain::{AppName, Hostname};
use paas_proxy::RefusalKind;
use paas_store::{App, StoreError};

use crate::server::{failure::Failure, identity::Identity, rule::visible, state::Shared};

/// `<name>.<domain of the server>` belongs to the app of that name, today's or a future one.
pub(super) fn keep_default_hosts(shared: &Shared, app: &App, hostname: &Hostname) -> Result<(), Failure> {
    let settings = shared.deployer().settings();
    if settings.default_host(&app.name).as_ref() == Some(hostname) {
        return Err(Failure::conflict(format!(
            "{hostname} leads to {} already: every app has this name",
            app.name
        )));
    }
    if hostname.as_str() == settings.domain {
        return Err(Failure::conflict(format!("{hostname} is the server's own name"))
            .hint("use a hostname of your own"));
    }
    if Hostname::new(&settings.domain).is_ok_and(|own| own.is_covered_by([hostname.as_str()])) {
        return Err(Failure::conflict(format!("{hostname} would lead {} to an app too", settings.domain))
            .hint("use a hostname of your own"));
    }
    if settings.is_default_host_of_another(hostname, &app.name) {
        return Err(kept(hostname).hint("rename the app with `apps:rename`, or use another hostname"));
    }
    let below =
        hostname.as_str().strip_suffix(settings.domain.as_str()).and_then(|rest| rest.strip_suffix('.'));
    let owner = below.and_then(|labels| labels.rsplit('.').next());
    if owner.is_some_and(|owner| owner != app.name.as_str()) {
        return Err(Failure::conflict(format!("{hostname} lies below another app's own name"))
            .hint("use a hostname of your own"));
    }
    Ok(())
}

/// As [`keep_default_hosts`], but the app's own name is fine: it may be redirected.
pub(super) fn keep_hosts_of_others(shared: &Shared, app: &App, hostname: &Hostname) -> Result<(), Failure> {
    if is_own(shared, app, hostname) { Ok(()) } else { keep_default_hosts(shared, app, hostname) }
}

/// As [`keep_hosts_of_others`], and a path of another app's own name is for those who may use that app as well.
pub(super) async fn check_part(
    shared: &Shared,
    identity: &Identity,
    app: &App,
    hostname: &Hostname,
) -> Result<(), Failure> {
    let settings = shared.deployer().settings();
    if !settings.is_default_host_of_another(hostname, &app.name) {
        return keep_hosts_of_others(shared, app, hostname);
    }
    let label = hostname.as_str().split('.').next().unwrap_or_default();
    let owner = AppName::new(label).map_err(|_| kept(hostname))?;
    // An app that is not there and one that is not theirs are one answer.
    match visible(shared, identity, owner).await {
        Ok(_) => Ok(()),
        Err(failure) if failure.status == StatusCode::NOT_FOUND => Err(kept(hostname)),
        Err(failure) => Err(failure),
    }
}

/// The hook changes the administrator's zones: that it can says nothing about whose names these are.
pub(super) fn check_wildcard(
    shared: &Shared,
    identity: &Identity,
    hostname: &Hostname,
) -> Result<(), Failure> {
    if hostname.is_wildcard() && shared.certificates().has_dns_hook() && !identity.is_admin() {
        return Err(Failure::refused(
            "only an admin adds a wildcard here, because this server changes DNS records for it",
        )
        .hint("ask an admin of the server")
        .with_status(StatusCode::FORBIDDEN));
    }
    Ok(())
}

/// Which app has a hostname or a path, and which names it has beside the wanted one, is told only to those who may see that app.
pub(super) fn hide_owner(identity: &Identity, wanted: &Hostname, error: StoreError) -> Failure {
    match error {
        StoreError::DomainTaken { app, .. } if !identity.may_use(&app) => {
            Failure::conflict(format!("{wanted} leads to another app already, or a part of it does"))
        }
        StoreError::RouteTaken { route, app } if !identity.may_use(&app) => {
            Failure::conflict(format!("{route} leads to another app already"))
        }
        other => other.into(),
    }
}

/// What was asked for is stored, and the proxy has to do without it for now: told as a failure, because nobody would look again otherwise. What else
/// the app does without is not this command's. `undo` is the command that takes it back.
pub(super) fn check_in_force(given_up: &[GivenUp], asked: &str, undo: &str) -> Result<(), Failure> {
    let is_asked = |one: &&GivenUp| match &one.refusal.kind {
        RefusalKind::HostTaken { host, .. } | RefusalKind::RedirectCircle { host } => {
            host == asked && !one.is_of_file
        }
        _ => false,
    };
    match given_up.iter().find(is_asked) {
        Some(GivenUp { refusal, .. }) => Err(Failure::conflict(format!(
            "this is stored, and not in force: {refusal}"
        ))
        .hint(format!("it takes effect by itself when that has changed; `paas {undo}` takes it back"))),
        None => Ok(()),
    }
}

fn is_own(shared: &Shared, app: &App, hostname: &Hostname) -> bool {
    shared.deployer().settings().default_host(&app.name).as_ref() == Some(hostname)
}

fn kept(hostname: &Hostname) -> Failure {
    Failure::conflict(format!("{hostname} is kept for the app of that name"))
}
