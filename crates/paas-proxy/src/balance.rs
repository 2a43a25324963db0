use std::sync::Arc;

use crate::target::{Claim, Target};

/// The outcome of choosing a target.
#[derive(Debug)]
pub(crate) enum Pick {
    Claimed(Claim),
    /// Nothing to choose from.
    Empty,
    /// The chosen target left service meanwhile: a newer table is in force.
    Stale,
}

/// Chooses the less busy of two random targets and counts the request on it. Targets in `refused` are left out.
pub(crate) fn pick(targets: &[Arc<Target>], refused: &[Arc<Target>]) -> Pick {
    if refused.is_empty() {
        return claim(targets, |targets, place| targets.get(place));
    }
    let others: Vec<&Arc<Target>> =
        targets.iter().filter(|target| !refused.iter().any(|other| Arc::ptr_eq(target, other))).collect();
    claim(&others, |others, place| others.get(place).copied())
}

fn claim<'a, T>(targets: &'a [T], at: impl Fn(&'a [T], usize) -> Option<&'a Arc<Target>>) -> Pick {
    let count = targets.len();
    let first = if count > 1 { rand::random_range(0..count) } else { 0 };
    let Some(mut chosen) = at(targets, first) else { return Pick::Empty };
    if count > 1 {
        // A second place different from the first, without a loop.
        let second = (first + rand::random_range(1..count)) % count;
        if let Some(other) = at(targets, second).filter(|other| other.in_flight() < chosen.in_flight()) {
            chosen = other;
        }
    }
    chosen.claim().map_or(Pick::Stale, Pick::Claimed)
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
}
