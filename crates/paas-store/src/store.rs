use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::{
    error::StoreError,
    pool::{AddressPool, Subnet},
    secret_key::SecretKey,
};

pub(crate) type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The database. Clones share one connection: there is one writer. Every method is one short transaction and blocks for it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    connection: Mutex<Connection>,
    key: SecretKey,
    pool: AddressPool,
    label: String,
}

impl Store {
    pub(crate) fn of(connection: Connection, key: SecretKey, pool: AddressPool, label: String) -> Self {
        Self(Arc::new(Inner { connection: Mutex::new(connection), key, pool, label }))
    }

    /// The random id of this installation, made when the database was: it is on everything we make in the engine.
    pub fn instance_label(&self) -> &str {
        &self.0.label
    }

    pub(crate) fn key(&self) -> &SecretKey {
        &self.0.key
    }

    pub(crate) fn pool(&self) -> AddressPool {
        self.0.pool
    }

    pub(crate) fn subnet(&self, index: u32, app: i64) -> Result<Subnet> {
        self.0.pool.subnet(index).ok_or_else(|| {
            crate::error::inconsistent(
                "apps",
                app,
                "its network lies outside the address pool; was the pool made smaller?",
            )
        })
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let connection = self.0.connection.lock().unwrap_or_else(PoisonError::into_inner);
        read(&connection)
    }

    /// All of it or nothing; on the disk when this returns. `IMMEDIATE`: whoever reads to write has the lock from the start.
    pub(crate) fn write<T>(&self, write: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.0.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = write(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("instance", &self.0.label).finish_non_exhaustive()
    }
}

/// Unix seconds.
pub(crate) fn now() -> i64 {
    time::OffsetDateTime::now_utc().unix_timestamp()
}
