//! What a deploy makes of a proxy that refuses, on the fake engine.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use paas_domain::{Hostname, Outcome, Redirect, RedirectStatus, UserName};
use paas_proxy::{Refusal, RefusalKind};
use paas_store::Setting;
use support::{Control, Server, name};

const ONE: &[(&str, &str)] = &[("Dockerfile", "FROM scratch\nCMD [\"/one\"]\n")];
const TWO: &[(&str, &str)] = &[("Dockerfile", "FROM scratch\nCMD [\"/two\"]\n")];

fn host(text: &str) -> Hostname {
    Hostname::new(text).unwrap()
}

/// A server on which version 1 serves.
fn deployed() -> (Server, Control) {
    let server = Server::new();
    let control = server.control();
    let told = control.push(&server, &server.commit(ONE));
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    control.settle();
    (server, control)
}

#[test]
fn what_the_proxy_would_refuse_fails_the_deploy_before_the_switch() {
    let (server, control) = deployed();
    let app = control.app().id;
    control.store.set_user(app, &UserName::new("ann").unwrap(), "no hash").unwrap();
    let told = control.push(&server, &server.commit(TWO));
    assert_eq!(told.outcome(), Outcome::Failed);
    for part in ["would not serve the new version", "user ann", "and deploy again"] {
        assert!(told.text().contains(part), "{part} in {}", told.text());
    }
    assert_eq!(control.service(&server).targets[0].id, "paas-blog-web-1-v1");
    control.store.remove_user(app, &UserName::new("ann").unwrap()).unwrap();
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(1));
}

#[test]
fn a_deploy_that_the_proxy_refuses_after_the_switch_is_not_done_until_it_is_taken() {
    let (server, control) = deployed();
    let message = "this proxy knows no such thing".to_owned();
    server.proxy.refuse(Some(Refusal { kind: RefusalKind::Invalid, message }));
    let told = control.push(&server, &server.commit(TWO));
    assert_eq!(told.outcome(), Outcome::Failed);
    for part in
        ["does not serve the new version", "knows no such thing", "until then nothing changes for visitors"]
    {
        assert!(told.text().contains(part), "{part} in {}", told.text());
    }
    assert!(!told.text().contains("Switched"), "{}", told.text());
    let row = || control.store.list_deploys(control.app().id, 1).unwrap().remove(0);
    assert!(row().state.has_switched() && !row().state.has_ended(), "{:?}", row());
    assert_eq!(control.service(&server).targets[0].id, "paas-blog-web-1-v1");
    assert!(server.engine.container("paas-blog-web-1-v1").is_some(), "it serves, so it stays");

    server.proxy.refuse(None);
    let _ = control.block_on(control.deployer.reconcile());
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(2));
}

#[test]
fn a_push_says_what_of_the_file_a_command_overrules() {
    let (server, control) = deployed();
    let push = |command: &str| {
        let dockerfile = format!("FROM scratch\nCMD [\"{command}\"]\n");
        let manifest = "[http]\nmaintenance = true\n[deploy]\ncanary = 10\n";
        let told =
            control.push(&server, &server.commit(&[("Dockerfile", &dockerfile), ("paas.toml", manifest)]));
        assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
        control.settle();
        told.text()
    };
    let told = push("/two");
    assert!(!told.contains("not in force"), "{told}");
    control.set(Setting::Maintenance, "off");
    control.set(Setting::CanaryShare, "25");
    let told = push("/three");
    for part in [
        "`maintenance = true` in paas.toml is not in force: a command says off; `paas http:set blog --maintenance ''`",
        "`canary = 10` in paas.toml is not in force: a command says 25; `paas releases:canary blog ''`",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn a_hostname_that_is_redirected_is_no_url_of_the_app() {
    let (server, control) = deployed();
    let app = control.app();
    assert_eq!(control.deployer.urls(&app), ["http://blog.example.org"]);
    control.store.add_domain(app.id, &host("test.org"), |_| true).unwrap();
    let away =
        Redirect { host: host("blog.example.org"), to: host("test.org"), status: RedirectStatus::Permanent };
    control.store.add_redirect(app.id, &away, |_| true).unwrap();
    assert_eq!(control.deployer.urls(&app), ["http://test.org"]);
    let told = control.push(&server, &server.commit(TWO));
    assert!(
        told.text().contains("http://test.org") && !told.text().contains("http://blog."),
        "{}",
        told.text()
    );
}

#[test]
fn what_a_file_says_of_a_foreign_hostname_is_told_and_not_in_force() {
    let (server, control) = deployed();
    control.store.add_domain(control.app().id, &host("test.org"), |_| true).unwrap();
    let manifest = "[[redirects]]\nhost = 'blog.example.org'\nto = 'test.org'\n\
        [[redirects]]\nhost = 'bank.test'\nto = 'test.org'\nstatus = 302\n\
        [[routes]]\npath = '/api'\nstrip = true\n[[routes]]\nhost = 'bank.test'\npath = '/login'\n";
    let told = control.push(&server, &server.commit(&[ONE[0], ("paas.toml", manifest)]));
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    for part in [
        "the redirect from bank.test to test.org in paas.toml is not in force",
        "`paas domains:add blog bank.test`",
        "`paas routes:add blog bank.test/login`",
        "http://test.org",
    ] {
        assert!(told.text().contains(part), "{part} in {}", told.text());
    }
    control.settle();
    let service = control.service(&server);
    assert_eq!(service.hosts, ["test.org"]);
    let redirects: Vec<_> = service.redirects.iter().map(|one| (one.host.as_str(), one.status)).collect();
    assert_eq!(redirects, [("blog.example.org", 308)]);
    let paths: Vec<_> = service.paths.iter().map(|one| (one.host.as_str(), one.prefix.as_str())).collect();
    assert_eq!(paths, [("test.org", "/api")]);
    // The name is given by a command, and what the file says of it comes with it.
    control.store.add_domain(control.app().id, &host("bank.test"), |_| true).unwrap();
    control.block_on(control.deployer.apply_routes(control.app().id)).unwrap();
    let service = control.service(&server);
    assert_eq!((service.redirects.len(), service.paths.len()), (2, 2));
}

#[test]
fn a_file_takes_no_path_of_its_own_name_from_the_app_that_has_it() {
    let (server, control) = deployed();
    let shop = control.store.create_app(&name("shop"), "example.org").unwrap().id;
    // The server's domain was another when shop got it.
    control.store.add_domain(shop, &host("blog.example.org"), |_| true).unwrap();
    assert_eq!(control.store.host_owner(&host("blog.example.org")).unwrap(), Some(shop));
    let manifest = "[[routes]]\npath = '/login'\n";
    let told = control.push(&server, &server.commit(&[ONE[0], ("paas.toml", manifest)]));
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    assert_eq!(control.service(&server).paths, []);
    control.store.remove_domain(shop, &host("blog.example.org"), |_| true).unwrap();
    control.block_on(control.deployer.apply_routes(control.app().id)).unwrap();
    assert_eq!(control.service(&server).paths.len(), 1);
}

#[test]
fn a_redirect_of_the_file_is_given_up_before_a_commands_and_its_hostname_serves() {
    let (server, control) = deployed();
    let app = control.app().id;
    for name in ["e.test", "x.wild.test"] {
        control.store.add_domain(app, &host(name), |_| true).unwrap();
    }
    let add = |from: &str, to: &str| {
        let redirect = Redirect { host: host(from), to: host(to), status: RedirectStatus::Permanent };
        control.store.add_redirect(app, &redirect, |_| true).unwrap();
    };
    // With the file's the eleventh in a row.
    (0..10).for_each(|n| add(&format!("d{n}.test"), &format!("d{}.test", n + 1)));
    add("d9.test", "e.test");
    // By way of a wildcard.
    add("*.wild.test", "x.wild.test");
    let manifest: String = [("e.test", "far.test"), ("x.wild.test", "y.wild.test")]
        .map(|(from, to)| format!("[[redirects]]\nhost = '{from}'\nto = '{to}'\n"))
        .concat();
    let told = control.push(&server, &server.commit(&[ONE[0], ("paas.toml", &manifest)]));
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    control.settle();
    let service = control.service(&server);
    assert_eq!(service.hosts.len(), 3, "{:?}", service.hosts);
    for name in ["e.test", "x.wild.test"] {
        assert!(service.hosts.iter().any(|host| host == name), "{name} in {:?}", service.hosts);
        let part = format!("the redirect from {name} to ");
        let line = told.text().lines().find(|line| line.contains(&part)).map(str::to_owned);
        assert!(line.is_some_and(|line| line.contains("in paas.toml is not in force")), "{}", told.text());
    }
    assert!(!told.text().contains("not every hostname"), "{}", told.text());
    assert_eq!(service.redirects.len(), 11, "a command's stay: {:?}", service.redirects);
}

#[test]
fn the_proxy_is_listed_once_for_all_apps() {
    let server = Server::new();
    for app in ["shop", "wiki", "news"] {
        server.control_at_rest(None).store.create_app(&name(app), "example.org").unwrap();
    }
    let control = server.control_at_rest(None);
    control.block_on(control.deployer.reconcile()).unwrap();
    assert_eq!(server.proxy.listings(), 1);
}

#[test]
fn a_redirect_whose_end_is_gone_keeps_no_deploy_from_serving() {
    let (server, control) = deployed();
    let (blog, shop) = (control.app().id, control.store.create_app(&name("shop"), "example.org").unwrap().id);
    control.store.add_domain(shop, &host("www.test.org"), |_| true).unwrap();
    let redirect =
        Redirect { host: host("*.test.org"), to: host("www.test.org"), status: RedirectStatus::Permanent };
    control.store.add_redirect(blog, &redirect, |_| true).unwrap();
    control.store.remove_domain(shop, &redirect.to, |_| false).unwrap();
    let told = control.push(&server, &server.commit(TWO));
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    assert!(told.text().contains("the redirect from *.test.org to www.test.org"), "{}", told.text());
    let service = control.service(&server);
    assert_eq!((service.targets[0].id.as_str(), service.redirects.len()), ("paas-blog-web-1-v2", 0));
}

#[test]
fn the_log_says_once_what_the_proxy_refuses_and_again_when_it_changes() {
    let (server, control) = deployed();
    control.kill();
    let control = server.control_at_rest(None);
    let warnings = Warnings::default();
    let _guard = tracing::subscriber::set_default(warnings.clone());
    let (blog, shop) = (control.app().id, control.store.create_app(&name("shop"), "example.org").unwrap().id);
    let redirect = |domain: &str| {
        let (from, to) = (host(&format!("*.{domain}")), host(&format!("www.{domain}")));
        control.store.add_domain(shop, &to, |_| true).unwrap();
        let redirect = Redirect { host: from, to, status: RedirectStatus::Permanent };
        control.store.add_redirect(blog, &redirect, |_| true).unwrap();
        redirect
    };
    let rounds = || control.block_on(rounds(&control, &server));

    let first = redirect("one.test");
    rounds();
    assert_eq!(warnings.take(), ["*.one.test"]);
    redirect("two.test");
    rounds();
    assert_eq!(warnings.take(), ["*.two.test"], "the other was told");
    control.store.remove_redirect(blog, &first.host).unwrap();
    rounds();
    assert_eq!(warnings.take(), Vec::<String>::new());
    control.store.add_redirect(blog, &first, |_| true).unwrap();
    rounds();
    assert_eq!(warnings.take(), ["*.one.test"], "it is news again");

    // All of the service: of the app, and of the round, each once.
    for message in ["this proxy knows no such thing", "nor such a one"] {
        server.proxy.refuse(Some(Refusal { kind: RefusalKind::Invalid, message: message.to_owned() }));
        rounds();
        assert_eq!(warnings.take(), [message, message]);
    }
}

/// Lets the reconciler look three times.
async fn rounds(control: &Control, server: &Server) {
    let looking = async {
        let began = server.proxy.listings();
        for round in 1..=3 {
            control.deployer.reconcile_soon();
            while server.proxy.listings() < began + round {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
        // The next listing is after the end of the third round.
        control.deployer.reconcile_soon();
        while server.proxy.listings() < began + 4 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = control.deployer.run() => {}
        () = looking => {}
    }
}

/// What is warned of on this thread: of each warning what it is about.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    fn take(&self) -> Vec<String> {
        let about = ["*.one.test", "*.two.test", "this proxy knows no such thing", "nor such a one"];
        let warnings = std::mem::take(&mut *self.0.lock().unwrap());
        let about = |text: &String| about.iter().find(|about| text.contains(*about)).map(ToString::to_string);
        warnings.iter().map(|text| about(text).unwrap_or_else(|| text.clone())).collect()
    }
}

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = String::new();
        event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            write!(text, "{field}={value:?} ").unwrap();
        });
        self.0.lock().unwrap().push(text);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
