//! From what commands and the repository say to how the proxy treats an app's requests. A command wins over the repository, which wins over the
//! default.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use paas_domain::{AccessLog, Declared, IpRange, Page, Secret, UserName, parse_duration};
use paas_proxy::{
    AccessLog as LogFormat, HoldPolicy, HostRedirect, PasswordHash, RequestPolicy, ServiceSpec,
};
use paas_store::{FrontDoor, Setting};

type Settings = BTreeMap<Setting, String>;

/// Whether visitors see the maintenance page, whatever else the app does.
pub(crate) fn in_maintenance(settings: &Settings, declared: &Declared) -> bool {
    let commanded = settings.get(&Setting::Maintenance).map(|value| value == "on");
    commanded.or(declared.http.maintenance).unwrap_or_default()
}

/// How the app's requests are treated.
pub(crate) fn policy(settings: &Settings, declared: &Declared, door: &FrontDoor) -> RequestPolicy {
    let (http, default) = (&declared.http, RequestPolicy::default());
    let text = |setting| settings.get(&setting).map(String::as_str);
    let is_on = |setting, declared: Option<bool>| {
        text(setting).map(|value| value == "on").or(declared).unwrap_or_default()
    };
    let wait = |setting, declared: Option<Duration>| {
        text(setting).and_then(|value| parse_duration(value).ok()).or(declared).map(millis)
    };
    let access_log = text(Setting::AccessLog).and_then(AccessLog::parse).or(http.access_log);
    let mut pages: BTreeMap<Page, &String> =
        declared.pages.iter().chain(&door.pages).map(|(page, html)| (*page, html)).collect();
    RequestPolicy {
        max_body: text(Setting::MaxBody)
            .and_then(|bytes| bytes.parse().ok())
            .or(http.max_body)
            .unwrap_or(default.max_body),
        request_timeout_ms: wait(Setting::RequestTimeout, http.request_timeout),
        response_timeout_ms: wait(Setting::ResponseTimeout, http.response_timeout),
        buffer_requests: is_on(Setting::BufferRequests, http.buffer_requests),
        compression: is_on(Setting::Compression, http.compression),
        sticky: is_on(Setting::Sticky, http.sticky),
        server_timing: is_on(Setting::ServerTiming, http.server_timing),
        access_log: match access_log.unwrap_or_default() {
            AccessLog::Off => LogFormat::Off,
            AccessLog::Json => LogFormat::Json,
            AccessLog::Combined => LogFormat::Combined,
        },
        basic_auth: users(door, declared),
        allow: ranges(&door.allow, http.allow.as_deref()),
        trusted_proxies: ranges(&door.trusted_proxies, http.trusted_proxies.as_deref()),
        maintenance_page: pages.remove(&Page::Maintenance).cloned(),
        error_pages: pages
            .into_iter()
            .filter_map(|(page, html)| match page {
                Page::Status(status) => Some((status, html.clone())),
                Page::Maintenance => None,
            })
            .collect(),
        hold: HoldPolicy {
            timeout_ms: wait(Setting::HoldTimeout, http.hold_timeout).unwrap_or(default.hold.timeout_ms),
            requests: text(Setting::HoldRequests)
                .and_then(|count| count.parse().ok())
                .or(http.hold_requests)
                .and_then(|count| usize::try_from(count).ok())
                .unwrap_or(default.hold.requests),
        },
    }
}

/// Takes the redirect at that host out of a service, or the last of `of_file` on the way from there: the file's go before a command's. Gives the one
/// that was taken out.
pub(crate) fn gives_up_redirect(
    service: &mut ServiceSpec,
    host: &str,
    of_file: &BTreeSet<String>,
) -> Option<HostRedirect> {
    let first = service.redirects.iter().position(|redirect| redirect.host == host)?;
    let (mut at, mut way) = (Some(first), Vec::new());
    while let Some(redirect) = at.filter(|redirect| !way.contains(redirect)) {
        way.push(redirect);
        at = redirect_of(service, &service.redirects.get(redirect)?.to);
    }
    let is_of_file = |index: &&usize| {
        service.redirects.get(**index).is_some_and(|redirect| of_file.contains(&redirect.host))
    };
    let taken = way.iter().rfind(is_of_file).copied().unwrap_or(first);
    Some(service.redirects.remove(taken))
}

/// The redirect of the service that visitors of a host meet.
fn redirect_of(service: &ServiceSpec, host: &str) -> Option<usize> {
    let wildcard = host.split_once('.').map(|(_, parent)| format!("*.{parent}"));
    for name in std::iter::once(host).chain(wildcard.as_deref()) {
        if service.hosts.iter().any(|own| own == name) {
            return None;
        }
        if let Some(index) = service.redirects.iter().position(|redirect| redirect.host == name) {
            return Some(index);
        }
    }
    None
}

/// Takes a host that is not free out of a service, or a path as it stands behind its host. False when it is not in it.
pub(crate) fn gives_up(service: &mut ServiceSpec, host: &str) -> bool {
    let before = service.hosts.len() + service.redirects.len() + service.paths.len();
    service.hosts.retain(|own| own != host);
    service.redirects.retain(|redirect| redirect.host != host);
    service.paths.retain(|path| format!("{}{}", path.host, path.prefix) != host);
    service.hosts.len() + service.redirects.len() + service.paths.len() < before
}

/// Users by command stand in place of the repository's, all of them: a command can close what the file leaves open.
fn users(door: &FrontDoor, declared: &Declared) -> BTreeMap<String, PasswordHash> {
    if door.users.is_empty() {
        let user =
            |(user, hash): (&UserName, &Secret)| (user.to_string(), PasswordHash::from_text(hash.expose()));
        return declared.users.iter().map(user).collect();
    }
    door.users.iter().map(|(user, hash)| (user.to_string(), PasswordHash::from_text(hash))).collect()
}

/// The commanded list stands in place of the repository's: what a command closes is closed.
fn ranges(commanded: &BTreeSet<IpRange>, declared: Option<&[IpRange]>) -> Vec<ipnet::IpNet> {
    if commanded.is_empty() {
        return declared.unwrap_or_default().iter().map(IpRange::net).collect();
    }
    commanded.iter().map(IpRange::net).collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use paas_domain::DeclaredHttp;
    use paas_proxy::PathRoute;

    use super::*;

    fn range(text: &str) -> IpRange {
        IpRange::new(text).unwrap()
    }

    fn declared() -> Declared {
        Declared {
            http: DeclaredHttp {
                max_body: Some(5 << 20),
                request_timeout: Some(Duration::from_secs(7)),
                response_timeout: Some(Duration::from_millis(1_500)),
                buffer_requests: Some(true),
                compression: Some(true),
                sticky: Some(true),
                server_timing: Some(true),
                hold_timeout: Some(Duration::from_secs(3)),
                hold_requests: Some(9),
                access_log: Some(AccessLog::Json),
                maintenance: Some(true),
                allow: Some(vec![range("10.0.0.0/8")]),
                trusted_proxies: Some(vec![range("192.0.2.0/24")]),
            },
            users: BTreeMap::from([(UserName::new("file").unwrap(), Secret::new("pbkdf2-sha256$1$f$f"))]),
            pages: BTreeMap::from([
                (Page::Maintenance, "file".to_owned()),
                (Page::Status(404), "file".to_owned()),
            ]),
            ..Declared::default()
        }
    }

    #[test]
    fn nothing_said_is_the_proxys_default() {
        let policy = policy(&BTreeMap::new(), &Declared::default(), &FrontDoor::default());
        assert_eq!(policy, RequestPolicy::default());
    }

    #[test]
    fn the_repository_says_how_requests_are_treated() {
        let policy = policy(&BTreeMap::new(), &declared(), &FrontDoor::default());
        let expected = RequestPolicy {
            max_body: 5 << 20,
            request_timeout_ms: Some(7_000),
            response_timeout_ms: Some(1_500),
            buffer_requests: true,
            compression: true,
            sticky: true,
            server_timing: true,
            access_log: LogFormat::Json,
            basic_auth: BTreeMap::from([("file".into(), PasswordHash::from_text("pbkdf2-sha256$1$f$f"))]),
            allow: vec![range("10.0.0.0/8").net()],
            trusted_proxies: vec![range("192.0.2.0/24").net()],
            maintenance_page: Some("file".into()),
            error_pages: BTreeMap::from([(404, "file".into())]),
            hold: HoldPolicy { timeout_ms: 3_000, requests: 9 },
        };
        assert_eq!(policy, expected);
    }

    #[test]
    fn a_command_wins_over_the_repository() {
        let settings = [
            (Setting::MaxBody, "1048576"),
            (Setting::RequestTimeout, "1s"),
            (Setting::ResponseTimeout, "2m"),
            (Setting::BufferRequests, "off"),
            (Setting::Compression, "off"),
            (Setting::Sticky, "off"),
            (Setting::ServerTiming, "off"),
            (Setting::HoldTimeout, "1s"),
            (Setting::HoldRequests, "5"),
            (Setting::AccessLog, "off"),
        ];
        let settings = settings.into_iter().map(|(setting, value)| (setting, value.to_owned())).collect();
        let door = FrontDoor {
            users: BTreeMap::from([(
                paas_domain::UserName::new("ann").unwrap(),
                "pbkdf2-sha256$1$a$b".into(),
            )]),
            allow: [range("192.0.2.1")].into(),
            trusted_proxies: [range("::1")].into(),
            pages: BTreeMap::from([
                (Page::Status(502), "command".into()),
                (Page::Maintenance, "command".into()),
            ]),
            ..FrontDoor::default()
        };
        let policy = policy(&settings, &declared(), &door);
        let expected = RequestPolicy {
            max_body: 1 << 20,
            request_timeout_ms: Some(1_000),
            response_timeout_ms: Some(120_000),
            basic_auth: BTreeMap::from([("ann".into(), PasswordHash::from_text("pbkdf2-sha256$1$a$b"))]),
            allow: vec![range("192.0.2.1").net()],
            trusted_proxies: vec![range("::1").net()],
            maintenance_page: Some("command".into()),
            error_pages: BTreeMap::from([(404, "file".into()), (502, "command".into())]),
            hold: HoldPolicy { timeout_ms: 1_000, requests: 5 },
            ..RequestPolicy::default()
        };
        assert_eq!(policy, expected);
    }

    #[test]
    fn a_command_begins_and_ends_the_maintenance_of_the_repository() {
        let none = Settings::new();
        let command = |value: &str| Settings::from([(Setting::Maintenance, value.to_owned())]);
        assert!(!in_maintenance(&none, &Declared::default()));
        assert!(in_maintenance(&none, &declared()) && !in_maintenance(&command("off"), &declared()));
        assert!(in_maintenance(&command("on"), &Declared::default()));
    }

    #[test]
    fn the_proxy_takes_every_hash_that_a_file_may_hold() {
        let good = PasswordHash::new("correct horse");
        let (few, cut) = (good.as_str().replace("$100000$", "$99999$"), &good.as_str()[..60]);
        for text in [good.as_str(), &few, cut, "correct horse", "", &format!("{}$", good.as_str())] {
            let users = BTreeMap::from([(UserName::new("ann").unwrap(), Secret::new(text))]);
            let declared = Declared { users, ..Declared::default() };
            let policy = policy(&Settings::new(), &declared, &FrontDoor::default());
            let service = ServiceSpec { name: "app-1".into(), policy, ..ServiceSpec::default() };
            assert_eq!(service.check().is_ok(), paas_domain::is_password_hash(text), "{text:?}");
        }
    }

    #[test]
    fn the_files_redirects_are_given_up_before_a_commands() {
        let redirect =
            |&(host, to): &(&str, &str)| HostRedirect { host: host.into(), to: to.into(), status: 308 };
        let given_up = |redirects: &[(&str, &str)], named: &str, of_file: &[&str]| {
            let redirects = redirects.iter().map(redirect).collect();
            let mut service = ServiceSpec { redirects, ..ServiceSpec::default() };
            let of_file = of_file.iter().map(ToString::to_string).collect();
            gives_up_redirect(&mut service, named, &of_file).map(|one| one.host)
        };
        let chain = [("a.org", "b.org"), ("b.org", "c.org"), ("c.org", "other.org")];
        assert_eq!(given_up(&chain, "a.org", &["a.org", "b.org"]), Some("b.org".into()), "the last");
        assert_eq!(given_up(&chain, "a.org", &["b.org"]), Some("b.org".into()));
        assert_eq!(given_up(&chain, "b.org", &["a.org"]), Some("b.org".into()), "it is not on the way");
        assert_eq!(given_up(&chain, "d.org", &["a.org"]), None);
        let below = [("*.w.org", "x.w.org"), ("x.w.org", "y.w.org")];
        assert_eq!(given_up(&below, "*.w.org", &["x.w.org"]), Some("x.w.org".into()));
    }

    #[test]
    fn a_host_that_is_not_free_is_given_up_everywhere() {
        let path = |prefix: &str| PathRoute { host: "a.org".into(), prefix: prefix.into(), strip: false };
        let mut service = ServiceSpec {
            hosts: vec!["a.org".into(), "b.org".into()],
            redirects: vec![HostRedirect { host: "c.org".into(), to: "b.org".into(), status: 302 }],
            paths: vec![path("/x"), path("/y")],
            ..ServiceSpec::default()
        };
        assert!(!gives_up(&mut service, "d.org") && !gives_up(&mut service, "a.org/z"));
        for taken in ["a.org", "c.org", "a.org/x"] {
            assert!(gives_up(&mut service, taken), "{taken}");
        }
        assert_eq!(
            (service.hosts, service.redirects, service.paths),
            (vec!["b.org".into()], vec![], vec![path("/y")])
        );
    }
}
