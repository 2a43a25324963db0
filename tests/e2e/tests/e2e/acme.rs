//! The whole installation with a real ACME authority: a push, a domain, a `kill -9`.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use paas_acme_testkit::{Fault, Pebble, Shim, Step};
use paas_e2e::{AcmeOptions, Https, ServerOptions, eventually, is_whole, program};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::Blog;

const SOON: Duration = Duration::from_mins(1);
/// A crash is a failed try, and after one the next is a minute later.
const AFTER_A_CRASH: Duration = Duration::from_mins(2);
const DOMAIN: &str = "apps.example.org";
const BLOG: &str = "blog.apps.example.org";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A Pebble that finds every name of the test here, and what makes a server use it.
struct Authority {
    runtime: Runtime,
    pebble: Pebble,
    shim: Shim,
    directory: TempDir,
}

impl Authority {
    fn start(names: &[&str]) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let (pebble, shim) = runtime.block_on(async {
            let pebble = Pebble::start().await.expect("pebble is not installed: apt-get install pebble");
            let shim = Shim::start(&pebble).await;
            (pebble, shim)
        });
        for name in names {
            pebble.dns.point(name, HERE);
        }
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("root.pem"), pebble.root.pem()).expect("a file");
        Self { runtime, pebble, shim, directory }
    }

    fn options(&self) -> ServerOptions {
        let acme = AcmeOptions {
            directory: self.shim.directory_url(),
            root: self.directory.path().join("root.pem"),
            resolver: self.pebble.dns.address(),
            http_port: self.pebble.responder.http_port(),
            https_port: self.pebble.responder.tls_port(),
        };
        ServerOptions { domain: Some(DOMAIN.to_owned()), acme: Some(acme), ..ServerOptions::default() }
    }

    /// A client that trusts what Pebble signs, and nothing else.
    fn client(&self, blog: &Blog) -> Https {
        let fetched =
            program("curl").args(["--silent", "--insecure", &self.pebble.root_url()]).output().expect("curl");
        blog.server.https(&String::from_utf8(fetched.stdout).expect("PEM"))
    }
}

fn is_valid(blog: &Blog, host: &str) -> Result<(), String> {
    let names = blog.admin.ssh(&["domains", "blog", "--json"]).ok().json();
    let found = names.as_array().into_iter().flatten().find(|name| name["hostname"] == host);
    match found {
        Some(name) if name["certificate"]["state"] == "valid" => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn a_push_and_an_added_domain_answer_over_https_by_themselves() {
    let authority = Authority::start(&[DOMAIN, BLOG, "www.example.org"]);
    let blog = Blog::deployed_with_acme(authority.options());
    let https = authority.client(&blog);
    eventually("the app has a certificate", SOON, || is_valid(&blog, BLOG));
    let answer = https.get(BLOG, "/").expect("an answer over HTTPS");
    assert_eq!((answer.status, answer.text.as_str(), answer.version.as_str()), (200, "version 1\n", "2"));
    let plain = blog.http().get(BLOG, "/a/b?c=d%20e");
    let expected = format!("https://{BLOG}:{}/a/b?c=d%20e", blog.server.https_port());
    assert_eq!((plain.status, plain.header("location")), (308, Some(expected.as_str())));
    blog.admin.ssh(&["domains:add", "blog", "www.example.org"]).ok();
    eventually("the domain has a certificate", SOON, || is_valid(&blog, "www.example.org"));
    assert_eq!(https.get("www.example.org", "/").expect("an answer over HTTPS").status, 200);
    let orders = authority.shim.orders();
    let pushed = blog.repo.push_version("2").ok();
    let url = format!("https://{BLOG}:{}", blog.server.https_port());
    assert!(pushed.remote_lines().iter().any(|line| line.trim() == url), "{pushed}");
    assert_eq!(https.get(BLOG, "/").expect("an answer").text, "version 2\n");
    blog.admin.ssh(&["https:set", "blog", "--hsts-days", "180", "--redirect", "off"]).ok();
    blog.http().serves(BLOG, "2");
    // A name that leads elsewhere is not ordered, and the person is told in one sentence.
    blog.admin.ssh(&["domains:add", "blog", "nowhere.example.org"]).ok();
    eventually("the name is looked at", SOON, || {
        let told = blog.admin.ssh(&["domains", "blog"]).ok().stdout;
        let expected = "nowhere.example.org: nowhere.example.org does not exist in the DNS: add a record";
        if told.contains(expected) { Ok(()) } else { Err(told) }
    });
    assert_eq!(authority.shim.orders(), orders, "neither a deploy nor that name was ordered");
    blog.server.assert_clean();
}

#[test]
fn a_kill_of_control_in_the_middle_of_an_order_needs_nobody() {
    let authority = Authority::start(&[DOMAIN, BLOG]);
    let mut blog = Blog::not_deployed(authority.options());
    // The server's own name is being ordered since the start; the app's own is what is watched.
    eventually("the server's own name has its order", SOON, || {
        if authority.shim.requests(Step::Certificate) > 0 {
            Ok(())
        } else {
            Err("no certificate yet".to_owned())
        }
    });
    let before = authority.shim.orders();
    authority.shim.fail(Step::Finalize, Fault::HangAfter);
    blog.repo.push().ok();
    authority.runtime.block_on(authority.shim.until_one_hangs());
    blog.server.kill_and_restart_control();
    // By itself it goes on a minute later; the short run does not wait for that.
    if !is_whole() {
        blog.admin.ssh(&["certs:renew", "blog"]).ok();
    }
    eventually("the order is gone on with", AFTER_A_CRASH, || is_valid(&blog, BLOG));
    assert_eq!(authority.shim.orders(), before + 1, "it is the same order");
    assert_eq!(authority.client(&blog).get(BLOG, "/").expect("an answer").status, 200);
    blog.server.assert_clean();
}
