//! Keeps a visitor with one target.

use std::sync::Arc;

use http::HeaderValue;

use crate::{
    balance::Pick,
    cookie::{self, SEPARATOR},
    rest,
    tag::Tag,
    target::Target,
};

/// The cookie that says which target a visitor has.
pub(crate) const COOKIE: &str = "paas_target";

/// The targets a visitor has, the newest first: services that share a host by their paths share its cookies.
#[derive(Debug, Default)]
pub(crate) struct Kept(Vec<String>);

impl Kept {
    /// Reads a cookie's value and leaves out what is none of ours.
    pub(crate) fn parse(value: &str) -> Self {
        let tags = value.split(SEPARATOR).filter(|tag| Tag::is_one(tag)).take(cookie::ENTRIES);
        Self(tags.map(str::to_owned).collect())
    }

    /// Claims the visitor's target, if one of these is it, unless it refused this request or rests.
    pub(crate) fn pick(&self, targets: &[Arc<Target>], refused: &[Arc<Target>]) -> Pick {
        let target = self
            .0
            .iter()
            .find_map(|tag| targets.iter().find(|target| target.tag.as_str() == tag))
            .filter(|target| !refused.iter().any(|other| Arc::ptr_eq(target, other)))
            .filter(|target| target.rest.admits(rest::now()));
        target.map_or(Pick::Empty, |target| target.claim().map_or(Pick::Stale, Pick::Claimed))
    }

    /// The field that keeps the visitor with a target.
    pub(crate) fn keep(&self, tag: &Tag, secure: bool) -> Option<HeaderValue> {
        let others = || self.0.iter().map(String::as_str).filter(|other| *other != tag.as_str());
        let tags: Vec<&str> = std::iter::once(tag.as_str()).chain(others()).take(cookie::ENTRIES).collect();
        cookie::session(COOKIE, &tags.join(SEPARATOR), secure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stands_first_and_the_oldest_goes() {
        let tags = ["a", "b", "c", "d", "e"].map(|id| Tag::new("target", id));
        let mut kept = Kept::parse("nonsense~~; Domain");
        for tag in &tags {
            let field = kept.keep(tag, false).unwrap();
            kept = Kept::parse(field.to_str().unwrap().split(['=', ';']).nth(1).unwrap());
        }
        let expected: Vec<_> = tags.iter().rev().take(cookie::ENTRIES).map(Tag::as_str).collect();
        assert_eq!(kept.0, expected);
    }
}
