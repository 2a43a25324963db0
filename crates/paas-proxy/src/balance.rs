use std::sync::Arc;

use crate::{
    rest,
    target::{Claim, Target},
};

/// The outcome of choosing a target.
#[derive(Debug)]
pub(crate) enum Pick {
    Claimed(Claim),
    /// Nothing to choose from.
    Empty,
    /// The chosen target left service meanwhile: a newer table is in force.
    Stale,
}

/// Chooses the less busy of two random targets and counts the request on it. Targets in `refused` are left out, and those that
/// rest, unless all do.
pub(crate) fn pick(targets: &[Arc<Target>], refused: &[Arc<Target>]) -> Pick {
    if refused.is_empty() {
        match choose(targets.len(), |place| targets.get(place)) {
            Some(chosen) if chosen.rest.is_marked() => {}
            chosen => return claim(chosen),
        }
    }
    match pick_awake(targets, refused) {
        Pick::Empty => {}
        picked => return picked,
    }
    let others: Vec<_> = unrefused(targets, refused).collect();
    claim(choose_of(&others))
}

/// Like [`pick`], but finds nothing when all rest.
pub(crate) fn pick_awake(targets: &[Arc<Target>], refused: &[Arc<Target>]) -> Pick {
    let now = rest::now();
    let mut awake: Vec<_> = unrefused(targets, refused).filter(|target| !target.rest.lasts(now)).collect();
    let mut chosen = choose_of(&awake);
    if chosen.is_some_and(|target| !target.rest.admits(now)) {
        // Another request tries it already.
        awake.retain(|target| !target.rest.is_marked());
        chosen = choose_of(&awake);
    }
    claim(chosen)
}

fn unrefused<'a>(
    targets: &'a [Arc<Target>],
    refused: &[Arc<Target>],
) -> impl Iterator<Item = &'a Arc<Target>> {
    targets.iter().filter(|target| !refused.iter().any(|other| Arc::ptr_eq(target, other)))
}

fn choose_of<'a>(targets: &[&'a Arc<Target>]) -> Option<&'a Arc<Target>> {
    choose(targets.len(), |place| targets.get(place).copied())
}

fn choose<'a>(count: usize, at: impl Fn(usize) -> Option<&'a Arc<Target>>) -> Option<&'a Arc<Target>> {
    if count < 2 {
        return at(0);
    }
    let first = rand::random_range(0..count);
    // A second place different from the first, without a loop.
    let second = (first + rand::random_range(1..count)) % count;
    let (first, second) = (at(first)?, at(second)?);
    Some(if second.in_flight() < first.in_flight() { second } else { first })
}

fn claim(chosen: Option<&Arc<Target>>) -> Pick {
    match chosen {
        None => Pick::Empty,
        Some(target) => target.claim().map_or(Pick::Stale, Pick::Claimed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{TargetProtocol, TargetSpec};

    fn targets(count: u16) -> Vec<Arc<Target>> {
        (0..count)
            .map(|n| {
                Target::new(
                    &TargetSpec {
                        id: n.to_string(),
                        address: ([127, 0, 0, 1], n).into(),
                        protocol: TargetProtocol::Http1,
                    },
                    "app",
                )
            })
            .collect()
    }

    #[test]
    fn nothing_to_choose_from() {
        let targets = targets(1);
        assert!(matches!(pick(&[], &[]), Pick::Empty));
        assert!(matches!(pick(&targets, &targets), Pick::Empty));
    }

    #[test]
    fn a_retired_target_is_stale() {
        let targets = targets(1);
        targets[0].drain();
        assert!(matches!(pick(&targets, &[]), Pick::Stale));
    }

    #[test]
    fn the_less_busy_of_two_is_chosen() {
        let targets = targets(2);
        let mut claims = Vec::new();
        for _ in 0..100 {
            let Pick::Claimed(claim) = pick(&targets, &[]) else { panic!("no target") };
            claims.push(claim);
            assert!(targets[0].in_flight().abs_diff(targets[1].in_flight()) <= 1);
        }
    }

    #[test]
    fn refused_targets_are_left_out() {
        let targets = targets(3);
        for _ in 0..50 {
            let Pick::Claimed(claim) = pick(&targets, &targets[..2]) else { panic!("no target") };
            assert!(Arc::ptr_eq(claim.target(), &targets[2]));
        }
    }

    #[test]
    fn resting_targets_are_left_out_unless_all_rest() {
        let targets = targets(3);
        targets[0].rest.fail(rest::now());
        targets[1].rest.fail(rest::now());
        for _ in 0..50 {
            let Pick::Claimed(claim) = pick(&targets, &[]) else { panic!("no target") };
            assert!(Arc::ptr_eq(claim.target(), &targets[2]));
        }
        targets[2].rest.fail(rest::now());
        assert!(matches!(pick(&targets, &[]), Pick::Claimed(_)));
        assert!(matches!(pick_awake(&targets, &[]), Pick::Empty));
    }
}
