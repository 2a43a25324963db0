use serde::Deserialize;

/// `[ssh]`: how people reach this server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SshSection {
    /// The user they log in as; `ssh-session` and git run as it.
    pub(crate) user: String,
    /// The host they type; the domain when not given.
    pub(crate) host: Option<String>,
    /// The port of sshd.
    pub(crate) port: u16,
}

impl Default for SshSection {
    fn default() -> Self {
        Self { user: "paas".to_owned(), host: None, port: 22 }
    }
}

impl SshSection {
    /// The user's numeric id, read from the system's account file; `None` when there is no such user.
    pub(crate) fn uid(&self) -> Option<(u32, u32)> {
        let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            if fields.next()? != self.user {
                return None;
            }
            let uid = fields.nth(1)?.parse().ok()?;
            Some((uid, fields.next()?.parse().ok()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_ids_are_found_and_nobodys_are_not() {
        let of = |user: &str| SshSection { user: user.into(), ..SshSection::default() }.uid();
        assert_eq!(of("root"), Some((0, 0)));
        assert_eq!(of("no-such-user"), None);
    }
}
