mod fault;
mod forward;
mod server;
mod state;
mod step;

use std::net::SocketAddr;
use std::sync::Arc;

use paas_acme::AcmeSettings;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use fault::Fault;
pub use step::Step;

use self::state::State;
use crate::Pebble;

/// Stands between a client and [`Pebble`]: breaks what it is told to break, counts, and adds what Pebble 2.4 does not know (RFC 9773).
///
/// The directory it hands out leads back to it, because Pebble writes the host it is asked under into its URLs.
pub struct Shim {
    address: SocketAddr,
    state: Arc<State>,
    root: String,
    server: JoinHandle<()>,
}

impl Shim {
    /// Starts one in front of a Pebble.
    pub async fn start(pebble: &Pebble) -> Self {
        let listener = TcpListener::bind((pebble.address(), 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::new(pebble));
        let tls = pebble.root.server_config(pebble.address());
        let server = tokio::spawn(server::serve(listener, tls, Arc::clone(&state)));
        Self { address, state, root: pebble.root.pem(), server }
    }

    /// The URL of the ACME directory behind it.
    pub fn directory_url(&self) -> String {
        format!("https://{}/dir", self.address)
    }

    /// What an authority needs to know to use Pebble through it.
    pub fn settings(&self) -> AcmeSettings {
        AcmeSettings {
            directory: self.directory_url(),
            root: Some(self.root.clone()),
            email: None,
            external_account: None,
            profile: None,
        }
    }

    /// Has the next request of a step fail so. Several faults of a step come one after the other.
    pub fn fail(&self, step: Step, fault: Fault) {
        self.state.faults.lock().unwrap().push((step, fault));
    }

    /// The same for the next so many requests.
    pub fn fail_times(&self, times: usize, step: Step, fault: &Fault) {
        (0..times).for_each(|_| self.fail(step, fault.clone()));
    }

    /// Resolves when a request hangs, as it was told to.
    pub async fn until_one_hangs(&self) {
        self.state.hanging.notified().await;
    }

    /// How many requests of a step came.
    pub fn requests(&self, step: Step) -> usize {
        self.state.seen.lock().unwrap().iter().filter(|seen| **seen == step).count()
    }

    /// How many orders Pebble made.
    pub fn orders(&self) -> usize {
        *self.state.orders.lock().unwrap()
    }

    /// Offers renewal information: this window for any certificate, and this many seconds until it may be asked for again.
    pub fn renew_between(&self, start: OffsetDateTime, end: OffsetDateTime, retry_after: u32) {
        *self.state.window.lock().unwrap() = Some(state::Window { start, end, retry_after });
    }

    /// What orders said they replace (RFC 9773 §5), in order.
    pub fn replaced(&self) -> Vec<String> {
        self.state.replaced.lock().unwrap().clone()
    }

    /// Whether faults are left that no request has met.
    pub fn has_faults(&self) -> bool {
        !self.state.faults.lock().unwrap().is_empty()
    }
}

impl Drop for Shim {
    fn drop(&mut self) {
        self.server.abort();
    }
}
