use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::OnceLock,
};

use http::{HeaderMap, HeaderValue};
use ring::hmac;

use super::{
    credentials::Credentials,
    verifier::{Busy, Verifier},
};
use crate::{
    api::{Derived, PasswordHash},
    failure::Failure,
    host::Host,
};

/// The users of a service who may come, with their passwords (RFC 7617).
pub(crate) struct BasicAuth {
    users: HashMap<String, User>,
    /// Looked at in place of a user that there is not: it takes as long to find out that nobody is called so.
    nobody: Derived,
    /// Under which right answers are remembered. A browser sends the password with each request.
    key: hmac::Key,
}

struct User {
    hash: Derived,
    /// What the right credentials look like under the key, once somebody gave them.
    right: OnceLock<hmac::Tag>,
}

impl BasicAuth {
    /// `None` when everybody may come. Hashes that cannot be read let nobody in; they were refused when the service was put.
    pub(crate) fn new(users: &BTreeMap<String, PasswordHash>) -> Option<Self> {
        if users.is_empty() {
            return None;
        }
        let user = |(name, hash): (&String, &PasswordHash)| {
            Some((name.clone(), User { hash: hash.read()?, right: OnceLock::new() }))
        };
        let users: HashMap<_, _> = users.iter().filter_map(user).collect();
        let nobody = Derived::of_nobody(users.values().map(|user| &user.hash));
        let key = hmac::Key::new(hmac::HMAC_SHA256, &rand::random::<[u8; 32]>());
        Some(Self { users, nobody, key })
    }

    /// Whether a request may pass: 401 for those who are none of the users, 503 while too many try.
    pub(super) async fn admit(&self, verifier: &Verifier, headers: &HeaderMap) -> Result<(), Failure> {
        let credentials = Credentials::read(headers).ok_or(Failure::Unauthorized)?;
        let user = credentials.user().and_then(|name| self.users.get(name));
        let is_known = || user.is_some_and(|user| self.knows(user, &credentials));
        if is_known() {
            return Ok(());
        }
        let hash = user.map_or(&self.nobody, |user| &user.hash);
        match verifier.verify(hash, credentials.password(), is_known).await {
            Ok(true) => {
                if let Some(user) = user {
                    user.right.get_or_init(|| hmac::sign(&self.key, credentials.as_bytes()));
                    return Ok(());
                }
                Err(Failure::Unauthorized)
            }
            Ok(false) => Err(Failure::Unauthorized),
            Err(Busy) => Err(Failure::Busy),
        }
    }

    /// Compares in the same time whatever it finds.
    fn knows(&self, user: &User, credentials: &Credentials) -> bool {
        user.right
            .get()
            .is_some_and(|right| hmac::verify(&self.key, credentials.as_bytes(), right.as_ref()).is_ok())
    }
}

/// Names of users belong in no log.
impl fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicAuth").field("users", &self.users.len()).finish_non_exhaustive()
    }
}

/// `WWW-Authenticate` for a host. The host is the realm: a service's name is none of a visitor's business.
pub(super) fn challenge(host: &Host<'_>) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("Basic realm=\"{}\", charset=\"UTF-8\"", host.as_str())).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::header::AUTHORIZATION;

    use super::*;
    use crate::{api::RequestPolicy, gate::Gates};

    fn policy() -> RequestPolicy {
        let basic_auth = BTreeMap::from([("ann".to_owned(), PasswordHash::new("secret"))]);
        RequestPolicy { basic_auth, ..RequestPolicy::default() }
    }

    /// `ann:secret`, or the same with another password.
    async fn admitted(auth: &BasicAuth, credentials: &'static str) -> Result<(), Failure> {
        let field = HeaderValue::from_static(credentials);
        auth.admit(&Verifier::default(), &HeaderMap::from_iter([(AUTHORIZATION, field)])).await
    }

    #[tokio::test]
    async fn only_right_answers_are_remembered() {
        let auth = BasicAuth::new(&policy().basic_auth).unwrap();
        let remembered = || auth.users["ann"].right.get().is_some();
        assert_eq!(admitted(&auth, "Basic YW5uOndyb25n").await, Err(Failure::Unauthorized));
        assert!(!remembered());
        assert_eq!(admitted(&auth, "Basic YW5uOnNlY3JldA==").await, Ok(()));
        assert!(remembered());
        assert_eq!(admitted(&auth, "Basic YW5uOndyb25n").await, Err(Failure::Unauthorized));
        assert_eq!(admitted(&auth, "Basic YW5uOnNlY3JldA==").await, Ok(()));
    }

    #[test]
    fn what_was_learned_lasts_as_long_as_the_passwords() {
        let before = policy();
        let gates = Gates::new(&before, None);
        let mut after = RequestPolicy { compression: true, ..before.clone() };
        let kept = Gates::new(&after, Some((&before, &gates)));
        assert!(Arc::ptr_eq(gates.auth.as_ref().unwrap(), kept.auth.as_ref().unwrap()));
        after.basic_auth.insert("ann".to_owned(), PasswordHash::new("secret"));
        let renewed = Gates::new(&after, Some((&before, &gates)));
        assert!(!Arc::ptr_eq(gates.auth.as_ref().unwrap(), renewed.auth.as_ref().unwrap()));
        assert!(Gates::new(&RequestPolicy::default(), Some((&before, &gates))).auth.is_none());
    }
}
