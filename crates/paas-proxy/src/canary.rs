//! A candidate beside the version that serves, for a share of the visitors.

use std::sync::Arc;

use http::HeaderValue;

use crate::{
    api::CandidateSpec,
    cookie::{self, SEPARATOR},
    tag::Tag,
    target::Target,
};

/// The cookie that remembers a visitor's draws.
pub(crate) const COOKIE: &str = "paas_canary";

/// The numbers that are drawn: 0 to this, without it.
const NUMBERS: u16 = 10_000;

/// A version that some of the visitors get.
#[derive(Debug)]
pub(crate) struct Candidate {
    tag: Tag,
    percent: u8,
    pub(crate) targets: Vec<Arc<Target>>,
}

impl Candidate {
    pub(crate) fn new(spec: &CandidateSpec, targets: Vec<Arc<Target>>) -> Self {
        Self { tag: Tag::new("candidate", &spec.id), percent: spec.percent, targets }
    }

    /// Whether the visitor with this number gets the candidate.
    fn admits(&self, number: u16) -> bool {
        number < u16::from(self.percent) * (NUMBERS / 100)
    }
}

/// A visitor's number for one candidate. The number is remembered and not what followed from it: when the share grows, those who
/// had the candidate keep it and some of the others come to it; when it shrinks, only those who are too many leave it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Draw {
    candidate: String,
    number: u16,
}

/// A visitor's draws, the newest first: services that share a host by their paths share its cookies.
#[derive(Debug, Default)]
pub(crate) struct Draws {
    draws: Vec<Draw>,
    /// Whether one of them is not in his cookie.
    has_new: bool,
}

impl Draws {
    /// Reads a cookie's value and leaves out what is none of ours.
    pub(crate) fn parse(value: &str) -> Self {
        let draws = value.split(SEPARATOR).filter_map(Draw::parse).take(cookie::ENTRIES);
        Self { draws: draws.collect(), has_new: false }
    }

    /// Whether the visitor gets the candidate; draws for him when he has no number for it.
    pub(crate) fn admit(&mut self, candidate: &Candidate) -> bool {
        let known = self.draws.iter().find(|draw| draw.candidate == candidate.tag.as_str());
        let number = known.map_or_else(|| rand::random_range(0..NUMBERS), |draw| draw.number);
        if known.is_none() {
            self.draws.insert(0, Draw { candidate: candidate.tag.as_str().to_owned(), number });
            self.draws.truncate(cookie::ENTRIES);
            self.has_new = true;
        }
        candidate.admits(number)
    }

    /// The field that makes his browser remember them; `None` when it knows them.
    pub(crate) fn keep(&self, secure: bool) -> Option<HeaderValue> {
        if !self.has_new {
            return None;
        }
        let draws: Vec<_> =
            self.draws.iter().map(|draw| format!("{}.{}", draw.candidate, draw.number)).collect();
        cookie::session(COOKIE, &draws.join(SEPARATOR), secure)
    }
}

impl Draw {
    fn parse(value: &str) -> Option<Self> {
        let (candidate, number) = value.split_once('.')?;
        let number = number.parse().ok().filter(|number| *number < NUMBERS)?;
        Tag::is_one(candidate).then(|| Self { candidate: candidate.to_owned(), number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(id: &str, percent: u8) -> Candidate {
        Candidate::new(&CandidateSpec { id: id.to_owned(), percent, targets: Vec::new() }, Vec::new())
    }

    #[test]
    fn a_growing_share_takes_nobody_out_and_a_shrinking_one_nobody_in() {
        let shares = [0, 1, 10, 50, 100].map(|percent| candidate("c", percent));
        for number in 0..NUMBERS {
            let inside = shares.each_ref().map(|candidate| candidate.admits(number));
            assert!(inside.is_sorted(), "{number}: {inside:?}");
            assert!(!inside[0] && inside[4]);
        }
    }

    #[test]
    fn a_share_is_what_it_says() {
        let candidate = candidate("c", 10);
        assert_eq!((0..NUMBERS).filter(|&number| candidate.admits(number)).count(), 1_000);
        let drawn = (0..20_000).filter(|_| Draws::default().admit(&candidate)).count();
        assert!((1_700..2_300).contains(&drawn), "{drawn} of 20,000");
    }

    #[test]
    fn a_draw_is_for_one_candidate_and_is_remembered() {
        let (blog, shop) = (candidate("v1", 50), candidate("v2", 50));
        let mut draws = Draws::parse("x~x.1~AAAAAAAAAAAA.10000~AAAAAAAAAAAA.-1~AAAAAAAAAAAA");
        assert!(draws.keep(false).is_none() && draws.draws.is_empty(), "nothing of it is ours");
        let first = (draws.admit(&blog), draws.admit(&shop));
        let field = draws.keep(false).unwrap();
        let mut again = Draws::parse(field.to_str().unwrap().split(['=', ';']).nth(1).unwrap());
        assert_eq!(again.draws, draws.draws);
        assert_eq!((again.admit(&blog), again.admit(&shop)), first);
        assert!(again.keep(false).is_none());
        for n in 0..9 {
            again.admit(&candidate(&format!("w{n}"), 50));
        }
        assert_eq!(again.draws.len(), cookie::ENTRIES);
    }
}
