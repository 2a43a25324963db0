use sha2::{Digest, Sha256};
use time::{Duration as Span, OffsetDateTime};

use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Certificates that live shorter than this are renewed when half of their life is left, as Let's Encrypt advises.
const SHORT_LIFE: Span = Span::days(10);

/// When an authority would like a certificate to be renewed (RFC 9773 §4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenewalWindow {
    /// The earliest moment.
    pub start: OffsetDateTime,
    /// The latest moment; after the start.
    pub end: OffsetDateTime,
    /// How long to wait before asking again (RFC 9773 §4.3.2).
    pub check_again_after: Duration,
    /// A page that says why the window is where it is.
    pub explanation: Option<String>,
}

/// When to renew a certificate whose authority has no opinion: with a third of its lifetime left, half when it lives less than ten days.
///
/// The seed moves the moment earlier by up to a twentieth of the lifetime, always the same for one seed, so that certificates issued
/// together are not renewed together. It never moves it later.
pub fn renew_at(not_before: OffsetDateTime, not_after: OffsetDateTime, seed: &str) -> OffsetDateTime {
    let lifetime = (not_after - not_before).max(Span::ZERO);
    let left = if lifetime < SHORT_LIFE { lifetime / 2 } else { lifetime / 3 };
    not_after - left - (lifetime / 20) * fraction(seed)
}

/// How long to wait after a failure before the next attempt: a minute, ten, a hundred, then a day.
///
/// `remaining` is the rest of the life of the certificate in use, if there is one: the third wait and later ones never take more than half
/// of it, so that a certificate of six days survives an authority that is away for two and a half. They stay above ten minutes and above an
/// hour, within the limits of public authorities.
pub fn back_off(failures: u32, remaining: Option<Duration>) -> Duration {
    let half = remaining.map_or(DAY, |remaining| remaining / 2);
    match failures {
        0 => Duration::ZERO,
        1 => MINUTE,
        2 => 10 * MINUTE,
        3 => half.clamp(10 * MINUTE, 100 * MINUTE),
        _ => half.clamp(HOUR, DAY),
    }
}

/// The moment in an authority's window at which to renew: anywhere in it with the same chance, always the same for one seed, and at once
/// when that moment has passed (RFC 9773 §4.2).
pub fn pick_in_window(
    start: OffsetDateTime,
    end: OffsetDateTime,
    now: OffsetDateTime,
    seed: &str,
) -> OffsetDateTime {
    let picked = start + (end - start).max(Span::ZERO) * fraction(seed);
    picked.max(now)
}

/// A number from 0 to 1 that is as good as random and always the same for one seed.
fn fraction(seed: &str) -> f64 {
    let hash = Sha256::digest(seed.as_bytes());
    let first = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    f64::from(first) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const START: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

    #[test]
    fn long_lives_are_renewed_with_a_third_left() {
        let at = renew_at(START, START + Span::days(90), "a");
        assert!(at <= START + Span::days(60) && at >= START + Span::hours(1332), "{at}");
    }

    #[test]
    fn short_lives_are_renewed_with_half_left() {
        let at = renew_at(START, START + Span::hours(160), "a");
        assert!(at <= START + Span::hours(80) && at >= START + Span::hours(72), "{at}");
    }

    #[test]
    fn seeds_spread_certificates_issued_together() {
        let at = |n: u32| renew_at(START, START + Span::days(90), &n.to_string());
        let early = (0..1000).filter(|n| at(*n) < START + Span::hours(1386)).count();
        assert!((400..600).contains(&early), "{early} of 1000 in the earlier half");
    }

    #[test]
    fn waits_grow_to_a_day() {
        let waits: Vec<u64> = (0..6).map(|n| back_off(n, None).as_secs() / 60).collect();
        assert_eq!(waits, [0, 1, 10, 100, 1440, 1440]);
    }

    #[test]
    fn waits_shrink_with_what_remains() {
        assert_eq!(back_off(3, Some(2 * HOUR)), HOUR);
        assert_eq!(back_off(9, Some(20 * HOUR)), 10 * HOUR);
        assert_eq!(back_off(9, Some(HOUR)), HOUR);
        assert_eq!(back_off(9, Some(Duration::ZERO)), HOUR);
        assert_eq!(back_off(3, Some(Duration::ZERO)), 10 * MINUTE);
        assert_eq!(back_off(9, Some(90 * DAY)), DAY);
    }

    /// The promise of `back_off`: the authority goes away the moment the renewal is due.
    #[test]
    fn a_certificate_of_six_days_survives_an_outage_of_two_and_a_half() {
        let (life, outage) = (Span::hours(160), Span::hours(60));
        for seed in 0..200 {
            let due = renew_at(START, START + life, &seed.to_string());
            let (mut at, mut failures) = (due, 0);
            while at < due + outage {
                failures += 1;
                at += back_off(failures, Duration::try_from(START + life - at).ok());
            }
            assert!(at < START + life, "seed {seed}: renewed at {at}, too late");
        }
    }

    #[test]
    fn a_window_that_has_passed_means_at_once() {
        let now = START + Span::days(9);
        assert_eq!(pick_in_window(START, START + Span::days(2), now, "a"), now);
        assert_eq!(pick_in_window(START, START - Span::days(2), START - Span::days(9), "a"), START);
    }

    proptest! {
        #[test]
        fn a_renewal_is_inside_the_life_and_never_late(seed: String, seconds in 60_i64..200_000_000) {
            let life = Span::seconds(seconds);
            let at = renew_at(START, START + life, &seed);
            prop_assert!(at > START);
            prop_assert!(at <= START + life / 2 || (life >= SHORT_LIFE && at <= START + life - life / 3));
            prop_assert_eq!(at, renew_at(START, START + life, &seed));
        }

        #[test]
        fn a_pick_is_in_the_window_or_now(seed: String, length in 0_i64..10_000_000, now in -10_000_000_i64..20_000_000) {
            let (end, now) = (START + Span::seconds(length), START + Span::seconds(now));
            let at = pick_in_window(START, end, now, &seed);
            prop_assert!(at >= now && at >= START);
            prop_assert!(at <= end || at == now);
        }

        #[test]
        fn a_wait_never_takes_more_than_half_of_what_remains(failures in 4_u32.., remaining in 0_u64..10_000_000) {
            let remaining = Duration::from_secs(remaining);
            let wait = back_off(failures, Some(remaining));
            prop_assert!((HOUR..=DAY).contains(&wait));
            prop_assert!(wait <= remaining / 2 || wait == HOUR);
        }
    }
}
