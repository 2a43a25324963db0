//! Calls that fail, answers that get lost, calls that are held, and the log of all calls.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use super::{FakeEngine, lock};
use crate::{error::EngineError, failure::protocol};

/// The calls of [`Engine`](crate::Engine).
#[allow(missing_docs, reason = "each is named after its method")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FakeCall {
    Info,
    Build,
    FindImage,
    ListImages,
    RemoveImage,
    EnsureNetwork,
    ListNetworks,
    RemoveNetwork,
    EnsureVolume,
    ListVolumes,
    RemoveVolume,
    CreateContainer,
    StartContainer,
    StopContainer,
    RemoveContainer,
    WaitContainer,
    SetRestartPolicy,
    FindContainer,
    ListContainers,
    Logs,
    Events,
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeCallRecord {
    /// Which.
    pub call: FakeCall,
    /// The name, reference or tag it was about; empty for lists.
    pub subject: String,
}

/// A call that stands still until it is released or this is dropped.
#[derive(Debug)]
pub struct FakeHold {
    reached: Option<oneshot::Receiver<()>>,
    release: oneshot::Sender<()>,
}

impl FakeHold {
    /// Resolves when the call has come to the place where it is held.
    pub async fn reached(&mut self) {
        if let Some(reached) = self.reached.take() {
            let _ = reached.await;
        }
    }

    /// Lets the call go on.
    pub fn release(self) {
        let _ = self.release.send(());
    }
}

/// What is to happen to calls.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) down: bool,
    pending: VecDeque<(FakeCall, Fault)>,
    records: Vec<FakeCallRecord>,
}

#[derive(Debug)]
enum Fault {
    Fail(EngineError),
    LoseAnswer,
    Hold(Gate),
    HoldAnswer(Gate),
}

#[derive(Debug)]
struct Gate {
    reached: oneshot::Sender<()>,
    release: oneshot::Receiver<()>,
}

/// What is left to do to a call's answer.
pub(super) struct Passage {
    call: FakeCall,
    lost: bool,
    held: Option<Gate>,
}

impl FakeEngine {
    /// The next such call fails with this error and changes nothing.
    pub fn fail_next(&self, call: FakeCall, error: EngineError) {
        self.fault(call, Fault::Fail(error));
    }

    /// The next such call has its effect, but its answer is an error, as if the connection broke.
    pub fn lose_next_answer(&self, call: FakeCall) {
        self.fault(call, Fault::LoseAnswer);
    }

    /// The next such call stands still before its effect.
    pub fn hold_next(&self, call: FakeCall) -> FakeHold {
        let (gate, hold) = gate();
        self.fault(call, Fault::Hold(gate));
        hold
    }

    /// The next such call stands still after its effect and before its answer.
    pub fn hold_next_answer(&self, call: FakeCall) -> FakeHold {
        let (gate, hold) = gate();
        self.fault(call, Fault::HoldAnswer(gate));
        hold
    }

    /// Every call so far, in order, failed ones included.
    pub fn calls(&self) -> Vec<FakeCallRecord> {
        lock(&self.shared.faults).records.clone()
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        lock(&self.shared.faults).records.clear();
    }

    fn fault(&self, call: FakeCall, fault: Fault) {
        lock(&self.shared.faults).pending.push_back((call, fault));
    }

    /// Every call begins here: it is recorded, and what is planned for it happens.
    pub(super) async fn enter(&self, call: FakeCall, subject: &str) -> Result<Passage, EngineError> {
        let (down, fault) = {
            let mut faults = lock(&self.shared.faults);
            faults.records.push(FakeCallRecord { call, subject: subject.to_owned() });
            let down = faults.down;
            (down, if down { None } else { faults.take(call) })
        };
        self.touch();
        if down {
            let source = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
            return Err(EngineError::Unavailable(Box::new(source)));
        }
        let mut passage = Passage { call, lost: false, held: None };
        match fault {
            None => {}
            Some(Fault::Fail(error)) => return Err(error),
            Some(Fault::LoseAnswer) => passage.lost = true,
            Some(Fault::Hold(gate)) => gate.pass().await,
            Some(Fault::HoldAnswer(gate)) => passage.held = Some(gate),
        }
        Ok(passage)
    }
}

impl Passage {
    /// Every call ends here.
    pub(super) async fn leave<T, E: From<EngineError>>(self, result: Result<T, E>) -> Result<T, E> {
        if let Some(gate) = self.held {
            gate.pass().await;
        }
        if self.lost {
            return Err(protocol(format!("{:?}", self.call), "the connection broke before the answer").into());
        }
        result
    }
}

impl Faults {
    fn take(&mut self, call: FakeCall) -> Option<Fault> {
        let at = self.pending.iter().position(|(planned, _)| *planned == call)?;
        self.pending.remove(at).map(|(_, fault)| fault)
    }
}

impl Gate {
    async fn pass(self) {
        let _ = self.reached.send(());
        let _ = self.release.await;
    }
}

fn gate() -> (Gate, FakeHold) {
    let (reached, was_reached) = oneshot::channel();
    let (release, released) = oneshot::channel();
    (Gate { reached, release: released }, FakeHold { reached: Some(was_reached), release })
}
