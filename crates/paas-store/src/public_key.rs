use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Key types sshd accepts by default and that are not broken (`PubkeyAcceptedAlgorithms` in `sshd_config(5)`).
const TYPES: [&str; 7] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];
/// An RSA key of 16,384 bits is below this.
const LONGEST: usize = 8192;

/// A public ssh key: type and body, nothing else of the line it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    text: String,
    body: Vec<u8>,
}

/// Why a text is not a public key we let in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PublicKeyError {
    /// Nothing there.
    #[error(
        "there is no key; give the public key on standard input: ssh-keys:add NAME < ~/.ssh/id_ed25519.pub"
    )]
    Empty,
    /// More than one line.
    #[error("this is more than one key; add them one by one, each under its name")]
    SeveralLines,
    /// A private key.
    #[error(
        "this is a PRIVATE key; it must never leave its machine. Give the file that ends in .pub, and make a new key if this one was shown to anybody"
    )]
    Private,
    /// Not `type base64`.
    #[error("this is not a public ssh key; it looks like `ssh-ed25519 AAAA… name`")]
    Malformed,
    /// A type that is not let in.
    #[error("keys of this type are not accepted; make one with `ssh-keygen -t ed25519`")]
    Type,
}

impl PublicKey {
    /// Reads a line as `ssh-keygen` writes it. A comment is dropped; options before the key are refused.
    pub fn parse(text: &str) -> Result<Self, PublicKeyError> {
        let text = text.trim();
        if text.contains("PRIVATE KEY") {
            return Err(PublicKeyError::Private);
        }
        if text.is_empty() {
            return Err(PublicKeyError::Empty);
        }
        if text.lines().count() > 1 {
            return Err(PublicKeyError::SeveralLines);
        }
        if text.len() > LONGEST || text.chars().any(char::is_control) {
            return Err(PublicKeyError::Malformed);
        }
        let mut words = text.split(' ').filter(|word| !word.is_empty());
        let (Some(kind), Some(encoded)) = (words.next(), words.next()) else {
            return Err(PublicKeyError::Malformed);
        };
        let kind = TYPES.into_iter().find(|known| *known == kind).ok_or_else(|| {
            if kind.starts_with("ssh-") || kind.starts_with("ecdsa-") || kind.starts_with("sk-") {
                PublicKeyError::Type
            } else {
                PublicKeyError::Malformed
            }
        })?;
        let body = STANDARD.decode(encoded).map_err(|_| PublicKeyError::Malformed)?;
        // RFC 4253 §6.6: the body begins with its own type, so type and body cannot disagree.
        let inner = body.split_first_chunk::<4>().and_then(|(length, rest)| {
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            (rest.len() > length).then(|| &rest[..length])
        });
        if inner != Some(kind.as_bytes()) {
            return Err(PublicKeyError::Malformed);
        }
        Ok(Self { text: format!("{kind} {}", STANDARD.encode(&body)), body })
    }

    /// `type base64`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&self.body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    #[test]
    fn a_line_of_ssh_keygen_is_read() {
        let key = PublicKey::parse(&format!("  {KEY} ann@laptop with words\n")).unwrap();
        assert_eq!(key.as_str(), KEY);
        // `ssh-keygen -lf` says the same of this key.
        assert_eq!(key.fingerprint(), "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
    }

    /// Each fingerprint is what `ssh-keygen -lf` says.
    #[test]
    fn other_types_are_read_too() {
        for (line, fingerprint) in [
            (
                "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEXxykvh9ZbRSshfadKAQD6aO0BcWra0RFMPFiUkaIV8VOEpwMZtag/acdQ27ioIL+udKk4N7zPXu1DFJExSSPI=",
                "SHA256:6N8GfJ7KbP+c0dZqvuJpLJM7GgqvHaXn2KQGK0rI4W4",
            ),
            (
                "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAHkOMMQ00PYth2yGi10i/1WpGnJG6twwhUNS6e+JKE1g4Rzgn6fd50d9tKGv/94S6d5c0MVTcp/cLuuGn6VBOM68gCHSw1iPRts4mby3p29c5VTpTi8JVe/I/Ox+uci3IbTlI66/UsWbgB/xbSLxMnabHEcUOGhjg+lUkFO1N9YpUbPPA==",
                "SHA256:KvpfVlPxtSaW6N0+GLGwb/bzR8KFXrVXks2I8CBRcyI",
            ),
            (
                "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC+MnNTZ8PcSg2c59tBcRPFpmEwb6Gl+1JypWe8E2kloJaySPIbKgcx7JFKqlfX4ueP5zfc0g9xe0XqpdV/QyuO5niUlkgYGbW4J30xOngh3+rlD4FKdJZlzH5K/LaKqucur7Hhc1WWU38/fv2dg2niw6gtAlOPzgXsL2RNwbeVR14s+7iTFQnFjZgIaYb1ScU3qzIpf1SD7ItSkhbBJLfIOxSPiyR9GfW/vs2UhnAq1ZBmC3d2WWiM+P7zXmFPQ8kJxbduVP7zI4kBfvyzI9X4mQWIARsNQG8t+7Nuk3sFkcJK4T1NeBMIXizWmtmWOdLqIJ7eGWuQVZ+LovIbl+6H",
                "SHA256:oc1hSuO+Esf1/CLDr+gCzPmkO0nrxw1sQClVjWYKl0A",
            ),
        ] {
            let key = PublicKey::parse(&format!("{line} a b")).unwrap();
            assert_eq!((key.as_str(), key.fingerprint().as_str()), (line, fingerprint));
        }
    }

    #[test]
    fn everything_else_is_refused_in_words() {
        let two = format!("{KEY}\n{KEY}");
        let options = format!("command=\"x\" {KEY}");
        let renamed = KEY.replacen("ssh-ed25519", "ssh-rsa", 1);
        for (text, expected) in [
            ("", PublicKeyError::Empty),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nx", PublicKeyError::Private),
            (two.as_str(), PublicKeyError::SeveralLines),
            (options.as_str(), PublicKeyError::Malformed),
            (renamed.as_str(), PublicKeyError::Malformed),
            ("ssh-dss AAAA", PublicKeyError::Type),
            ("ssh-ed25519 !!!!", PublicKeyError::Malformed),
            ("ssh-ed25519", PublicKeyError::Malformed),
            ("ssh-ed25519 AAAA", PublicKeyError::Malformed),
        ] {
            assert_eq!(PublicKey::parse(text).unwrap_err(), expected, "{text}");
        }
    }
}
