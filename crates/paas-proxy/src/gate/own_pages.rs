use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{api::RequestPolicy, failure::Failure};

/// The HTML that a service's people want their visitors to see in place of ours.
#[derive(Debug)]
pub(crate) struct OwnPages {
    maintenance: Option<Bytes>,
    by_status: BTreeMap<u16, Bytes>,
}

impl OwnPages {
    /// `None` when there is none.
    pub(crate) fn new(policy: &RequestPolicy) -> Option<Self> {
        if policy.maintenance_page.is_none() && policy.error_pages.is_empty() {
            return None;
        }
        let page = |html: &String| Bytes::from(html.clone());
        Some(Self {
            maintenance: policy.maintenance_page.as_ref().map(page),
            by_status: policy.error_pages.iter().map(|(&status, html)| (status, page(html))).collect(),
        })
    }

    /// The page for a failure; during maintenance the one made for it goes before the one for 503.
    pub(crate) fn find(&self, failure: Failure) -> Option<Bytes> {
        let maintenance = self.maintenance.as_ref().filter(|_| failure == Failure::Maintenance);
        maintenance.or_else(|| self.by_status.get(&failure.status().as_u16())).cloned()
    }
}
