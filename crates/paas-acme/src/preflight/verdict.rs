use std::net::IpAddr;

use paas_domain::Hostname;

use super::{
    Obstacle, PreflightSettings, cdn,
    http_probe::{Answer, Closed, Stranger},
};
use crate::ChallengeKind;

/// What was found at one address.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) address: IpAddr,
    pub(crate) answer: Answer,
    /// Whether the TLS handshake showed our proof.
    pub(crate) by_tls: bool,
}

/// The ways that work at every address, or the one obstacle that is most worth telling.
pub(crate) fn of(
    host: &Hostname,
    settings: &PreflightSettings,
    findings: &[Finding],
) -> Result<Vec<ChallengeKind>, Obstacle> {
    let http = findings.iter().all(|finding| finding.answer == Answer::Ours);
    let tls = findings.iter().all(|finding| finding.by_tls);
    let ways = [(http, ChallengeKind::Http01), (tls, ChallengeKind::TlsAlpn01)];
    let working: Vec<ChallengeKind> =
        ways.iter().filter(|(works, _)| *works).map(|(_, kind)| *kind).collect();
    match findings.iter().find(|finding| finding.answer != Answer::Ours) {
        Some(wrong) if working.is_empty() => Err(Case { host, settings, findings }.obstacle(wrong)),
        _ => Ok(working),
    }
}

struct Case<'a> {
    host: &'a Hostname,
    settings: &'a PreflightSettings,
    findings: &'a [Finding],
}

impl Case<'_> {
    fn obstacle(&self, first_wrong: &Finding) -> Obstacle {
        if let Some((network, address)) = self.network() {
            let advice = self.settings.advice(address);
            return Obstacle::Cdn { host: self.host.clone(), network, address, advice };
        }
        let right = self.findings.iter().find(|finding| finding.answer == Answer::Ours);
        match right {
            Some(right) => self.partly(right.address, first_wrong),
            None => self.nowhere(),
        }
    }

    fn network(&self) -> Option<(&'static str, IpAddr)> {
        self.findings.iter().find_map(|finding| {
            let by_header = match &finding.answer {
                Answer::Stranger(stranger) => stranger.cdn,
                Answer::Ours => return None,
                Answer::Closed(_) => None,
            };
            Some((by_header.or_else(|| cdn::of_address(finding.address))?, finding.address))
        })
    }

    fn partly(&self, right: IpAddr, wrong: &Finding) -> Obstacle {
        let (host, address, who) = (self.host.clone(), wrong.address, self.who(wrong));
        if address.is_ipv6() && right.is_ipv4() {
            return Obstacle::WrongV6 { host, address, who, advice: self.settings.advice(address) };
        }
        Obstacle::Partly { host, address, who }
    }

    /// No address shows our proof: another server, another program, or a closed port.
    fn nowhere(&self) -> Obstacle {
        let stranger = self.findings.iter().find(|finding| matches!(finding.answer, Answer::Stranger(_)));
        let Some(told) = stranger.or_else(|| self.findings.first()) else {
            return Obstacle::NoRecord { host: self.host.clone(), advice: self.settings.any_advice() };
        };
        let (host, address, who) = (self.host.clone(), told.address, self.who(told));
        let (own, port) = (&self.settings.own_addresses, self.settings.http_port);
        match (own.contains(&address), stranger.is_some()) {
            (true, true) => Obstacle::OtherProgram { host, who, port },
            (true, false) => Obstacle::PortClosed { host, address, who, port, known: true },
            (false, false) if own.is_empty() => {
                Obstacle::PortClosed { host, address, who, port, known: false }
            }
            (false, _) => Obstacle::Elsewhere { host, address, who, advice: self.settings.advice(address) },
        }
    }

    /// What came back, as part of a sentence.
    fn who(&self, finding: &Finding) -> String {
        let port = self.settings.http_port;
        match &finding.answer {
            Answer::Ours => "this server answered".to_owned(),
            Answer::Closed(Closed::Refused) => format!("nothing listens on port {port}"),
            Answer::Closed(Closed::TimedOut) => format!("nothing answers on port {port}"),
            Answer::Closed(Closed::Unreachable) => "no connection from this server leads".to_owned(),
            Answer::Stranger(stranger) => answered(stranger),
        }
    }
}

fn answered(stranger: &Stranger) -> String {
    let server = stranger.server.as_deref().unwrap_or("another server");
    match stranger.status {
        Some(status) if stranger.redirects_to_https => {
            format!("{server} answered HTTP {status} with a redirect to HTTPS")
        }
        Some(status) => format!("{server} answered HTTP {status}"),
        None => "something answered that is not HTTP".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "203.0.113.7";
    const THERE: &str = "198.51.100.9";

    fn finding(address: &str, answer: Answer) -> Finding {
        Finding { address: address.parse().unwrap(), answer, by_tls: false }
    }

    fn nginx() -> Answer {
        Answer::Stranger(Stranger {
            status: Some(404),
            server: Some("nginx/1.22".into()),
            ..Stranger::default()
        })
    }

    fn cloudflare() -> Answer {
        let (server, cdn) = (Some("cloudflare".into()), Some("Cloudflare"));
        Answer::Stranger(Stranger { status: Some(522), server, cdn, redirects_to_https: false })
    }

    fn check(findings: &[Finding]) -> Result<Vec<ChallengeKind>, Obstacle> {
        let own_addresses = vec![HERE.parse().unwrap(), "2a01:4f8::7".parse().unwrap()];
        let settings = PreflightSettings { own_addresses, ..PreflightSettings::default() };
        of(&Hostname::new("www.example.org").unwrap(), &settings, findings)
    }

    fn sentence(findings: &[Finding]) -> String {
        check(findings).unwrap_err().to_string()
    }

    #[test]
    fn a_way_works_when_it_works_everywhere() {
        let both = |address| Finding { by_tls: true, ..finding(address, Answer::Ours) };
        let kinds = check(&[both(HERE), both("2a01:4f8::7")]).unwrap();
        assert_eq!(kinds, [ChallengeKind::Http01, ChallengeKind::TlsAlpn01]);
        assert_eq!(check(&[both(HERE), finding(HERE, Answer::Ours)]).unwrap(), [ChallengeKind::Http01]);
        let tls = Finding { by_tls: true, ..finding(HERE, Answer::Closed(Closed::TimedOut)) };
        assert_eq!(check(&[tls]).unwrap(), [ChallengeKind::TlsAlpn01]);
    }

    #[test]
    fn an_old_ipv6_record_is_named() {
        assert_eq!(
            sentence(&[
                finding(HERE, Answer::Ours),
                finding("2001:db8::1", Answer::Closed(Closed::TimedOut))
            ]),
            "the A record of www.example.org is right, but its AAAA record points to 2001:db8::1, where nothing answers on port 80; \
             authorities try IPv6 first: remove the AAAA record or change it to 2a01:4f8::7"
        );
        assert_eq!(
            sentence(&[
                finding(HERE, Answer::Ours),
                finding("2001:db8::1", Answer::Closed(Closed::Unreachable))
            ]),
            "the A record of www.example.org is right, but its AAAA record points to 2001:db8::1, where no connection from this \
             server leads; authorities try IPv6 first: remove the AAAA record or change it to 2a01:4f8::7"
        );
    }

    #[test]
    fn one_wrong_address_of_several_is_named() {
        assert_eq!(
            sentence(&[finding(HERE, Answer::Ours), finding(THERE, nginx())]),
            "www.example.org also points to 198.51.100.9, where nginx/1.22 answered HTTP 404: remove that record, \
             authorities may try any of them"
        );
    }

    #[test]
    fn another_server_is_told_from_another_program() {
        assert_eq!(
            sentence(&[finding(THERE, nginx())]),
            "www.example.org points to 198.51.100.9, where nginx/1.22 answered HTTP 404, and not to this server: \
             change the record to 203.0.113.7"
        );
        assert_eq!(
            sentence(&[finding(THERE, Answer::Closed(Closed::Refused))]),
            "www.example.org points to 198.51.100.9, where nothing listens on port 80, and not to this server: \
             change the record to 203.0.113.7"
        );
        assert_eq!(
            sentence(&[finding(HERE, nginx())]),
            "port 80 of this server is answered by another program (nginx/1.22 answered HTTP 404) for www.example.org: \
             stop that program, or give its port to paas"
        );
    }

    #[test]
    fn a_closed_port_is_named() {
        assert_eq!(
            sentence(&[finding(HERE, Answer::Closed(Closed::TimedOut))]),
            "www.example.org points to 203.0.113.7, but nothing answers on port 80: open port 80 in the firewall of this server \
             and of its provider"
        );
    }

    #[test]
    fn a_network_in_front_is_named_before_all_else() {
        let behind = "www.example.org is behind Cloudflare (198.51.100.9), which does not pass the authority's requests on: \
                      point the record to 203.0.113.7 directly, or bring a certificate of your own";
        assert_eq!(sentence(&[finding(HERE, Answer::Ours), finding(THERE, cloudflare())]), behind);
        let by_address = sentence(&[finding("104.16.0.1", Answer::Closed(Closed::TimedOut))]);
        assert_eq!(by_address, behind.replace("198.51.100.9", "104.16.0.1"));
    }
}
