use std::{cmp::Reverse, sync::Arc};

use http::{HeaderValue, StatusCode};

use crate::{
    api::{HostRedirect, PathRoute},
    host::Host,
    router::Service,
};

/// One host of the table and where it leads.
#[derive(Debug, Default, Clone)]
pub(crate) struct Site {
    whole: Option<Whole>,
    /// Longest prefix first.
    below: Vec<Below>,
}

/// Where a host leads that no path of it leads away from.
#[derive(Debug, Clone)]
enum Whole {
    Service(Arc<Service>),
    Redirect(Redirect),
}

/// A path below a host and all that is below it.
#[derive(Debug, Clone)]
struct Below {
    prefix: String,
    /// The prefix, if the target does not get it.
    strip: Option<HeaderValue>,
    service: Arc<Service>,
}

/// A host whose visitors go to another one.
#[derive(Debug, Clone)]
pub(crate) struct Redirect {
    /// Lower case, without a port.
    pub(crate) to: String,
    pub(crate) status: StatusCode,
    /// Whose redirect it is.
    pub(crate) service: Arc<Service>,
}

/// Where host and path lead.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found<'a> {
    Service { service: &'a Arc<Service>, strip: Option<&'a HeaderValue> },
    Redirect(&'a Redirect),
}

impl<'a> Found<'a> {
    /// The service that has the route.
    pub(crate) fn service(self) -> &'a Arc<Service> {
        match self {
            Self::Service { service, .. } => service,
            Self::Redirect(redirect) => &redirect.service,
        }
    }
}

impl Site {
    /// The longest prefix that takes the path, else where the whole host leads.
    pub(crate) fn find(&self, path: &str) -> Option<Found<'_>> {
        if let Some(below) = self.below.iter().find(|below| takes(&below.prefix, path)) {
            return Some(Found::Service { service: &below.service, strip: below.strip.as_ref() });
        }
        self.whole.as_ref().map(|whole| match whole {
            Whole::Service(service) => Found::Service { service, strip: None },
            Whole::Redirect(redirect) => Found::Redirect(redirect),
        })
    }

    /// Who has the host as a whole.
    pub(crate) fn owner(&self) -> Option<&Arc<Service>> {
        self.whole.as_ref().map(|whole| match whole {
            Whole::Service(service) => service,
            Whole::Redirect(redirect) => &redirect.service,
        })
    }

    /// Who has this very prefix.
    pub(crate) fn owner_below(&self, prefix: &str) -> Option<&Arc<Service>> {
        self.below.iter().find(|below| below.prefix == prefix).map(|below| &below.service)
    }

    /// Leads nowhere any more that was this service's. Says whether it leads anywhere.
    pub(crate) fn leave(&mut self, service: &Arc<Service>) -> bool {
        if self.owner().is_some_and(|owner| Arc::ptr_eq(owner, service)) {
            self.whole = None;
        }
        self.below.retain(|below| !Arc::ptr_eq(&below.service, service));
        self.whole.is_some() || !self.below.is_empty()
    }

    pub(crate) fn lead(&mut self, service: &Arc<Service>) {
        self.whole = Some(Whole::Service(Arc::clone(service)));
    }

    /// What cannot be read is skipped: it was refused when the service was put.
    pub(crate) fn redirect(&mut self, service: &Arc<Service>, redirect: &HostRedirect) {
        let (Ok(to), Ok(status)) = (Host::parse(&redirect.to), StatusCode::from_u16(redirect.status)) else {
            return;
        };
        let to = to.as_str().to_owned();
        self.whole = Some(Whole::Redirect(Redirect { to, status, service: Arc::clone(service) }));
    }

    pub(crate) fn lead_below(&mut self, service: &Arc<Service>, route: &PathRoute) {
        let strip = if route.strip { HeaderValue::from_str(&route.prefix).ok() } else { None };
        self.below.push(Below { prefix: route.prefix.clone(), strip, service: Arc::clone(service) });
        self.below.sort_by_key(|below| Reverse(below.prefix.len()));
    }
}

/// Whole segments, byte for byte.
fn takes(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
