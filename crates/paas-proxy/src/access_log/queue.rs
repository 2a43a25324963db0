use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
        mpsc::{Sender, channel},
    },
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

use super::{ServiceLog, files::Files, writer::Writer};

/// What may wait to be written, in bytes; more is dropped.
const MAX_QUEUED: usize = 4 * 1024 * 1024;
/// What a line costs beside its bytes.
pub(super) const PER_LINE: usize = 64;

/// How long the end of the process waits for the last lines.
const LAST_LINES: Duration = Duration::from_secs(2);

/// What the writer is told, in this order.
#[derive(Debug)]
pub(super) enum Message {
    Line(Arc<ServiceLog>, Vec<u8>),
    Remove(String),
    /// Every other service's files are what a crash left.
    KeepOnly(Vec<String>),
    End(oneshot::Sender<()>),
}

/// What is on the way to the writer, and what did not get there.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) queued: AtomicUsize,
    pub(super) dropped: AtomicU64,
}

/// The access logs of all services: a queue to the thread that writes them.
#[derive(Debug)]
pub(crate) struct AccessLogs {
    sender: Sender<Message>,
    tally: Arc<Tally>,
}

impl AccessLogs {
    /// Starts the thread. What stands against logs stands against no proxy: without a directory to write to, or a thread, every line
    /// is dropped and counted.
    pub(crate) fn start(directory: PathBuf) -> Self {
        let (sender, receiver) = channel();
        let tally = Arc::<Tally>::default();
        let writer = Writer::new(Files::new(directory), Arc::clone(&tally));
        let started =
            thread::Builder::new().name("paas-access-log".to_owned()).spawn(move || writer.run(&receiver));
        if let Err(error) = started {
            tracing::error!(error = %error, "no thread for access logs: they are not written");
        }
        Self { sender, tally }
    }

    /// Never waits.
    pub(super) fn push(&self, log: Arc<ServiceLog>, line: Vec<u8>) {
        let cost = line.len() + PER_LINE;
        if self.tally.queued.fetch_add(cost, Relaxed) + cost > MAX_QUEUED
            || self.sender.send(Message::Line(log, line)).is_err()
        {
            self.tally.queued.fetch_sub(cost, Relaxed);
            self.tally.dropped.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn remove(&self, service: &str) {
        // Without a thread there are no files.
        let _ = self.sender.send(Message::Remove(service.to_owned()));
    }

    /// Removes the logs of services that are no more.
    pub(crate) fn keep_only(&self, services: Vec<String>) {
        let _ = self.sender.send(Message::KeepOnly(services));
    }

    /// Lines that were not written.
    pub(crate) fn dropped(&self) -> u64 {
        self.tally.dropped.load(Relaxed)
    }

    /// Waits, for a while, until what was handed over is written. Nothing is written afterwards.
    pub(crate) async fn end(&self) {
        let (tell, told) = oneshot::channel();
        if self.sender.send(Message::End(tell)).is_ok()
            && tokio::time::timeout(LAST_LINES, told).await.is_err()
        {
            tracing::warn!("the last lines of access logs were not written: the disk is too slow");
        }
    }

    #[cfg(test)]
    pub(crate) fn nowhere() -> Self {
        let (sender, _) = channel();
        Self { sender, tally: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_takes_nothing_costs_lines_and_no_memory() {
        let (sender, receiver) = channel();
        let logs = Arc::new(AccessLogs { sender, tally: Arc::default() });
        let log = ServiceLog::new("app-1", Arc::clone(&logs));
        let line = vec![b'x'; 1024 - PER_LINE];
        for _ in 0..5_000 {
            log.write(line.clone());
        }
        let waiting = receiver.try_iter().count();
        assert_eq!(waiting, MAX_QUEUED / 1024);
        assert_eq!(logs.dropped(), 5_000 - waiting as u64);
    }

    #[test]
    fn without_a_thread_lines_are_dropped_and_counted() {
        let logs = Arc::new(AccessLogs::nowhere());
        let log = ServiceLog::new("app-1", Arc::clone(&logs));
        log.write(b"x\n".to_vec());
        assert_eq!((logs.dropped(), logs.tally.queued.load(Relaxed)), (1, 0));
    }
}
