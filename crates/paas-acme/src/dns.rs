use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{RData, RecordType, rdata::CAA},
    },
};
use thiserror::Error;

/// Why no resolver could be set up.
#[derive(Debug, Error)]
#[error("the DNS resolver cannot be set up: check /etc/resolv.conf, or configure a resolver")]
pub struct ResolverError(#[source] NetError);

/// Questions to the DNS as an authority would ask them: no hosts file, no search list, nothing remembered.
pub(crate) struct Dns {
    resolver: TokioResolver,
    timeout: Duration,
}

/// Why there is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The name does not exist (NXDOMAIN).
    NoSuchName,
    /// It exists and has no record of this type.
    NoRecord,
    /// Its servers failed (SERVFAIL): broken delegation, bad DNSSEC.
    Failed,
    /// The resolver does not answer such a question, or not in time.
    Silent,
}

impl Dns {
    /// The system's resolver, or the one given. `timeout` is for one question.
    pub(crate) fn new(server: Option<SocketAddr>, timeout: Duration) -> Result<Self, ResolverError> {
        let mut builder = match server {
            Some(server) => {
                TokioResolver::builder_with_config(config(server), TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio().map_err(ResolverError)?,
        };
        let options = builder.options_mut();
        // Each question is asked twice at most, within the time given.
        (options.attempts, options.timeout) = (1, timeout / 2);
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        Ok(Self { resolver: builder.build().map_err(ResolverError)?, timeout })
    }

    /// A and AAAA records; at least one.
    pub(crate) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NoAnswer> {
        let (v4, v6) = tokio::join!(self.ask(host, RecordType::A), self.ask(host, RecordType::AAAA));
        let mut addresses = Vec::new();
        let mut none = NoAnswer::NoRecord;
        for answer in [v4, v6] {
            match answer {
                Ok(records) => addresses.extend(records.iter().filter_map(RData::ip_addr)),
                Err(why) => none = worse(none, why),
            }
        }
        if addresses.is_empty() { Err(none) } else { Ok(addresses) }
    }

    /// CAA records at exactly this name.
    pub(crate) async fn caa(&self, name: &str) -> Result<Vec<CAA>, NoAnswer> {
        let records = self.ask(name, RecordType::CAA).await?;
        Ok(records
            .into_iter()
            .filter_map(|data| if let RData::CAA(caa) = data { Some(caa) } else { None })
            .collect())
    }

    /// TXT records, the parts of each joined.
    pub(crate) async fn txt(&self, name: &str) -> Result<Vec<String>, NoAnswer> {
        let records = self.ask(name, RecordType::TXT).await?;
        let text = |data| match data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        };
        Ok(records.into_iter().filter_map(text).collect())
    }

    async fn ask(&self, name: &str, kind: RecordType) -> Result<Vec<RData>, NoAnswer> {
        // The dot keeps the search list out. Each of several name servers has a time limit of its own, hence ours round them all.
        let asked = tokio::time::timeout(self.timeout, self.resolver.lookup(format!("{name}."), kind)).await;
        let answer = asked.map_err(|_| NoAnswer::Silent)?.map_err(|error| why(&error))?;
        Ok(answer.answers().iter().map(|record| record.data.clone()).collect())
    }
}

fn config(server: SocketAddr) -> ResolverConfig {
    let mut connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = server.port();
    }
    let mut name_server = NameServerConfig::udp_and_tcp(server.ip());
    name_server.connections = connections.into();
    ResolverConfig::from_parts(None, Vec::new(), vec![name_server])
}

fn why(error: &NetError) -> NoAnswer {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => NoAnswer::NoSuchName,
            ResponseCode::ServFail => NoAnswer::Failed,
            _ => NoAnswer::NoRecord,
        },
        NetError::Dns(DnsError::ResponseCode(ResponseCode::ServFail) | DnsError::DnssecBogus) => {
            NoAnswer::Failed
        }
        _ => NoAnswer::Silent,
    }
}

/// Of two reasons the one that says more.
fn worse(one: NoAnswer, other: NoAnswer) -> NoAnswer {
    let rank = |why| match why {
        NoAnswer::NoRecord => 0,
        NoAnswer::NoSuchName => 1,
        NoAnswer::Silent => 2,
        NoAnswer::Failed => 3,
    };
    if rank(other) > rank(one) { other } else { one }
}
