//! What people expect of a front door: said by command and in `paas.toml`, seen at the real proxy.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use paas_e2e::{Http, Https, Load, LoadPlan, Response, eventually};

use crate::support::{Blog, HEALED};

/// How often everything is changed under load, there and back.
const ROUNDS: usize = 4;

/// GET with these fields, on a connection of its own.
fn get(http: Http, host: &str, path: &str, fields: &[(&str, &str)]) -> Response {
    let mut connection = http.connect().expect("a connection");
    let fields: Vec<_> = fields.iter().copied().chain([("Connection", "close")]).collect();
    connection.send("GET", &http.host(host), path, &fields, b"").expect("an answer")
}

#[test]
fn what_paas_toml_says_comes_with_its_push_and_a_command_wins_at_once() {
    let blog = Blog::deployed();
    let (http, admin) = (blog.http(), &blog.admin);
    assert_eq!(http.post("blog", "/echo", &[b'x'; 4096]).status, 200);
    blog.repo.write("public/413.html", "<p>Too much for us</p>");
    blog.repo.write("paas.toml", "[http]\nmax_body = \"2k\"\n[pages]\n413 = \"public/413.html\"\n");
    blog.repo.push_version("2").ok();
    let large = |accept| {
        let mut connection = http.connect().expect("a connection");
        let fields = [("Accept", accept), ("Connection", "close")];
        connection.send("POST", &http.host("blog"), "/echo", &fields, &[b'x'; 4096]).expect("an answer")
    };
    let refused = large("text/html");
    assert_eq!((refused.status, refused.text().as_str()), (413, "<p>Too much for us</p>"));
    admin.ssh(&["http:set", "blog", "--max-body", "8k"]).ok();
    assert_eq!(large("text/html").status, 200);
    let settings = admin.ssh(&["apps:info", "blog"]).ok();
    settings.says("max_body = 8k (set by command)");
    admin.ssh(&["http:set", "blog", "--max-body", "0"]).fails_with(1).says("from 1k to 1t");
    admin.ssh(&["http:set", "blog", "--max-body", ""]).ok();
    assert_eq!(large("text/html").status, 413);
    // A page that is not in the commit is refused with its name, and nothing changes.
    blog.repo.write("paas.toml", "[pages]\n404 = \"public/404.html\"\n");
    blog.repo.commit_and_push("A page that is missing").fails().says("public/404.html");
    assert_eq!(large("text/html").status, 413);
    blog.server.assert_clean();
}

#[test]
fn paths_and_redirects_lead_where_a_command_says() {
    let blog = Blog::deployed();
    let (http, admin) = (blog.http(), &blog.admin);
    admin.app_repo("shop").push_version("shop").ok();
    admin.ssh(&["domains:add", "shop", "example.org"]).ok();
    admin.ssh(&["routes:add", "blog", "example.org/blog", "--strip"]).ok();
    admin.ssh(&["redirects:add", "shop", "www.example.org", "example.org", "--status", "301"]).ok();
    http.serves("example.org", "shop");
    assert_eq!(http.get("example.org", "/blog").text(), "version 1\n");
    // Whole segments only: byte for byte `/i` is the beginning of `/id` too, and both apps have that path.
    admin.ssh(&["routes:add", "blog", "example.org/i"]).ok();
    assert_eq!(http.get("example.org", "/id").json()["app"], "shop");
    admin.ssh(&["routes:add", "blog", "example.org/id"]).ok();
    assert_eq!(http.get("example.org", "/id").json()["app"], "blog");
    let led = http.get("www.example.org", "/a/b?c=d%20e");
    let location = led.header("location").expect("a place to go").to_owned();
    assert_eq!(led.status, 301);
    assert!(location.contains("://example.org") && location.ends_with("/a/b?c=d%20e"), "{location}");
    let bound = blog.server.colleague("bound", &["--app", "blog"]);
    bound.ssh(&["routes:add", "blog", "example.org/login"]).fails_with(1).says("another app");
    admin.ssh(&["routes:remove", "blog", "example.org/blog"]).ok();
    assert_eq!(http.get("example.org", "/blog").status, 404);
    assert_eq!(admin.ssh(&["redirects", "shop", "--json"]).ok().json()[0]["to"], "example.org");
}

#[test]
fn users_ranges_and_maintenance_keep_visitors_out_until_they_are_taken_back() {
    let blog = Blog::deployed();
    let (http, admin) = (blog.http(), &blog.admin);
    admin.ssh_with_input(&["auth:add", "blog", "ann"], b"correct horse\n").ok();
    assert_eq!(http.get("blog", "/").status, 401);
    // ann:correct horse
    let signed_in = [("Authorization", "Basic YW5uOmNvcnJlY3QgaG9yc2U=")];
    assert_eq!(get(http, "blog", "/", &signed_in).status, 200);
    assert_eq!(get(http, "blog", "/", &[("Authorization", "Basic YW5uOndyb25nIGhvcnNl")]).status, 401);
    assert!(!blog.server.control_log().contains("correct horse"));
    let made = admin.ssh(&["auth:add", "blog", "bob", "--generate"]).ok().stdout;
    assert!(made.starts_with("bob:"), "{made}");
    for user in ["ann", "bob"] {
        admin.ssh(&["auth:remove", "blog", user]).ok();
    }
    http.serves("blog", "1");

    admin.ssh(&["allow:add", "blog", "192.0.2.0/24"]).ok();
    assert_eq!(http.get("blog", "/").status, 403);
    admin.ssh(&["allow:add", "blog", "127.0.0.1"]).ok();
    http.serves("blog", "1");

    admin.ssh_with_input(&["maintenance:page", "blog", "-"], b"<p>Back at noon</p>").ok();
    admin.ssh(&["maintenance:page", "blog", "/etc/passwd"]).fails_with(2).says("standard input");
    admin.ssh(&["maintenance:on", "blog"]).ok();
    blog.repo.push_version("2").ok();
    let page = get(http, "blog", "/", &[("Accept", "text/html")]);
    assert_eq!((page.status, page.text().as_str()), (503, "<p>Back at noon</p>"));
    assert_eq!(admin.ssh(&["maintenance", "blog"]).ok().stdout, "on\n");
    admin.ssh(&["maintenance:off", "blog"]).ok();
    http.serves("blog", "2");
    blog.server.assert_clean();
}

#[test]
fn a_laptop_sends_its_own_file() {
    let blog = Blog::deployed();
    blog.repo.write("public/maintenance.html", "<p>From the laptop</p>");
    let paas = |args: &[&str]| blog.admin.paas(blog.repo.directory(), args);
    paas(&["maintenance:page", "public/maintenance.html"]).ok();
    paas(&["maintenance:page", "public/none.html"]).fails_with(1).says("public/none.html");
    paas(&["maintenance:on"]).ok();
    assert_eq!(get(blog.http(), "blog", "/", &[("Accept", "text/html")]).text(), "<p>From the laptop</p>");
}

/// A certificate of a host that nobody has signed but itself, and its key, as PEM.
fn self_signed(host: &str) -> (String, String) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate =
        rcgen::CertificateParams::new([host.to_owned()]).and_then(|params| params.self_signed(&key));
    (certificate.expect("a certificate").pem(), key.serialize_pem())
}

/// Asks on a new TLS connection each time; gives how often, and what was no answer of the app.
fn shake_hands(https: &Https, stop: &AtomicBool) -> (usize, Vec<String>) {
    let (mut count, mut failed) = (0, Vec::new());
    while !stop.load(Ordering::Relaxed) {
        count += 1;
        match https.get("blog.paas.localhost", "/") {
            Ok(answer) if (answer.status, answer.text.as_str()) == (200, "version 1\n") => {}
            other => failed.push(format!("{other:?}")),
        }
    }
    (count, failed)
}

#[test]
fn no_change_at_the_front_door_costs_a_request() {
    let blog = Blog::deployed();
    let admin = &blog.admin;
    let added = [(); 2].map(|()| self_signed("blog.paas.localhost"));
    // With a certificate that was added plain HTTP is led to HTTPS.
    admin.ssh(&["https:set", "blog", "--redirect", "off"]).ok();
    blog.https();
    let roots = admin.ssh(&["certs:ca"]).ok().stdout + &added[0].0 + &added[1].0;
    let https = blog.server.https(&roots);
    let plan = LoadPlan { http2: Some(https.clone()), ..LoadPlan::default() };
    let load = Load::start_as(blog.http(), "blog", &plan);
    load.wait_for_more(200);
    let stop = Arc::<AtomicBool>::default();
    let shaking = {
        let stop = Arc::clone(&stop);
        thread::spawn(move || shake_hands(&https, &stop))
    };
    let change = |args: &[&str]| {
        admin.ssh(args).ok();
        load.wait_for_more(20);
    };
    for round in 0..ROUNDS {
        let settings = [["on", "1m", "json"], ["off", "", "combined"]];
        let [on, max_body, format] = settings[round % 2];
        change(&["http:set", "blog", "--compression", on, "--sticky", on, "--server-timing", on]);
        change(&["http:set", "blog", "--buffer-requests", on, "--max-body", max_body]);
        change(&["access-log:set", "blog", "--format", format]);
        change(&["domains:add", "blog", "www.example.org"]);
        change(&["routes:add", "blog", "blog.paas.localhost/api", "--strip"]);
        change(&["redirects:add", "blog", "old.example.org", "www.example.org"]);
        change(&["allow:add", "blog", "127.0.0.0/8"]);
        change(&["proxies:add", "blog", "192.0.2.1"]);
        change(&["certs:renew", "blog", "--anew"]);

        let (certificate, key) = &added[round % 2];
        let alone = blog.server.https(certificate);
        let answer = || alone.get("blog.paas.localhost", "/");
        admin.ssh_with_input(&["certs:add", "blog"], format!("{certificate}{key}").as_bytes()).ok();
        eventually("the certificate that was added is shown", HEALED, answer);
        load.wait_for_more(20);
        change(&["certs:remove", "blog"]);
        // Who trusts the added one alone does not accept ours. A connection that fails is something else.
        eventually("our own certificate is shown again", HEALED, || match answer() {
            Err(error) if error.starts_with("curl: (60)") => Ok(()),
            other => Err(format!("{other:?}")),
        });

        change(&["proxies:remove", "blog", "192.0.2.1"]);
        change(&["allow:remove", "blog", "127.0.0.0/8"]);
        change(&["redirects:remove", "blog", "old.example.org"]);
        change(&["routes:remove", "blog", "blog.paas.localhost/api"]);
        change(&["domains:remove", "blog", "www.example.org"]);
    }
    stop.store(true, Ordering::Relaxed);
    let (handshakes, failed) = shaking.join().expect("a visitor");
    load.stop().assert_none_failed(2_000);
    println!("{handshakes} handshakes");
    assert!(handshakes >= 100, "{handshakes} handshakes");
    assert!(failed.is_empty(), "{failed:?}");
    blog.server.assert_clean();
}
