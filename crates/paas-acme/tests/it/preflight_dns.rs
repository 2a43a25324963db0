//! What a preflight reads in the DNS.

use paas_acme::ChallengeKind::{Dns01, Http01, TlsAlpn01};

use crate::preflight::{Here, NAME, SHORT};

/// This server, with a name that leads to it.
async fn here() -> Here {
    let here = Here::start().await;
    here.dns.point(NAME, here.address);
    here
}

async fn obstacle(here: &Here, name: &str) -> (&'static str, String) {
    let obstacle = here.check_name(name).await.unwrap_err();
    (obstacle.kind(), obstacle.to_string())
}

#[tokio::test]
async fn a_name_without_records_is_told_from_one_that_does_not_exist() {
    let here = here().await;
    let expected =
        format!("new.example.org does not exist in the DNS: add a record that points to {}", here.address);
    assert_eq!(obstacle(&here, "new.example.org").await, ("no_such_name", expected));
    here.dns.exist("mail.example.org");
    let expected = format!(
        "mail.example.org has neither an A nor an AAAA record: add a record that points to {}",
        here.address
    );
    assert_eq!(obstacle(&here, "mail.example.org").await, ("no_record", expected));
    assert_eq!(here.responder.presented(), 0);
}

#[tokio::test]
async fn dns_servers_that_fail_are_told_from_silent_ones() {
    let mut here = here().await;
    here.settings.timeout = SHORT;
    here.dns.servfail("broken.example.org", false);
    assert_eq!(
        obstacle(&here, "broken.example.org").await,
        (
            "dns_failed",
            "the DNS servers of broken.example.org fail to answer (SERVFAIL): check the delegation and DNSSEC of the zone at its DNS \
             provider"
                .to_owned()
        )
    );
    here.dns.silence("silent.example.org");
    assert_eq!(
        obstacle(&here, "silent.example.org").await,
        (
            "dns_silent",
            "this server's DNS resolver did not answer for silent.example.org: check the network and /etc/resolv.conf".to_owned()
        )
    );
}

/// What was asked once is asked again: people correct a record and want to see it.
#[tokio::test]
async fn nothing_is_remembered() {
    let here = Here::start().await;
    assert_eq!(here.check().await.unwrap_err().kind(), "no_such_name");
    here.dns.point(NAME, here.address);
    assert_eq!(here.check().await.unwrap(), [Http01, TlsAlpn01]);
}

#[tokio::test]
async fn caa_records_are_looked_for_up_to_the_top() {
    let here = here().await;
    here.dns.caa("example.org", false, "issue", "sectigo.com");
    assert_eq!(
        obstacle(&here, NAME).await,
        (
            "caa",
            "the CAA record 0 issue \"sectigo.com\" of example.org does not allow the authority to sign for www.example.org this way: \
             add 0 issue \"letsencrypt.org\" to example.org"
                .to_owned()
        )
    );
    assert_eq!(here.responder.presented(), 0);
    // The nearest set counts, alone.
    here.dns.caa(NAME, false, "issue", "letsencrypt.org; accounturi=https://ca.example/1");
    assert_eq!(here.check().await.unwrap(), [Http01, TlsAlpn01]);
    assert!(here.dns.asked("org") == 0, "the search ends at the first records");
}

/// An alias is followed for addresses and for CAA records; the climb goes on from the alias, not from what it stands for (RFC 8659 §3).
#[tokio::test]
async fn aliases_are_followed() {
    let here = here().await;
    here.dns.alias("shop.example.com", NAME);
    assert_eq!(here.check_name("shop.example.com").await.unwrap(), [Http01, TlsAlpn01]);
    here.dns.caa("example.org", false, "issue", "sectigo.com");
    assert_eq!(here.check_name("shop.example.com").await.unwrap(), [Http01, TlsAlpn01]);
    here.dns.caa("example.com", false, "issue", "sectigo.com");
    assert_eq!(obstacle(&here, "shop.example.com").await.0, "caa");
    here.dns.caa(NAME, false, "issue", "letsencrypt.org");
    assert_eq!(here.check_name("shop.example.com").await.unwrap(), [Http01, TlsAlpn01]);
}

#[tokio::test]
async fn a_caa_record_for_nobody_forbids_all() {
    let mut here = here().await;
    here.dns.caa("example.org", false, "issue", ";");
    assert_eq!(obstacle(&here, NAME).await.0, "caa");
    // Of an authority that goes by a name we do not know, only such a record is certain.
    here.settings.caa_identities.clear();
    let (kind, sentence) = obstacle(&here, NAME).await;
    assert_eq!(kind, "caa");
    assert!(sentence.ends_with("add 0 issue \"the authority's name\" to example.org"), "{sentence}");
    here.dns.caa("example.org", false, "issue", "ca.example");
    assert_eq!(here.check().await.unwrap(), [Http01, TlsAlpn01]);
}

#[tokio::test]
async fn caa_records_about_other_things_allow() {
    let here = here().await;
    here.dns.caa("example.org", false, "iodef", "mailto:ops@example.org");
    here.dns.caa("example.org", false, "issuewild", ";");
    assert_eq!(here.check().await.unwrap(), [Http01, TlsAlpn01]);
    here.dns.caa("example.org", true, "future", "x");
    let (kind, sentence) = obstacle(&here, NAME).await;
    assert_eq!(kind, "caa");
    assert!(
        sentence.starts_with("the CAA record 128 future \"x\" of example.org does not allow"),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_wildcard_has_records_of_its_own() {
    let here = here().await;
    assert_eq!(here.check_name("*.example.org").await.unwrap(), [Dns01]);
    here.dns.caa("example.org", false, "issue", "letsencrypt.org");
    assert_eq!(here.check_name("*.example.org").await.unwrap(), [Dns01]);
    here.dns.caa("example.org", false, "issuewild", "sectigo.com");
    let (kind, sentence) = obstacle(&here, "*.example.org").await;
    assert_eq!(kind, "caa");
    assert!(sentence.contains("0 issuewild \"sectigo.com\" of example.org"), "{sentence}");
    assert!(sentence.ends_with("add 0 issuewild \"letsencrypt.org\" to example.org"), "{sentence}");
    assert_eq!(here.responder.presented(), 0);
}

#[tokio::test]
async fn a_caa_record_may_allow_some_ways_only() {
    let here = here().await;
    here.dns.caa("example.org", false, "issue", "letsencrypt.org; validationmethods=dns-01, tls-alpn-01");
    assert_eq!(here.check().await.unwrap(), [TlsAlpn01]);
    here.dns.forget("example.org");
    here.dns.caa("example.org", false, "issue", "LetsEncrypt.org;validationmethods=dns-01");
    assert_eq!(obstacle(&here, NAME).await.0, "caa");
    assert_eq!(here.check_name("*.example.org").await.unwrap(), [Dns01]);
}

#[tokio::test]
async fn caa_records_that_cannot_be_had_forbid() {
    let mut here = here().await;
    here.dns.servfail("example.org", true);
    assert_eq!(
        obstacle(&here, NAME).await,
        (
            "caa_unknown",
            "the DNS servers of example.org fail when asked for CAA records (SERVFAIL), so no authority may sign for www.example.org: \
             tell its DNS provider"
                .to_owned()
        )
    );
    // A resolver that keeps silent about them says nothing of what an authority will find.
    here.dns.forget("example.org");
    here.dns.silence("example.org");
    here.settings.timeout = SHORT;
    assert_eq!(here.check().await.unwrap(), [Http01, TlsAlpn01]);
}
