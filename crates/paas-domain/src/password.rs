//! Passwords of visitors, and what is kept of them.

use std::{collections::BTreeMap, ops::RangeInclusive};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize as _, Deserializer, de::Error as _};
use thiserror::Error;

use crate::{Secret, UserName};

/// How long a password may be, in characters.
const LENGTH: RangeInclusive<usize> = 8..=128;
/// More users than one file needs: all are sealed in each release and told to the proxy.
const MOST_USERS: usize = 100;
/// What the proxy takes, which checks it for itself.
const SCHEME: &str = "pbkdf2-sha256";
/// The proxy takes more, but the threads that check are those of all apps: a hash of a file costs at most twice one of `auth:add`.
const ROUNDS: RangeInclusive<u32> = 100_000..=200_000;
const SALT: RangeInclusive<usize> = 8..=64;
const HASH: usize = 32;

/// Why a text cannot be a password. Never repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PasswordError {
    /// RFC 7617 §2 has no way to send them.
    #[error("a password cannot have control characters, like a newline or a tab")]
    Control,
    /// Too short or too long.
    #[error("a password has 8 to 128 characters")]
    Length,
}

/// Checks a new password.
pub fn check_password(password: &Secret) -> Result<(), PasswordError> {
    let text = password.expose();
    if text.contains(char::is_control) {
        return Err(PasswordError::Control);
    }
    if LENGTH.contains(&text.chars().count()) { Ok(()) } else { Err(PasswordError::Length) }
}

/// Whether a text is the hash of a password: `pbkdf2-sha256$<rounds>$<salt>$<hash>`, as `auth:hash` prints it.
pub fn is_password_hash(text: &str) -> bool {
    let [scheme, rounds, salt, hash] = text.split('$').collect::<Vec<_>>()[..] else { return false };
    let bytes = |part: &str| STANDARD_NO_PAD.decode(part).map(|bytes| bytes.len());
    scheme == SCHEME
        && rounds.parse().is_ok_and(|rounds| ROUNDS.contains(&rounds))
        && bytes(salt).is_ok_and(|length| SALT.contains(&length))
        && bytes(hash) == Ok(HASH)
}

/// Reads `[auth]`: users, each with a hash.
pub(crate) fn users<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<UserName, Secret>, D::Error> {
    // As any value first: the errors of serde would repeat what stands there, which may be a password.
    let toml::Value::Table(table) = toml::Value::deserialize(deserializer)? else {
        return Err(D::Error::custom("[auth] is a table of users, each with the hash of a password"));
    };
    if table.len() > MOST_USERS {
        return Err(D::Error::custom(format!("[auth] has at most {MOST_USERS} users, not {}", table.len())));
    }
    let user = |(name, value): (String, toml::Value)| {
        // Not repeated either: a name and its password may stand the wrong way round.
        let name = UserName::new(name).map_err(|_| {
            D::Error::custom(
                "[auth] what stands left of a `=` is no user name; write the name there, without a colon, and the hash of the password on the right",
            )
        })?;
        match value {
            toml::Value::String(text) if is_password_hash(&text) => Ok((name, Secret::new(text))),
            _ => Err(D::Error::custom(format!(
                "what stands for the user {name} is no hash of a password; `paas auth:hash` makes one, and a password itself does not belong in a repository"
            ))),
        }
    };
    table.into_iter().map(user).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str =
        "pbkdf2-sha256$100000$AAECAwQFBgcICQoLDA0ODw$V/LC8HOXSNUWQZsGKohGZjI8WD6krhZVBKgfe1PGKgk";

    #[test]
    fn a_password_can_be_typed_and_is_not_short() {
        assert_eq!(check_password(&Secret::new("correct horse")), Ok(()));
        for (bad, error) in [
            ("short", PasswordError::Length),
            (&"long".repeat(40), PasswordError::Length),
            ("with\ttab in it", PasswordError::Control),
        ] {
            assert_eq!(check_password(&Secret::new(bad)), Err(error), "{bad}");
        }
    }

    #[test]
    fn only_a_whole_hash_is_one() {
        assert!(is_password_hash(HASH));
        assert!(is_password_hash(&HASH.replace("100000", "200000")));
        for bad in [
            String::new(),
            "correct horse".to_owned(),
            HASH.replace("100000", "99999"),
            HASH.replace("100000", "200001"),
            HASH.replace("100000", "4000000000"),
            HASH.replace("sha256", "sha1"),
            HASH.replace("AAECAwQFBgcICQoLDA0ODw", "AAEC"),
            format!("{HASH}$"),
            HASH[..HASH.len() - 4].to_owned(),
            format!(" {HASH}"),
        ] {
            assert!(!is_password_hash(&bad), "{bad}");
        }
    }

    #[test]
    fn a_manifest_holds_hashes_and_shows_none() {
        let read = crate::Manifest::parse(&format!("[auth]\nann = \"{HASH}\"\n\"b@example.org\" = '{HASH}'"));
        let manifest = read.unwrap();
        let users: Vec<_> = manifest.auth.iter().map(|(user, hash)| (user.as_str(), hash.expose())).collect();
        assert_eq!(users, [("ann", HASH), ("b@example.org", HASH)]);
        let shown = format!("{manifest:?}");
        assert!(!shown.contains("pbkdf2") && !shown.contains("V/LC8"), "{shown}");
    }

    #[test]
    fn a_password_in_a_manifest_is_refused_and_not_repeated() {
        let cut = &HASH[..HASH.len() - 4];
        for (text, expected) in [
            ("[auth]\nann = \"hunter2-4711\"".to_owned(), "what stands for the user ann is no hash"),
            ("[auth]\nann = \"hunter2-4711\"".to_owned(), "`paas auth:hash` makes one"),
            (format!("[auth]\nann = \"{cut}\""), "no hash of a password"),
            ("[auth]\nann = 4711".to_owned(), "no hash of a password"),
            ("[auth]\nann = [\"hunter2-4711\"]".to_owned(), "no hash of a password"),
            ("[auth.ann]\npassword = \"hunter2-4711\"".to_owned(), "no hash of a password"),
            ("auth = \"hunter2-4711\"".to_owned(), "a table of users"),
            ("auth = 4711".to_owned(), "a table of users"),
            ("[auth]\nann = hunter2-4711".to_owned(), ""),
            ("[auth]\nann = \"hunter2-4711".to_owned(), ""),
            (format!("[auth]\n\"ann:b\" = \"{HASH}\""), "no user name"),
            ("[auth]\n\"hunter2:4711\" = \"ann\"".to_owned(), "no user name"),
            (
                format!(
                    "[auth]\n{}",
                    (0..=100).map(|n| format!("u{n} = \"{HASH}\"\n")).collect::<Vec<_>>().concat()
                ),
                "[auth] has at most 100 users, not 101",
            ),
        ] {
            let error = crate::Manifest::parse(&text).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(expected), "{text:?} gave {shown}");
            for secret in ["hunter2", "4711", "pbkdf2-sha256$"] {
                assert!(!shown.contains(secret), "{text:?} gave {shown}");
            }
        }
    }
}
