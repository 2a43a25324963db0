use http::HeaderValue;

use crate::{
    forwarded::{Origin, Source},
    gate::OwnPages,
    router::Route,
};

/// What is found out about a request on its way, for those who finish its answer.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where it leads, once that is known.
    pub(crate) route: Option<Route>,
    /// Who sent it: the connection's other end, or who a trusted proxy says.
    pub(crate) source: Source,
    /// What visitors over HTTPS are told with any answer.
    pub(crate) hsts: Option<HeaderValue>,
    /// What those are told who must say who they are.
    pub(crate) authenticate: Option<HeaderValue>,
}

impl Context {
    pub(crate) fn new(origin: &Origin) -> Self {
        Self { route: None, source: origin.direct(), hsts: None, authenticate: None }
    }

    /// The pages of the service that the request leads to.
    pub(crate) fn pages(&self) -> Option<&OwnPages> {
        self.route.as_ref()?.service.gates.pages.as_deref()
    }
}
