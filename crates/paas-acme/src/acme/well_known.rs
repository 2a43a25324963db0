use http::Uri;

/// Let's Encrypt.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// Let's Encrypt's test environment: the same protocol, wider limits, certificates nobody trusts.
pub const LETS_ENCRYPT_STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

/// A public authority: the end of its directories' hosts, its name, and the names it looks for in CAA records.
struct WellKnown {
    host: &'static str,
    name: &'static str,
    caa: &'static [&'static str],
}

/// The CAA names are the ones each authority publishes in its practice statement.
const WELL_KNOWN: [WellKnown; 9] = [
    WellKnown {
        host: "acme-staging-v02.api.letsencrypt.org",
        name: "Let's Encrypt (staging)",
        caa: &["letsencrypt.org"],
    },
    WellKnown { host: "api.letsencrypt.org", name: "Let's Encrypt", caa: &["letsencrypt.org"] },
    WellKnown {
        host: "zerossl.com",
        name: "ZeroSSL",
        caa: &["sectigo.com", "trust-provider.com", "usertrust.com", "comodoca.com", "comodo.com"],
    },
    WellKnown {
        host: "sectigo.com",
        name: "Sectigo",
        caa: &["sectigo.com", "trust-provider.com", "usertrust.com", "comodoca.com", "comodo.com"],
    },
    WellKnown { host: "pki.goog", name: "Google Trust Services", caa: &["pki.goog"] },
    WellKnown { host: "buypass.com", name: "Buypass", caa: &["buypass.com", "buypass.no"] },
    WellKnown { host: "ssl.com", name: "SSL.com", caa: &["ssl.com"] },
    WellKnown {
        host: "digicert.com",
        name: "DigiCert",
        caa: &["digicert.com", "www.digicert.com", "digicert.ne.jp"],
    },
    WellKnown { host: "actalis.com", name: "Actalis", caa: &["actalis.it"] },
];

fn find(directory: &str) -> Option<&'static WellKnown> {
    let host = host(directory)?;
    WELL_KNOWN.iter().find(|authority| crate::names::is_below(&host, authority.host))
}

fn host(directory: &str) -> Option<String> {
    Some(directory.parse::<Uri>().ok()?.host()?.to_ascii_lowercase())
}

/// The issuer domain names an authority looks for in CAA records (RFC 8659 §4.2); empty for one we do not know.
pub fn caa_identities_of(directory: &str) -> Vec<String> {
    find(directory).map_or_else(Vec::new, |authority| authority.caa.iter().map(ToString::to_string).collect())
}

/// What people call the authority: its name, or its host.
pub(crate) fn name_of(directory: &str) -> String {
    match find(directory) {
        Some(authority) => authority.name.to_owned(),
        None => format!("the authority at {}", host(directory).unwrap_or_else(|| directory.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_are_known_by_their_directory() {
        assert_eq!(caa_identities_of(LETS_ENCRYPT), ["letsencrypt.org"]);
        assert_eq!(caa_identities_of("https://acme.zerossl.com/v2/DV90")[0], "sectigo.com");
        assert_eq!(caa_identities_of("https://dv.acme-v02.api.pki.goog/directory"), ["pki.goog"]);
        assert!(caa_identities_of("https://ca.example/dir").is_empty());
        assert!(caa_identities_of("https://notssl.com/dir").is_empty());
        assert_eq!(name_of(LETS_ENCRYPT), "Let's Encrypt");
        assert_eq!(name_of(LETS_ENCRYPT_STAGING), "Let's Encrypt (staging)");
        assert_eq!(name_of("https://ca.example:14000/dir"), "the authority at ca.example");
    }
}
