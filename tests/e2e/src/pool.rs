//! A range of addresses for each harness, and the sweeping of what a killed one left.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::PathBuf;

use rand::seq::SliceRandom;

use crate::engine::Engine;

/// A /16 of 10.64.0.0/10 that no other harness uses, held by a file lock: the kernel frees it when the process ends, however it ends.
/// The file names the instance that uses the range, so that the next harness removes what a killed one left in the engine.
#[derive(Debug)]
pub struct Pool {
    second_octet: u8,
    file: File,
    /// Containers, networks and volumes are named after apps, so two installations on one engine would take each other's names.
    /// Freed by the kernel too.
    turn: Option<File>,
}

impl Pool {
    /// Waits until no other harness uses the engine, removes what killed ones left there, and takes a free range.
    pub(crate) fn take(engine: &Engine) -> Self {
        let turn = engine_turn();
        Self::sweep_all(engine);
        let in_use = engine.subnets();
        let mut octets: Vec<u8> = (64..128).collect();
        octets.shuffle(&mut rand::rng());
        for second_octet in octets {
            let Some(mut pool) = Self::lock(second_octet) else { continue };
            if !in_use.iter().any(|subnet| subnet.starts_with(&format!("10.{second_octet}."))) {
                pool.turn = Some(turn);
                return pool;
            }
        }
        panic!("no free /16 in 10.64.0.0/10: `docker network ls` shows what uses them");
    }

    /// Removes what killed harnesses left in the engine.
    fn sweep_all(engine: &Engine) {
        for mut pool in (64..128).filter_map(Self::lock) {
            pool.sweep(engine);
        }
    }

    /// The range, as the configuration file wants it.
    pub fn cidr(&self) -> String {
        format!("10.{}.0.0/16", self.second_octet)
    }

    /// Writes down which instance uses the range.
    pub(crate) fn set_instance(&mut self, instance: &str) {
        self.file.set_len(0).expect("the pool's file can be written");
        self.file.rewind().expect("the pool's file can be written");
        self.file.write_all(instance.as_bytes()).expect("the pool's file can be written");
    }

    fn lock(second_octet: u8) -> Option<Self> {
        let directory = directory();
        fs::create_dir_all(&directory).expect("a directory for the locks");
        let path = directory.join(format!("pool-{second_octet}"));
        let file = File::options().create(true).read(true).append(true).open(path).expect("a lock file");
        match file.try_lock() {
            Ok(()) => Some(Self { second_octet, file, turn: None }),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(error)) => panic!("cannot lock a pool's file: {error}"),
        }
    }

    fn sweep(&mut self, engine: &Engine) {
        let mut instance = String::new();
        self.file.read_to_string(&mut instance).expect("the pool's file can be read");
        if !instance.is_empty() {
            engine.remove_all_of(&instance);
            self.set_instance("");
        }
    }
}

/// One harness at a time.
fn engine_turn() -> File {
    fs::create_dir_all(directory()).expect("a directory for the locks");
    let file = File::create(directory().join("engine")).expect("a lock file");
    file.lock().expect("the lock can be taken");
    file
}

fn directory() -> PathBuf {
    std::env::temp_dir().join("paas-e2e")
}
