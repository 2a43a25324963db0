use std::{fmt, num::NonZeroU32};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ring::pbkdf2;
use serde::{Deserialize, Serialize};

const SCHEME: &str = "pbkdf2-sha256";

/// Of a new hash. A guess costs some hundredths of a second; more would give those who guess more of the server's time.
const ROUNDS: u32 = 100_000;
/// Of a hash that is taken: fewer can be guessed too fast, more would stop those who wait behind.
const ROUNDS_TAKEN: std::ops::RangeInclusive<u32> = 100_000..=10_000_000;
const NEW_SALT: usize = 16;
const SALTS_TAKEN: std::ops::RangeInclusive<usize> = 8..=64;
const HASH: usize = 32;

/// A password that can be checked and not be read: `pbkdf2-sha256$<rounds>$<salt>$<hash>`, both in base64 (RFC 4648, 4) without
/// padding. The hash is PBKDF2-HMAC-SHA256 (RFC 8018, 5.2) of 32 bytes over the password's UTF-8.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Hashes a password with a salt of its own. Takes some hundredths of a second.
    pub fn new(password: &str) -> Self {
        let salt: [u8; NEW_SALT] = rand::random();
        let mut hash = [0; HASH];
        let rounds = NonZeroU32::new(ROUNDS).unwrap_or(NonZeroU32::MAX);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &mut hash);
        let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
        Self(format!("{SCHEME}${rounds}${salt}${hash}"))
    }

    /// A hash that was stored as text.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this password's. Takes as long as to make it. False for a text that is no hash.
    pub fn verify(&self, password: &str) -> bool {
        self.read().is_some_and(|hash| hash.is_of(password.as_bytes()))
    }

    /// `None` for a text that is no hash.
    pub(crate) fn read(&self) -> Option<Derived> {
        let mut parts = self.0.split('$');
        let (scheme, rounds, salt, hash) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let rounds = rounds.parse().ok().filter(|rounds| ROUNDS_TAKEN.contains(rounds))?;
        let salt = STANDARD_NO_PAD.decode(salt).ok().filter(|salt| SALTS_TAKEN.contains(&salt.len()))?;
        let hash = STANDARD_NO_PAD.decode(hash).ok()?.try_into().ok()?;
        (scheme == SCHEME && parts.next().is_none()).then_some(Derived {
            rounds: NonZeroU32::new(rounds)?,
            salt,
            hash,
        })
    }
}

/// Neither salt nor hash belongs in a log.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// A hash that was read.
#[derive(Clone)]
pub(crate) struct Derived {
    rounds: NonZeroU32,
    salt: Vec<u8>,
    hash: [u8; HASH],
}

impl Derived {
    /// Of a password that nobody knows, as costly to check as the costliest of `others`.
    pub(crate) fn of_nobody<'a>(others: impl Iterator<Item = &'a Self>) -> Self {
        let rounds = others.map(|hash| hash.rounds).max().unwrap_or(NonZeroU32::MIN);
        Self { rounds, salt: rand::random::<[u8; NEW_SALT]>().to_vec(), hash: rand::random() }
    }

    /// Whether it is this password's. The comparison takes the same time whatever it finds.
    pub(crate) fn is_of(&self, password: &[u8]) -> bool {
        pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, self.rounds, &self.salt, password, &self.hash).is_ok()
    }
}

impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Derived").field("rounds", &self.rounds).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by another implementation (Python's hashlib).
    const KNOWN: &str =
        "pbkdf2-sha256$100000$AAECAwQFBgcICQoLDA0ODw$V/LC8HOXSNUWQZsGKohGZjI8WD6krhZVBKgfe1PGKgk";

    #[test]
    fn a_password_is_recognised_and_another_is_not() {
        let hash = PasswordHash::new("pässword");
        assert!(hash.verify("pässword"));
        assert!(!hash.verify("passwörd"));
        assert_ne!(hash, PasswordHash::new("pässword"), "each has a salt of its own");
        assert_eq!(format!("{hash:?}"), "PasswordHash");
        assert!(PasswordHash::from_text(hash.as_str()).verify("pässword"), "what was stored is the same");
    }

    #[test]
    fn it_is_pbkdf2_as_others_know_it() {
        assert!(PasswordHash(KNOWN.to_owned()).verify("correct horse"));
    }

    #[test]
    fn what_is_no_hash_is_not_read() {
        for bad in [
            String::new(),
            "secret".to_owned(),
            KNOWN.replace("100000", "99999"),
            KNOWN.replace("100000", "4000000000"),
            KNOWN.replace("sha256", "sha1"),
            KNOWN.replace("AAECAwQFBgcICQoLDA0ODw", "AAEC"),
            format!("{KNOWN}$"),
            KNOWN[..KNOWN.len() - 4].to_owned(),
        ] {
            assert!(PasswordHash(bad.clone()).read().is_none(), "{bad}");
        }
    }
}
