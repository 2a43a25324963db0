//! A place in a log that can be found again.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::frames::split_time;

/// How far a log was read: the newest second seen, and how many frames of it. The engine can be asked for what is not older than a second, and
/// answers in the same order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Position {
    second: Option<i32>,
    passed: usize,
    failed: bool,
}

impl Position {
    /// A frame was read.
    pub(super) fn pass(&mut self, frame: &[u8]) {
        let Some(second) = second_of(frame) else { return self.fail() };
        if self.second < Some(second) {
            self.second = Some(second);
            self.passed = 1;
        } else if self.second == Some(second) {
            self.passed += 1;
        }
    }

    /// The place is lost.
    pub(super) fn fail(&mut self) {
        self.failed = true;
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Seconds since 1970.
    pub(super) fn second(&self) -> Option<i32> {
        self.second
    }

    /// How many frames of that second were read.
    pub(super) fn passed_in_second(&self) -> usize {
        self.passed
    }
}

fn second_of(frame: &[u8]) -> Option<i32> {
    let (time, _) = split_time(frame)?;
    let time = OffsetDateTime::parse(str::from_utf8(time).ok()?, &Rfc3339).ok()?;
    i32::try_from(time.unix_timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_the_newest_second_are_counted() {
        let mut position = Position::default();
        for time in ["05.9", "06.0", "06.5", "05.99", "06.7"] {
            position.pass(format!("2026-01-01T00:00:{time}Z text\n").as_bytes());
        }
        assert_eq!((position.second(), position.passed_in_second()), (Some(1_767_225_606), 3));
        assert!(!position.has_failed());
    }

    #[test]
    fn a_frame_without_a_time_loses_the_place() {
        let mut position = Position::default();
        position.pass(b"nonsense");
        assert!(position.has_failed());
    }
}
