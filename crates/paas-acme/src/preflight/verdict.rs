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
            (true, false) => Obstacle::PortClosed { host, address, who, port },
            // We do not know where we are: a closed port is then the likelier reason.
            (false, false) if own.is_empty() => Obstacle::PortClosed { host, address, who, port },
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
            Answer::Closed(Closed::Unreachable) => "this server has no connection to it".to_owned(),
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
