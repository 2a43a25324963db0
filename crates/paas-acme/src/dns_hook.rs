use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use paas_program::{Program, ProgramError};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::{Challenge, Proof, SolveError, Solver, dns::Dns};

/// For one call of the program and, after `present`, for the record to be seen.
const TIME_LIMIT: Duration = Duration::from_mins(2);
const QUESTION: Duration = Duration::from_secs(5);
const FIRST_LOOK: Duration = Duration::from_millis(500);
const SLOWEST_LOOK: Duration = Duration::from_secs(10);

/// Solves DNS-01 with a program of the administrator's: it is run as `PROGRAM present NAME VALUE` and `PROGRAM cleanup NAME VALUE`, without a
/// shell and with an environment that holds `PATH` alone. `NAME` is `_acme-challenge.example.org`, `VALUE` the text of its TXT record;
/// several values of one name may be presented at a time. Each call has two minutes, then the program is killed with
/// all it has started.
///
/// After `present` the record is looked for through the resolver, again and again within the same two minutes, because authorities look only
/// once: what they do not find at that moment is a failed attempt.
#[derive(Debug, Clone)]
pub struct DnsHook {
    program: PathBuf,
    resolver: Option<SocketAddr>,
    time_limit: Duration,
}

impl DnsHook {
    /// A hook that runs this file, at an absolute path, and looks for records through the system's resolver.
    pub fn new(program: PathBuf) -> Self {
        Self { program, resolver: None, time_limit: TIME_LIMIT }
    }

    /// Looks for records through this resolver.
    #[must_use]
    pub fn with_resolver(self, resolver: Option<SocketAddr>) -> Self {
        Self { resolver, ..self }
    }

    /// Waits at most this long for a call of the program and for the record.
    #[must_use]
    pub fn with_time_limit(self, time_limit: Duration) -> Self {
        Self { time_limit, ..self }
    }

    fn program(&self, verb: &'static str, name: &str, value: &str) -> Program {
        // A value is base64url and may begin with a hyphen.
        Program::at(&self.program).process_group().arg(verb).positional(name).positional(value)
    }

    async fn run(&self, verb: &'static str, name: &str, value: &str) -> Result<(), SolveError> {
        let shown = self.program.display();
        let ended = timeout(self.time_limit, self.program(verb, name, value).run()).await;
        let limit = self.time_limit.as_secs();
        let result = ended.map_err(|_| {
            SolveError::new(format!(
                "the DNS hook `{shown} {verb}` had not ended after {limit} seconds and was killed"
            ))
        })?;
        result.map(|_| ()).map_err(|error| {
            let said = match &error {
                // What a program of root's says is for the server's people: it may hold a token of the DNS provider.
                ProgramError::Failed { status, .. } => {
                    tracing::warn!(name, %error, "the DNS hook failed");
                    format!("it failed ({status}), and the log of paas on the server has what it said")
                }
                error => error.to_string(),
            };
            SolveError::new(format!("the DNS hook did not {verb} {name}: {said}"))
        })
    }

    async fn wait_until_seen(&self, name: &str, value: &str, deadline: Instant) -> Result<(), SolveError> {
        let dns = Dns::new(self.resolver, QUESTION)
            .map_err(|error| SolveError::because("the TXT record cannot be looked for", error))?;
        let seen = timeout_at(deadline, async {
            let mut pause = FIRST_LOOK;
            while !dns.txt(name).await.is_ok_and(|texts| texts.iter().any(|text| text == value)) {
                sleep_until(Instant::now() + pause).await;
                pause = (pause * 3 / 2).min(SLOWEST_LOOK);
            }
        });
        seen.await.map_err(|_| {
            let limit = self.time_limit.as_secs();
            SolveError::new(format!(
                "the DNS hook ended well, but the TXT record of {name} cannot be seen after {limit} seconds: \
                 check that it writes to the zone's own DNS servers"
            ))
        })
    }
}

#[async_trait]
impl Solver for DnsHook {
    async fn present(&self, challenge: &Challenge) -> Result<(), SolveError> {
        let deadline = Instant::now() + self.time_limit;
        let Proof::Dns01 { name, value } = &challenge.proof else {
            return Err(SolveError::new("a DNS hook can show TXT records only"));
        };
        self.run("present", name, value).await?;
        self.wait_until_seen(name, value, deadline).await
    }

    async fn remove(&self, challenge: &Challenge) {
        let Proof::Dns01 { name, value } = &challenge.proof else { return };
        if let Err(error) = self.run("cleanup", name, value).await {
            tracing::warn!(dns.name = %name, "{error}");
        }
    }

    fn abandon(&self, challenge: &Challenge) {
        let (hook, challenge) = (self.clone(), challenge.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { hook.remove(&challenge).await });
        }
    }
}
