use tokio::sync::{Mutex, MutexGuard};

use crate::refusal::Refusal;

/// Lets commands change a thing one at a time, and none any more once another process has taken over.
#[derive(Debug, Default)]
pub(crate) struct Turn(Mutex<Writer>);

/// Which process writes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Writer {
    #[default]
    This,
    Successor,
}

/// No command changes anything while this is held.
#[derive(Debug)]
pub(crate) struct Held<'a>(MutexGuard<'a, Writer>);

impl Turn {
    /// Waits for the turn. Refused when the command belongs to the process that has taken over.
    pub(crate) async fn take(&self) -> Result<Held<'_>, Refusal> {
        let held = self.hold().await;
        match *held.0 {
            Writer::This => Ok(held),
            Writer::Successor => Err(Refusal::moved()),
        }
    }

    /// Waits for the turn, whoever writes.
    pub(crate) async fn hold(&self) -> Held<'_> {
        Held(self.0.lock().await)
    }
}

impl Held<'_> {
    /// From now on another process writes.
    pub(crate) fn give_away(mut self) {
        *self.0 = Writer::Successor;
    }
}
