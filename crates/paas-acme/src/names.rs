use std::fmt;
use std::net::IpAddr;

use paas_domain::Hostname;

use crate::{address::is_public_address, embedded_address};

/// Whether a public authority may sign a name at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameClass {
    /// It may; whether it does is for the preflight and the authority to say.
    Public,
    /// It never does, so no order is worth making.
    Private(PrivateReason),
}

/// Why no public authority signs a name. `Display` is the part of a sentence that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivateReason {
    /// It has a single label (`localhost`, `nas`): public authorities sign only names below a public suffix.
    SingleLabel,
    /// It ends with a suffix that is reserved or in use on private networks only.
    Suffix(&'static str),
    /// The name itself says its address, and that address cannot be reached from the internet.
    Address(IpAddr),
}

/// RFC 6761 (`test`, `localhost`, `invalid`, `example`), RFC 6762 (`local` and, in its appendix G, what private networks use instead),
/// RFC 7686, RFC 8375, RFC 9476, and `internal`, which ICANN reserved in 2024.
const PRIVATE_SUFFIXES: [&str; 15] = [
    "localhost",
    "test",
    "example",
    "invalid",
    "local",
    "internal",
    "home.arpa",
    "onion",
    "alt",
    "lan",
    "home",
    "corp",
    "intranet",
    "private",
    "localdomain",
];

/// Says whether a public authority may sign this name.
pub fn classify(host: &Hostname) -> NameClass {
    let name = host.as_str().trim_start_matches("*.");
    if let Some(suffix) = PRIVATE_SUFFIXES.into_iter().find(|suffix| is_below(name, suffix)) {
        return NameClass::Private(PrivateReason::Suffix(suffix));
    }
    if !name.contains('.') {
        return NameClass::Private(PrivateReason::SingleLabel);
    }
    match embedded_address::find(name) {
        Some(address) if !is_public_address(address) => NameClass::Private(PrivateReason::Address(address)),
        _ => NameClass::Public,
    }
}

/// Whether the name is the suffix or ends with a dot and the suffix.
pub(crate) fn is_below(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

impl fmt::Display for PrivateReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SingleLabel => f.write_str(
                "a name without a dot exists on private networks only, so no public authority signs it",
            ),
            Self::Suffix(suffix) => write!(
                f,
                "names under .{suffix} exist on private networks only, so no public authority signs them"
            ),
            Self::Address(address) => write!(
                f,
                "it leads to {address}, which cannot be reached from the internet, so no public authority can check it"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(name: &str) -> NameClass {
        classify(&Hostname::new(name).unwrap())
    }

    #[test]
    fn names_of_private_networks_are_told_apart() {
        for (name, suffix) in [
            ("localhost", "localhost"),
            ("app.localhost", "localhost"),
            ("*.app.test", "test"),
            ("nas.local", "local"),
            ("db.internal", "internal"),
            ("www.example", "example"),
            ("router.home.arpa", "home.arpa"),
            ("printer.lan", "lan"),
            ("a.b.corp", "corp"),
            ("x.invalid", "invalid"),
        ] {
            assert_eq!(class(name), NameClass::Private(PrivateReason::Suffix(suffix)), "{name}");
        }
        assert_eq!(class("nas"), NameClass::Private(PrivateReason::SingleLabel));
    }

    #[test]
    fn a_suffix_is_whole_labels() {
        for name in
            ["www.example.org", "latest.dev", "my-local.io", "contest.net", "*.example.com", "atest.org"]
        {
            assert_eq!(class(name), NameClass::Public, "{name}");
        }
    }

    #[test]
    fn a_name_that_embeds_a_private_address_is_private() {
        for name in
            ["10-0-0-1.sslip.io", "app.192.168.1.5.sslip.io", "app-127-0-0-1.nip.io", "*.10.1.2.3.nip.io"]
        {
            assert!(matches!(class(name), NameClass::Private(PrivateReason::Address(_))), "{name}");
        }
        assert_eq!(class("app.203-0-114-7.sslip.io"), NameClass::Public);
        assert_eq!(class("app.8.8.8.8.nip.io"), NameClass::Public);
    }

    #[test]
    fn the_reason_is_a_part_of_a_sentence() {
        let NameClass::Private(reason) = class("app.test") else { panic!("app.test is private") };
        assert_eq!(
            reason.to_string(),
            "names under .test exist on private networks only, so no public authority signs them"
        );
    }
}
