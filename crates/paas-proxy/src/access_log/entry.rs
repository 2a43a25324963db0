use std::{net::IpAddr, sync::Arc, time::Duration};

use http::{
    HeaderValue, Method, StatusCode, Version,
    header::{REFERER, USER_AGENT},
    request::Parts,
    uri::PathAndQuery,
};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::{ServiceLog, combined, json};
use crate::{api::AccessLog, forwarded::Source, host::Host, target::Target};

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Combined,
}

/// A request as it will stand in its service's access log, from its header on.
#[derive(Debug)]
pub(crate) struct Entry {
    log: Arc<ServiceLog>,
    format: Format,
    pub(super) at: OffsetDateTime,
    pub(super) client: IpAddr,
    pub(super) scheme: &'static str,
    pub(super) method: Method,
    pub(super) host: String,
    pub(super) path: Option<PathAndQuery>,
    pub(super) version: Version,
    pub(super) referer: Option<HeaderValue>,
    pub(super) user_agent: Option<HeaderValue>,
    asked: Option<Instant>,
    answered: Option<(Arc<Target>, Duration)>,
}

/// How a request ended.
#[derive(Debug)]
pub(crate) struct Outcome<'a> {
    pub(crate) id: &'a str,
    pub(crate) status: StatusCode,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) duration: Duration,
    /// False when the connection, or the app, broke off before the last byte.
    pub(crate) complete: bool,
}

impl Entry {
    /// `None` for a service that wants no access log.
    pub(crate) fn new(
        wanted: AccessLog,
        log: &Arc<ServiceLog>,
        parts: &Parts,
        host: &Host<'_>,
        source: &Source,
    ) -> Option<Self> {
        let format = match wanted {
            AccessLog::Off => return None,
            AccessLog::Json => Format::Json,
            AccessLog::Combined => Format::Combined,
        };
        Some(Self {
            log: Arc::clone(log),
            format,
            at: OffsetDateTime::now_utc(),
            client: source.client,
            scheme: source.scheme.as_str(),
            method: parts.method.clone(),
            host: host.as_str().to_owned(),
            path: parts.uri.path_and_query().cloned(),
            version: parts.version,
            referer: parts.headers.get(REFERER).cloned(),
            user_agent: parts.headers.get(USER_AGENT).cloned(),
            asked: None,
            answered: None,
        })
    }

    /// A target is asked from now on.
    pub(crate) fn asks(&mut self) {
        self.asked = Some(Instant::now());
    }

    /// The header of the target's answer came.
    pub(crate) fn answered(&mut self, target: &Arc<Target>) {
        let took = self.asked.map_or(Duration::ZERO, |asked| asked.elapsed());
        self.answered = Some((Arc::clone(target), took));
    }

    /// Which target answered.
    pub(super) fn target(&self) -> Option<&str> {
        self.answered.as_ref().map(|(target, _)| target.id.as_str())
    }

    /// How long that took.
    pub(super) fn app(&self) -> Option<Duration> {
        self.answered.as_ref().map(|(_, took)| *took)
    }

    /// The path and query as they came.
    pub(super) fn path(&self) -> &str {
        self.path.as_ref().map_or("/", PathAndQuery::as_str)
    }

    pub(super) fn protocol(&self) -> &'static str {
        match self.version {
            Version::HTTP_09 => "HTTP/0.9",
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_2 => "HTTP/2.0",
            Version::HTTP_3 => "HTTP/3.0",
            _ => "HTTP/1.1",
        }
    }

    /// Hands the line over to be written.
    pub(crate) fn write(&self, outcome: &Outcome<'_>) {
        self.log.write(self.line(outcome));
    }

    /// Exactly one line, its newline included, whatever a visitor sent.
    fn line(&self, outcome: &Outcome<'_>) -> Vec<u8> {
        let mut line = match self.format {
            Format::Json => json::line(self, outcome),
            Format::Combined => combined::line(self, outcome).into_bytes(),
        };
        line.push(b'\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use http::Request;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::{super::AccessLogs, *};
    use crate::forwarded::{Origin, Scheme};

    const CLIENT: &str = "192.0.2.7:999";

    fn entry(wanted: AccessLog, target: &str, referer: Option<&[u8]>, user_agent: Option<&[u8]>) -> Entry {
        let client: SocketAddr = CLIENT.parse().unwrap();
        let origin = Origin::new(client, "10.0.0.1:80".parse().unwrap(), Scheme::Http);
        let mut request = Request::builder().uri(target);
        for (name, value) in [(REFERER, referer), (USER_AGENT, user_agent)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let parts = request.body(()).unwrap().into_parts().0;
        let log = ServiceLog::new("app-1", Arc::new(AccessLogs::nowhere()));
        let host = Host::parse("Blog.example:80").unwrap();
        let mut entry = Entry::new(wanted, &log, &parts, &host, &origin.direct()).unwrap();
        entry.at = OffsetDateTime::from_unix_timestamp_nanos(971_186_136_123_456_789).unwrap();
        entry
    }

    fn outcome() -> Outcome<'static> {
        Outcome {
            id: "3f2a",
            status: StatusCode::OK,
            bytes_in: 3,
            bytes_out: 2326,
            duration: Duration::from_micros(12_345),
            complete: true,
        }
    }

    fn text(entry: &Entry, outcome: &Outcome<'_>) -> String {
        String::from_utf8(entry.line(outcome)).unwrap()
    }

    #[test]
    fn a_service_that_wants_no_log_has_no_entry() {
        let origin = Origin::new(CLIENT.parse().unwrap(), CLIENT.parse().unwrap(), Scheme::Http);
        let parts = Request::new(()).into_parts().0;
        let log = ServiceLog::new("app-1", Arc::new(AccessLogs::nowhere()));
        let host = Host::parse("a.b").unwrap();
        assert!(Entry::new(AccessLog::Off, &log, &parts, &host, &origin.direct()).is_none());
    }

    #[test]
    fn a_line_of_json_says_everything() {
        let entry = entry(AccessLog::Json, "/a?b=c&token=abc", None, Some(b"curl/8 \"x\"\t\xff"));
        assert_eq!(
            text(&entry, &outcome()),
            "{\"time\":\"2000-10-10T13:55:36.123456Z\",\"request_id\":\"3f2a\",\"client\":\"192.0.2.7\",\"method\":\"GET\",\
             \"scheme\":\"http\",\"host\":\"blog.example\",\"path\":\"/a?b=c&token=***\",\"protocol\":\"HTTP/1.1\",\"status\":200,\
             \"bytes_in\":3,\"bytes_out\":2326,\"duration_ms\":12.345,\"app_ms\":null,\"target\":null,\"referer\":null,\
             \"user_agent\":\"curl/8 \\\"x\\\"\u{fffd}\u{fffd}\",\"complete\":true}\n"
        );
    }

    #[test]
    fn a_combined_line_is_what_apache_writes() {
        let entry = entry(
            AccessLog::Combined,
            "/a?b=c&token=abc",
            Some(b"https://a.test/?password=1&q=2"),
            Some(b"x \"y\\z\"\t\xc3\xa9"),
        );
        assert_eq!(
            text(&entry, &outcome()),
            "192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] \"GET /a?b=c&token=*** HTTP/1.1\" 200 2326 \
             \"https://a.test/?password=***&q=2\" \"x \\\"y\\\\z\\\"\\t\\xc3\\xa9\"\n"
        );
    }

    #[test]
    fn what_is_missing_is_a_dash() {
        let entry = entry(AccessLog::Combined, "/", None, None);
        let line = text(&entry, &Outcome { bytes_out: 0, ..outcome() });
        assert!(line.ends_with("\"GET / HTTP/1.1\" 200 - \"-\" \"-\"\n"), "{line}");
    }

    /// Splits a combined line into its nine fields, and panics at anything that is not one.
    fn fields(line: &str) -> Vec<String> {
        let mut rest = line.strip_suffix('\n').unwrap();
        let mut fields = Vec::new();
        while !rest.is_empty() {
            let end = match rest.as_bytes()[0] {
                b'[' => rest.find(']').unwrap() + 1,
                b'"' => {
                    let mut escaped = false;
                    let closing = |byte: &u8| {
                        let closes = *byte == b'"' && !escaped;
                        escaped = *byte == b'\\' && !escaped;
                        closes
                    };
                    rest.as_bytes()[1..].iter().position(closing).unwrap() + 2
                }
                _ => rest.find(' ').unwrap_or(rest.len()),
            };
            fields.push(rest[..end].to_owned());
            rest = &rest[end..];
            rest = if rest.is_empty() { rest } else { rest.strip_prefix(' ').unwrap() };
        }
        fields
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

        #[test]
        fn no_visitor_can_forge_a_line(
            path in "[!-~\u{80}-\u{9f}\u{e9}]{0,40}",
            referer in proptest::collection::vec(prop_oneof![b' '..=b'~', 0x80..=0xff_u8, Just(b'\t'), Just(b'"')], 0..40),
            user_agent in "\\PC{0,10}[\"\\\\\u{80}-\u{9f}]{0,4}\\PC{0,10}",
        ) {
            let target = PathAndQuery::try_from(format!("/{path}"));
            prop_assume!(target.is_ok());
            let target = target.unwrap();
            for wanted in [AccessLog::Json, AccessLog::Combined] {
                let entry = entry(wanted, target.as_str(), Some(&referer), Some(user_agent.as_bytes()));
                let line = text(&entry, &outcome());
                let inner = line.strip_suffix('\n').unwrap();
                prop_assert!(!inner.chars().any(char::is_control), "{line:?}");
                if wanted == AccessLog::Json {
                    let value: Value = serde_json::from_str(&line).unwrap();
                    prop_assert_eq!(value.as_object().unwrap().len(), 17);
                    prop_assert_eq!(&value["status"], 200);
                } else {
                    prop_assert!(inner.is_ascii());
                    let fields = fields(&line);
                    prop_assert_eq!(fields.len(), 9, "{:?}", fields);
                    prop_assert_eq!((fields[5].as_str(), fields[6].as_str()), ("200", "2326"));
                }
            }
        }
    }
}
