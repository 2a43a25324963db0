use std::sync::Arc;

use super::{basic_auth::BasicAuth, own_pages::OwnPages};
use crate::{api::RequestPolicy, networks::Networks};

/// What a policy asks of each request, ready to be looked at. All `None` for the default policy.
#[derive(Debug)]
pub(crate) struct Gates {
    /// Where visitors may come from.
    pub(crate) allow: Option<Networks>,
    /// Whose word about visitors is believed.
    pub(crate) trusted: Option<Networks>,
    pub(crate) auth: Option<Arc<BasicAuth>>,
    pub(crate) pages: Option<Arc<OwnPages>>,
}

impl Gates {
    /// `before` is what was in force so far: who has shown his password need not show it again while the passwords are the same,
    /// and pages are not copied for each change of another service.
    pub(crate) fn new(policy: &RequestPolicy, before: Option<(&RequestPolicy, &Self)>) -> Self {
        let same_users = before.filter(|(before, _)| before.basic_auth == policy.basic_auth);
        let same_pages = before.filter(|(before, _)| {
            before.maintenance_page == policy.maintenance_page && before.error_pages == policy.error_pages
        });
        Self {
            allow: Networks::new(&policy.allow),
            trusted: Networks::new(&policy.trusted_proxies),
            auth: match same_users {
                Some((_, gates)) => gates.auth.clone(),
                None => BasicAuth::new(&policy.basic_auth).map(Arc::new),
            },
            pages: match same_pages {
                Some((_, gates)) => gates.pages.clone(),
                None => OwnPages::new(policy).map(Arc::new),
            },
        }
    }
}
