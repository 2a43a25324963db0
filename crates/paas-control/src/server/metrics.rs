//! The names under which Prometheus finds what is counted.

use std::{collections::BTreeMap, fmt};

use paas_certs::{NameState, NameStatus};
use paas_domain::DeployState;
use paas_proxy::{DURATION_BOUNDS, ListenerMetrics, ListenerProtocol, ProxyMetrics, RequestMetrics};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet},
    metrics::MetricType,
};

/// What stands in place of an app where a request led to none. No app can have that name.
const UNKNOWN: &str = "(unknown)";

const CODES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What was counted, gathered for one look at it.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) version: String,
    /// The apps' names, by the proxy's name for them.
    pub(super) apps: BTreeMap<String, String>,
    pub(super) deploys: Vec<(DeployState, u64)>,
    pub(super) names: Vec<NameStatus>,
    /// Not there when the proxy does not answer.
    pub(super) proxy: Option<ProxyMetrics>,
}

/// The values of a metric, each with its labels.
type Values<V> = Vec<(Labels, V)>;
type Labels = Vec<(&'static str, String)>;

/// Durations as Prometheus has them: the sum, the count, and the count of each bucket by its bound.
type Histogram = (f64, u64, Vec<(f64, u64)>);

impl Collector for Metrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(encoder);
        self.control(&mut out)?;
        if let Some(proxy) = &self.proxy {
            self.requests(proxy, &mut out)?;
            process(proxy, &mut out)?;
        }
        Ok(())
    }
}

impl Metrics {
    fn control(&self, out: &mut Out<'_>) -> fmt::Result {
        out.gauge(
            "paas_info",
            "The version of the server.",
            vec![(vec![("version", self.version.clone())], 1)],
        )?;
        out.gauge("paas_apps", "Apps on this server.", one(self.apps.len() as u64))?;
        let deploys = self.deploys.iter().map(|(state, count)| (label("state", state.as_str()), *count));
        out.gauge(
            "paas_deploys",
            "Deploys on record, by where they stand or how they ended.",
            deploys.collect(),
        )?;
        let states = [
            (NameState::Valid, "valid"),
            (NameState::Trial, "trial"),
            (NameState::Own, "own"),
            (NameState::Ordering, "ordering"),
            (NameState::Failing, "failing"),
        ];
        let names = states.map(|(state, word)| {
            let count = self.names.iter().filter(|name| name.state == state).count();
            (label("state", word), count as u64)
        });
        out.gauge("paas_names", "Hostnames, by the state of their certificate.", names.into())?;
        out.gauge("paas_proxy_up", "Whether the proxy answers.", one(u64::from(self.proxy.is_some())))
    }

    fn requests(&self, proxy: &ProxyMetrics, out: &mut Out<'_>) -> fmt::Result {
        // A service that is no app's any more is about to go.
        let apps = proxy
            .services
            .iter()
            .filter_map(|(service, read)| Some((self.apps.get(service)?.as_str(), read)));
        let all: Vec<(&str, &RequestMetrics)> = apps.chain([(UNKNOWN, &proxy.unknown)]).collect();
        let of = |value: fn(&RequestMetrics) -> u64| {
            all.iter().map(|(app, read)| (label("app", app), value(read))).collect::<Values<u64>>()
        };
        let ended = all.iter().flat_map(|(app, read)| {
            let code = |(code, count): (&str, u64)| {
                (vec![("app", (*app).to_owned()), ("code", code.to_owned())], count)
            };
            CODES.into_iter().zip(read.ended).map(code)
        });
        out.counter(
            "paas_requests",
            "Requests that have ended, by the class of their status.",
            ended.collect(),
        )?;
        let durations = all.iter().map(|(app, read)| (label("app", app), histogram(read)));
        out.histogram(
            "paas_request_duration_seconds",
            "From a request's header to the last byte of its answer; no WebSockets.",
            durations.collect(),
        )?;
        out.gauge(
            "paas_requests_in_flight",
            "Requests and WebSockets under way.",
            of(|read| read.in_flight),
        )?;
        out.counter("paas_request_bytes", "Bytes of bodies from clients.", of(|read| read.bytes_in))?;
        out.counter("paas_response_bytes", "Bytes of bodies to clients.", of(|read| read.bytes_out))
    }
}

fn process(proxy: &ProxyMetrics, out: &mut Out<'_>) -> fmt::Result {
    let start = proxy.started_at.unix_timestamp();
    out.gauge("paas_proxy_start_time_seconds", "When the proxy started.", vec![(Vec::new(), start)])?;
    out.gauge("paas_proxy_config_generation", "The number of the routing table.", one(proxy.generation))?;
    let of = |value: fn(&ListenerMetrics) -> u64| {
        proxy
            .listeners
            .iter()
            .map(|listener| (listener_labels(listener), value(listener)))
            .collect::<Values<u64>>()
    };
    out.gauge("paas_proxy_connections_open", "Clients' connections.", of(|listener| listener.open))?;
    out.counter(
        "paas_proxy_connections_accepted",
        "Clients' connections since the start.",
        of(|listener| listener.accepted),
    )?;
    out.counter(
        "paas_proxy_connections_refused",
        "Clients' connections for which the proxy had no more room, descriptors or memory.",
        of(|listener| listener.refused),
    )?;
    out.counter(
        "paas_proxy_handshakes_failed",
        "TLS and QUIC handshakes that failed.",
        one(proxy.handshakes_failed),
    )?;
    out.counter(
        "paas_proxy_upstream_connects",
        "Connections to apps over HTTP/1.1.",
        one(proxy.upstream.connects),
    )?;
    out.counter(
        "paas_proxy_upstream_unreachable",
        "Times that a container could not be connected to.",
        one(proxy.upstream.unreachable),
    )?;
    out.counter(
        "paas_proxy_upstream_retries",
        "Requests sent again, because a kept connection was closed.",
        one(proxy.upstream.retries),
    )?;
    out.counter(
        "paas_proxy_access_log_dropped_lines",
        "Lines of access logs that the disk did not take.",
        one(proxy.access_log_dropped),
    )?;
    let ends =
        proxy.certificates.iter().map(|end| (label("host", &end.host), end.not_after.unix_timestamp()));
    out.gauge(
        "paas_certificate_not_after_seconds",
        "Until when a hostname's certificate is valid.",
        ends.collect(),
    )
}

fn listener_labels(listener: &ListenerMetrics) -> Labels {
    let protocol = match listener.protocol {
        ListenerProtocol::Http => "http",
        ListenerProtocol::Https => "https",
        ListenerProtocol::Http3 => "http3",
    };
    vec![("listener", listener.address.to_string()), ("protocol", protocol.to_owned())]
}

fn histogram(read: &RequestMetrics) -> Histogram {
    let bounds = DURATION_BOUNDS.into_iter().chain([f64::INFINITY]);
    let count = read.durations.iter().sum();
    (
        std::time::Duration::from_micros(read.duration_sum_us).as_secs_f64(),
        count,
        bounds.zip(read.durations).collect(),
    )
}

fn label(name: &'static str, value: &str) -> Labels {
    vec![(name, value.to_owned())]
}

fn one(value: u64) -> Values<u64> {
    vec![(Vec::new(), value)]
}

/// Writes one metric after the other.
struct Out<'a>(DescriptorEncoder<'a>);

impl Out<'_> {
    /// `name` gets its `_total` from the format.
    fn counter(&mut self, name: &str, help: &str, values: Values<u64>) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&value, None)?;
        }
        Ok(())
    }

    fn gauge<V: prometheus_client::encoding::EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        values: Values<V>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    fn histogram(&mut self, name: &str, help: &str, values: Values<Histogram>) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, (sum, count, buckets)) in values {
            metric.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        Ok(())
    }
}
