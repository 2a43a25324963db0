use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering::Relaxed, mpsc::Receiver},
};

use tokio::sync::oneshot;

use super::{
    ServiceLog,
    files::Files,
    queue::{Message, PER_LINE, Tally},
};

/// What is gathered before it is written although more is waiting, in bytes.
const BATCH: usize = 256 * 1024;

/// The thread that writes. Lines that came while it wrote are the next batch: one write for each file.
pub(super) struct Writer {
    files: Files,
    tally: Arc<Tally>,
    batch: BTreeMap<String, Lines>,
    gathered: usize,
    failing: bool,
}

struct Lines {
    log: Arc<ServiceLog>,
    bytes: Vec<u8>,
    count: u64,
}

impl Writer {
    pub(super) fn new(files: Files, tally: Arc<Tally>) -> Self {
        Self { files, tally, batch: BTreeMap::new(), gathered: 0, failing: false }
    }

    /// Writes until the end is told, or nobody is left to tell anything.
    pub(super) fn run(mut self, receiver: &Receiver<Message>) {
        while let Ok(first) = receiver.recv() {
            for message in std::iter::once(first).chain(receiver.try_iter()) {
                if let Some(ended) = self.take(message) {
                    // Nobody waits any more when this fails.
                    let _ = ended.send(());
                    return;
                }
            }
            self.flush();
        }
    }

    fn take(&mut self, message: Message) -> Option<oneshot::Sender<()>> {
        match message {
            Message::Line(log, line) => self.gather(log, &line),
            Message::Remove(service) => {
                self.flush();
                let removed = self.files.remove(&service);
                self.note("removed", removed);
            }
            Message::KeepOnly(services) => {
                let kept = self.files.keep_only(&services);
                self.note("tidied", kept);
            }
            Message::End(ended) => {
                self.flush();
                return Some(ended);
            }
        }
        None
    }

    fn gather(&mut self, log: Arc<ServiceLog>, line: &[u8]) {
        self.gathered += line.len() + PER_LINE;
        match self.batch.get_mut(log.name()) {
            // A service that was deleted and put again has another log under the same name.
            Some(lines) if Arc::ptr_eq(&lines.log, &log) => {
                lines.bytes.extend_from_slice(line);
                lines.count += 1;
            }
            _ => {
                let lines = Lines { bytes: line.to_vec(), count: 1, log };
                self.batch.insert(lines.log.name().to_owned(), lines);
            }
        }
        if self.gathered >= BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        for (service, lines) in std::mem::take(&mut self.batch) {
            if lines.log.is_gone() {
                continue;
            }
            let written = self.files.append(&service, &lines.bytes);
            if written.is_err() {
                self.tally.dropped.fetch_add(lines.count, Relaxed);
            }
            self.note("written", written);
        }
        self.tally.queued.fetch_sub(std::mem::take(&mut self.gathered), Relaxed);
    }

    /// Said once, not for each line.
    fn note(&mut self, what: &'static str, outcome: std::io::Result<()>) {
        match outcome {
            Err(error) if !self.failing => {
                self.failing = true;
                tracing::error!(
                    directory = %self.files.directory().display(),
                    error = %error,
                    "access logs cannot be {what}: lines are dropped until it works again; is the disk full?"
                );
            }
            Ok(()) if self.failing => {
                self.failing = false;
                tracing::info!("access logs are written again");
            }
            _ => {}
        }
    }
}
