use std::net::IpAddr;

use paas_domain::Hostname;
use thiserror::Error;

use super::PreflightSettings;
use crate::dns::NoAnswer;

/// Why an authority would not find this server under a name. `Display` is one plain sentence with what to change.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Obstacle {
    /// NXDOMAIN.
    #[error("{host} does not exist in the DNS: add a record that points to {advice}")]
    NoSuchName {
        /// The name.
        host: Hostname,
        /// Where it should point.
        advice: String,
    },
    /// The name exists without an address.
    #[error("{host} has neither an A nor an AAAA record: add a record that points to {advice}")]
    NoRecord {
        /// The name.
        host: Hostname,
        /// Where it should point.
        advice: String,
    },
    /// SERVFAIL.
    #[error(
        "the DNS servers of {host} fail to answer (SERVFAIL): check the delegation and DNSSEC of the zone at its DNS provider"
    )]
    DnsFailed {
        /// The name.
        host: Hostname,
    },
    /// The resolver says nothing.
    #[error("this server's DNS resolver did not answer for {host}: check the network and /etc/resolv.conf")]
    DnsSilent {
        /// The name.
        host: Hostname,
    },
    /// An address that the internet cannot reach.
    #[error(
        "{host} points to {address}, a private address no public authority can reach: change the record to {advice}"
    )]
    PrivateAddress {
        /// The name.
        host: Hostname,
        /// Where it points.
        address: IpAddr,
        /// Where it should point.
        advice: String,
    },
    /// Another server.
    #[error("{host} points to {address}, where {who}, and not to this server: change the record to {advice}")]
    Elsewhere {
        /// The name.
        host: Hostname,
        /// Where it points.
        address: IpAddr,
        /// What came back, as part of a sentence.
        who: String,
        /// Where it should point.
        advice: String,
    },
    /// The A record leads here, the AAAA record does not.
    #[error(
        "the A record of {host} is right, but its AAAA record points to {address}, where {who}; authorities try IPv6 first: \
         remove the AAAA record or change it to {advice}"
    )]
    WrongV6 {
        /// The name.
        host: Hostname,
        /// Where the AAAA record points.
        address: IpAddr,
        /// What came back, as part of a sentence.
        who: String,
        /// Where it should point.
        advice: String,
    },
    /// Some records lead here, others do not.
    #[error(
        "{host} also points to {address}, where {who}: remove that record, authorities may try any of them"
    )]
    Partly {
        /// The name.
        host: Hostname,
        /// The address that is wrong.
        address: IpAddr,
        /// What came back, as part of a sentence.
        who: String,
    },
    /// Nobody answers.
    #[error("{host} points to {address}, but {who}: {}", open(*port, *known))]
    PortClosed {
        /// The name.
        host: Hostname,
        /// Where it points.
        address: IpAddr,
        /// How the connection failed, as part of a sentence.
        who: String,
        /// The port.
        port: u16,
        /// Whether the address is known to be this server's.
        known: bool,
    },
    /// Another program of this server answers.
    #[error(
        "port {port} of this server is answered by another program ({who}) for {host}: stop that program, \
         or give its port to paas"
    )]
    OtherProgram {
        /// The name.
        host: Hostname,
        /// What came back, as part of a sentence.
        who: String,
        /// The port.
        port: u16,
    },
    /// A network in front of the server answers.
    #[error(
        "{host} is behind {network} ({address}), which does not pass the authority's requests on: point the record to {advice} \
         directly, or bring a certificate of your own"
    )]
    Cdn {
        /// The name.
        host: Hostname,
        /// The network.
        network: &'static str,
        /// Where the name points.
        address: IpAddr,
        /// Where it should point.
        advice: String,
    },
    /// A CAA record forbids it.
    #[error(
        "the CAA record {record} of {owner} does not allow the authority to sign for {host} this way: add {missing} to {owner}"
    )]
    Caa {
        /// The name.
        host: Hostname,
        /// Where the record is.
        owner: String,
        /// The record.
        record: String,
        /// The record to add.
        missing: String,
    },
    /// The CAA records cannot be had, and an authority must not sign then (RFC 8659 §3).
    #[error(
        "the DNS servers of {owner} fail when asked for CAA records (SERVFAIL), so no authority may sign for {host}: \
         tell its DNS provider"
    )]
    CaaUnknown {
        /// The name.
        host: Hostname,
        /// Whose servers fail.
        owner: String,
    },
    /// We could not show our own proof.
    #[error("the check of {host} could not be prepared: {why}")]
    Solver {
        /// The name.
        host: Hostname,
        /// Why, as part of a sentence.
        why: String,
        /// What led to it.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl Obstacle {
    /// One word for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NoSuchName { .. } => "no_such_name",
            Self::NoRecord { .. } => "no_record",
            Self::DnsFailed { .. } => "dns_failed",
            Self::DnsSilent { .. } => "dns_silent",
            Self::PrivateAddress { .. } => "private_address",
            Self::Elsewhere { .. } => "elsewhere",
            Self::WrongV6 { .. } => "wrong_v6",
            Self::Partly { .. } => "partly",
            Self::PortClosed { .. } => "port_closed",
            Self::OtherProgram { .. } => "other_program",
            Self::Cdn { .. } => "cdn",
            Self::Caa { .. } => "caa",
            Self::CaaUnknown { .. } => "caa_unknown",
            Self::Solver { .. } => "solver",
        }
    }
}

fn open(port: u16, known: bool) -> String {
    if known {
        return format!("open port {port} in the firewall of this server and of its provider");
    }
    format!(
        "if that is this server, open port {port} in its firewall and its provider's, else change the record; where a server cannot \
         reach its own public address, set `preflight = false` under [acme] in /etc/paas/paas.toml"
    )
}

pub(crate) fn of_lookup(host: &Hostname, why: NoAnswer, settings: &PreflightSettings) -> Obstacle {
    let host = host.clone();
    match why {
        NoAnswer::NoSuchName => Obstacle::NoSuchName { host, advice: settings.any_advice() },
        NoAnswer::NoRecord => Obstacle::NoRecord { host, advice: settings.any_advice() },
        NoAnswer::Failed => Obstacle::DnsFailed { host },
        NoAnswer::Silent => Obstacle::DnsSilent { host },
    }
}
