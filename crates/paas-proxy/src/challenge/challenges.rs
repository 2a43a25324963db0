use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use rustls::sign::CertifiedKey;
use tokio::time::Instant;

use super::proof::Proof;
use crate::{
    api::ChallengeSpec,
    host::{Host, HostPattern},
    refusal::Refusal,
    tls::named_host,
};

/// More of one host push out its oldest: each is for one order, and orders do not wait long.
const MAX_OF_HOST: usize = 8;
const MAX_IN_ALL: usize = 4096;

/// Whoever put a challenge may never come to delete it.
const LIFETIME: Duration = Duration::from_hours(1);

/// The challenges that are being answered. In memory alone: an order outlives no restart without being begun again.
#[derive(Debug, Default)]
pub(crate) struct Challenges(Mutex<All>);

#[derive(Debug, Default)]
struct All {
    by_host: HashMap<String, Vec<Challenge>>,
    count: usize,
}

#[derive(Debug)]
struct Challenge {
    proof: Proof,
    until: Instant,
}

impl Challenges {
    /// Answers a challenge from now on.
    pub(crate) fn put(&self, spec: ChallengeSpec) -> Result<(), Refusal> {
        let host = challenged_host(&spec.host)?;
        let proof = Proof::read(&host, spec.proof)?;
        let mut all = self.lock();
        let mut of_host = all.take(&host);
        of_host.retain(|challenge| !proof.replaces(&challenge.proof));
        if of_host.len() >= MAX_OF_HOST {
            of_host.remove(0);
        }
        let full = all.count + of_host.len() >= MAX_IN_ALL;
        if !full {
            of_host.push(Challenge { proof, until: Instant::now() + LIFETIME });
        }
        all.give(host, of_host);
        if full {
            return Err(Refusal::invalid(format!(
                "{MAX_IN_ALL} challenges are being answered; delete those that are done"
            )));
        }
        Ok(())
    }

    /// Answers no challenge of a host any more.
    pub(crate) fn delete(&self, host: &str) -> Result<(), Refusal> {
        self.lock().take(&challenged_host(host)?);
        Ok(())
    }

    /// What is answered over HTTP.
    pub(super) fn key_authorization(&self, host: &Host<'_>, wanted: &str) -> Option<Bytes> {
        self.find(host, |proof| match proof {
            Proof::Http01 { token, key_authorization } if token == wanted => Some(key_authorization.clone()),
            _ => None,
        })
    }

    /// What is answered in a handshake: the newest, as a handshake does not say which it is for.
    pub(crate) fn certificate(&self, host: &Host<'_>) -> Option<Arc<CertifiedKey>> {
        self.find(host, |proof| match proof {
            Proof::TlsAlpn01 { certificate, .. } => Some(Arc::clone(certificate)),
            Proof::Http01 { .. } => None,
        })
    }

    /// Everything that is being answered, for a process that takes over.
    pub(crate) fn list(&self) -> Vec<ChallengeSpec> {
        let now = Instant::now();
        let all = self.lock();
        let specs = all.by_host.iter().flat_map(|(host, of_host)| {
            let current = of_host.iter().filter(move |challenge| challenge.until > now);
            current.map(|challenge| ChallengeSpec { host: host.clone(), proof: challenge.proof.to_api() })
        });
        specs.collect()
    }

    /// Forgets what is too old.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        let mut all = self.lock();
        let All { by_host, count } = &mut *all;
        by_host.retain(|_, of_host| {
            let before = of_host.len();
            of_host.retain(|challenge| challenge.until > now);
            *count -= before - of_host.len();
            !of_host.is_empty()
        });
    }

    fn find<T>(&self, host: &Host<'_>, answer: impl Fn(&Proof) -> Option<T>) -> Option<T> {
        let now = Instant::now();
        let all = self.lock();
        let of_host = all.by_host.get(host.as_str())?;
        of_host.iter().rev().filter(|challenge| challenge.until > now).find_map(|found| answer(&found.proof))
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    fn take(&mut self, host: &str) -> Vec<Challenge> {
        let of_host = self.by_host.remove(host).unwrap_or_default();
        self.count -= of_host.len();
        of_host
    }

    fn give(&mut self, host: String, of_host: Vec<Challenge>) {
        self.count += of_host.len();
        if !of_host.is_empty() {
            self.by_host.insert(host, of_host);
        }
    }
}

fn challenged_host(host: &str) -> Result<String, Refusal> {
    match named_host(host)? {
        HostPattern::Exact(host) => Ok(host),
        HostPattern::Wildcard(parent) => Err(Refusal::invalid(format!(
            "*.{parent} cannot be shown to lead here by HTTP or TLS; that takes a DNS challenge"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ChallengeProof;

    fn http(host: &str, token: &str) -> ChallengeSpec {
        let proof = ChallengeProof::Http01 { token: token.into(), key_authorization: format!("{token}.key") };
        ChallengeSpec { host: host.into(), proof }
    }

    #[test]
    fn what_is_listed_can_be_put_elsewhere() {
        let challenges = Challenges::default();
        challenges.put(http("a.test", "one")).unwrap();
        let digest = "0f".repeat(32);
        let alpn = ChallengeSpec { host: "b.test".into(), proof: ChallengeProof::TlsAlpn01 { digest } };
        challenges.put(alpn.clone()).unwrap();
        let listed = challenges.list();
        assert!(listed.len() == 2 && listed.contains(&http("a.test", "one")) && listed.contains(&alpn));
        let elsewhere = Challenges::default();
        for spec in listed {
            elsewhere.put(spec).unwrap();
        }
        assert!(answered(&elsewhere, "a.test", "one"));
        assert!(elsewhere.certificate(&Host::parse("b.test").unwrap()).is_some());
    }

    fn answered(challenges: &Challenges, host: &str, token: &str) -> bool {
        challenges.key_authorization(&Host::parse(host).unwrap(), token).is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn they_are_forgotten_after_an_hour() {
        let challenges = Challenges::default();
        challenges.put(http("a.test", "one")).unwrap();
        tokio::time::advance(Duration::from_secs(3599)).await;
        assert!(answered(&challenges, "A.test", "one"));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!answered(&challenges, "a.test", "one"));
        challenges.sweep();
        let all = challenges.lock();
        assert!(all.by_host.is_empty() && all.count == 0);
    }

    #[test]
    fn their_number_is_limited() {
        let challenges = Challenges::default();
        for n in 0..=MAX_OF_HOST {
            challenges.put(http("a.test", &format!("t{n}"))).unwrap();
        }
        assert!(!answered(&challenges, "a.test", "t0") && answered(&challenges, "a.test", "t8"));
        for n in MAX_OF_HOST..MAX_IN_ALL {
            challenges.put(http(&format!("{n}.test"), "t")).unwrap();
        }
        assert!(challenges.put(http("one.more.test", "t")).is_err());
        // What is there already can still be renewed.
        challenges.put(http("9.test", "t")).unwrap();
        challenges.delete("10.test").unwrap();
        challenges.put(http("one.more.test", "t")).unwrap();
    }

    #[test]
    fn what_cannot_be_answered_is_refused() {
        let challenges = Challenges::default();
        let alpn = |digest: &str| ChallengeSpec {
            host: "a.test".into(),
            proof: ChallengeProof::TlsAlpn01 { digest: digest.into() },
        };
        for bad in [
            http("*.a.test", "t"),
            http("192.0.2.1", "t"),
            http("a.test", ""),
            http("a.test", "a/b"),
            http("a.test", &"a".repeat(129)),
            alpn(&"A".repeat(64)),
            alpn(&"a".repeat(63)),
            alpn(&"a".repeat(66)),
        ] {
            assert!(challenges.put(bad.clone()).is_err(), "{bad:?}");
        }
        assert!(challenges.put(alpn(&"0f".repeat(32))).is_ok());
    }
}
