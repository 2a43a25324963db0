use std::sync::Arc;

use http::{
    HeaderMap, Request,
    header::{CACHE_CONTROL, SET_COOKIE},
};

use crate::{
    balance::{self, Pick},
    canary::{self, Draws},
    compression::Wish,
    cookie,
    headers::tokens,
    request_body::RequestBody,
    router::Service,
    server_timing::Timing,
    sticky::{self, Kept},
    tag::Tag,
    target::Target,
};

/// What is kept of a request whose service does more than pass it on. Requests of other services have none.
#[derive(Debug)]
pub(crate) struct Visit {
    /// Whether the visitor came by HTTPS.
    secure: bool,
    /// The targets his cookie names.
    kept: Kept,
    draws: Draws,
    /// The target he is to stay with, if that is new.
    new_target: Option<Tag>,
    timing: Option<Timing>,
    wish: Wish,
    compress: bool,
}

/// A way to choose of some targets without those that refused.
type Choice = fn(&[Arc<Target>], &[Arc<Target>]) -> Pick;

impl Visit {
    /// Takes our cookies out of the request: they are not the app's.
    pub(crate) fn new(request: &mut Request<RequestBody>) -> Self {
        let wish = Wish::of(request);
        let headers = request.headers_mut();
        // Ours at this point, and right also behind a proxy that is trusted.
        let secure = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
        Self {
            secure,
            kept: cookie::take(headers, sticky::COOKIE).as_deref().map(Kept::parse).unwrap_or_default(),
            draws: cookie::take(headers, canary::COOKIE).as_deref().map(Draws::parse).unwrap_or_default(),
            new_target: None,
            timing: None,
            wish,
            compress: false,
        }
    }

    /// Chooses a target for the visitor: of the candidate if that is his draw and one of it can be reached, else of the service.
    pub(crate) fn pick(&mut self, service: &Service, refused: &[Arc<Target>]) -> Pick {
        let policy = &service.spec.policy;
        self.compress = policy.compression;
        self.timing = policy.server_timing.then(Timing::begin);
        if let Some(candidate) = &service.candidate
            && self.draws.admit(candidate)
        {
            match self.pick_of(&candidate.targets, refused, policy.sticky, balance::pick_awake) {
                Pick::Empty => {}
                picked => return picked,
            }
        }
        self.pick_of(&service.targets, refused, policy.sticky, balance::pick)
    }

    fn pick_of(
        &mut self,
        targets: &[Arc<Target>],
        refused: &[Arc<Target>],
        sticky: bool,
        pick: Choice,
    ) -> Pick {
        self.new_target = None;
        if !sticky {
            return pick(targets, refused);
        }
        match self.kept.pick(targets, refused) {
            Pick::Empty => {}
            picked => return picked,
        }
        let picked = pick(targets, refused);
        if let Pick::Claimed(claim) = &picked {
            self.new_target = Some(claim.target().tag.clone());
        }
        picked
    }

    /// Adds to a target's answer what the visitor is to be told. Gives how its body is to be compressed, if at all.
    pub(crate) fn finish(self, begin: tokio::time::Instant, headers: &mut HeaderMap) -> Option<Wish> {
        // A cache would give one visitor's cookie to all others. This one gets it with an answer that is his.
        if !is_for_all(headers) {
            let target = self.new_target.and_then(|tag| self.kept.keep(&tag, self.secure));
            let draws = self.draws.keep(self.secure);
            for field in [target, draws].into_iter().flatten() {
                headers.append(SET_COOKIE, field);
            }
        }
        if let Some(timing) = self.timing {
            timing.tell(begin, headers);
        }
        self.compress.then_some(self.wish)
    }
}

/// Whether the app lets caches that many visitors share keep its answer (RFC 9111, 5.2.2).
fn is_for_all(headers: &HeaderMap) -> bool {
    tokens(headers, &CACHE_CONTROL).any(|directive| {
        let name = directive.split('=').next().unwrap_or_default();
        ["public", "s-maxage"].iter().any(|shared| name.eq_ignore_ascii_case(shared))
    })
}
