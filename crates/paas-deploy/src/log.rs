use std::{collections::VecDeque, sync::Mutex};

use futures_util::{Stream, stream};
use paas_domain::{DeployEvent, Masker};
use tokio::sync::watch;

/// Bytes of text kept for those who come late; a build that prints more loses its beginning for them, never its end.
const KEPT: usize = 1 << 20;
/// The same, once the deploy has ended and hardly anybody comes any more.
const KEPT_AFTER_END: usize = 64 << 10;
/// A longer line is cut.
const LONGEST_LINE: usize = 4 << 10;

/// What a deploy has told so far, and a bell for what comes next. Any number of readers, each from the beginning; a slow reader never slows the deploy.
#[derive(Debug)]
pub(crate) struct DeployLog {
    kept: Mutex<Kept>,
    told: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Kept {
    events: VecDeque<DeployEvent>,
    /// Their text together.
    bytes: usize,
    /// How many were dropped from the front.
    dropped: usize,
    masker: Masker,
    ended: bool,
}

impl DeployLog {
    pub(crate) fn new() -> Self {
        Self { kept: Mutex::default(), told: watch::Sender::new(0) }
    }

    /// From now on these values are hidden.
    pub(crate) fn mask_with(&self, masker: Masker) {
        self.lock().masker = masker;
    }

    pub(crate) fn step(&self, text: impl Into<String>) {
        self.tell(DeployEvent::Step { text: text.into() });
    }

    pub(crate) fn line(&self, text: impl Into<String>) {
        self.tell(DeployEvent::Line { text: text.into() });
    }

    pub(crate) fn error(&self, text: impl Into<String>) {
        self.tell(DeployEvent::Error { text: text.into() });
    }

    /// Hides known values in a text that goes elsewhere, such as the deploy's row.
    pub(crate) fn mask(&self, text: &str) -> String {
        self.lock().masker.mask(text)
    }

    pub(crate) fn tell(&self, event: DeployEvent) {
        let count = {
            let mut kept = self.lock();
            let event = masked(&kept.masker, event);
            kept.ended |= matches!(event, DeployEvent::Ended { .. });
            kept.bytes += size(&event);
            kept.events.push_back(event);
            let limit = if kept.ended { KEPT_AFTER_END } else { KEPT };
            while kept.bytes > limit && kept.events.len() > 1 {
                if let Some(oldest) = kept.events.pop_front() {
                    kept.bytes -= size(&oldest);
                    kept.dropped += 1;
                }
            }
            kept.dropped + kept.events.len()
        };
        self.told.send_replace(count);
    }

    /// Everything from the beginning, until `Ended`.
    pub(crate) fn events(self: std::sync::Arc<Self>) -> impl Stream<Item = DeployEvent> + Send + 'static {
        let bell = self.told.subscribe();
        stream::unfold((self, bell, 0usize), |(log, mut bell, mut next)| async move {
            loop {
                match log.read(next) {
                    Read::Event(event, after) => return Some((event, (log, bell, after))),
                    Read::End => return None,
                    Read::Nothing => {
                        next = next.max(*bell.borrow_and_update());
                        if let Read::Nothing = log.read(next) {
                            bell.changed().await.ok()?;
                        }
                    }
                }
            }
        })
    }

    fn read(&self, next: usize) -> Read {
        let kept = self.lock();
        if next < kept.dropped {
            let text = format!("… {} lines left out", kept.dropped - next);
            return Read::Event(DeployEvent::Line { text }, kept.dropped);
        }
        match kept.events.get(next - kept.dropped) {
            Some(event) => Read::Event(event.clone(), next + 1),
            None if kept.ended => Read::End,
            None => Read::Nothing,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

enum Read {
    Event(DeployEvent, usize),
    Nothing,
    End,
}

/// The event as it may be shown: known values hidden, then cut to a length a person can use.
fn masked(masker: &Masker, event: DeployEvent) -> DeployEvent {
    let shown = |text: &str| {
        let mut text = masker.mask(text);
        if text.len() > LONGEST_LINE {
            text.truncate(text.floor_char_boundary(LONGEST_LINE));
            text.push('…');
        }
        text
    };
    match event {
        DeployEvent::Step { text } => DeployEvent::Step { text: shown(&text) },
        DeployEvent::Line { text } => DeployEvent::Line { text: shown(&text) },
        DeployEvent::Error { text } => DeployEvent::Error { text: shown(&text) },
        other @ (DeployEvent::Accepted { .. } | DeployEvent::Ended { .. }) => other,
    }
}

fn size(event: &DeployEvent) -> usize {
    let text = match event {
        DeployEvent::Step { text } | DeployEvent::Line { text } | DeployEvent::Error { text } => text.len(),
        DeployEvent::Accepted { .. } | DeployEvent::Ended { .. } => 0,
    };
    size_of::<DeployEvent>() + text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::StreamExt as _;
    use paas_domain::{Outcome, Secret};

    use super::*;

    fn end() -> DeployEvent {
        DeployEvent::Ended { outcome: Outcome::Done, release: None, url: None, share: None }
    }

    #[tokio::test]
    async fn a_late_reader_gets_everything_and_the_stream_ends() {
        let log = Arc::new(DeployLog::new());
        log.step("one");
        let early = tokio::spawn(log.clone().events().collect::<Vec<_>>());
        log.line("two");
        log.tell(end());
        let late: Vec<_> = log.events().collect().await;
        assert_eq!(late.len(), 3);
        assert_eq!(early.await.unwrap(), late);
    }

    #[tokio::test]
    async fn known_values_are_hidden() {
        let log = Arc::new(DeployLog::new());
        log.mask_with(Masker::new(&[Secret::new("canary-4711")]));
        log.line("token=canary-4711");
        log.tell(end());
        let events: Vec<_> = log.events().collect().await;
        assert_eq!(events[0], DeployEvent::Line { text: "token=[hidden]".into() });
    }

    #[tokio::test]
    async fn a_flood_keeps_its_end_within_bounds_and_says_what_is_missing() {
        let log = Arc::new(DeployLog::new());
        for n in 0..1000 {
            log.line(format!("{n} {}", "x".repeat(10_000)));
        }
        assert!(log.lock().bytes <= KEPT);
        log.tell(end());
        assert!(log.lock().bytes <= KEPT_AFTER_END);
        let events: Vec<_> = log.events().collect().await;
        let DeployEvent::Line { text } = &events[0] else { panic!("{events:?}") };
        assert!(text.ends_with("lines left out"), "{text}");
        let DeployEvent::Line { text } = &events[events.len() - 2] else { panic!("{events:?}") };
        assert!(text.starts_with("999 ") && text.len() < LONGEST_LINE + 8);
        assert_eq!(events.last(), Some(&end()));
    }
}
