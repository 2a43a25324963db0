//! HTTPS on a server whose names no public authority signs.

use std::time::Duration;

use paas_e2e::eventually;

use crate::support::Blog;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn it_works_on_day_one_with_the_servers_own_authority() {
    let blog = Blog::deployed();
    let root = blog.admin.ssh(&["certs:ca"]).ok().stdout;
    let https = blog.server.https(&root);
    let get = |host: &str| https.get(host, "/");
    eventually("the app answers over HTTPS", SOON, || {
        let answer = get("blog.paas.localhost")?;
        if (answer.status, answer.text.as_str(), answer.version.as_str()) == (200, "version 1\n", "2") {
            Ok(())
        } else {
            Err(format!("{answer:?}"))
        }
    });
    // Visitors would see a warning, so nobody is sent there.
    blog.http().serves("blog", "1");
    blog.admin.ssh(&["domains:add", "blog", "www.example.test"]).ok();
    eventually("an added name answers over HTTPS", SOON, || get("www.example.test").map(|_| ()));
    let list = blog.admin.ssh(&["domains", "blog"]).ok();
    list.says("www.example.test").says("own").says("certs:ca");
    let json = blog.admin.ssh(&["domains", "blog", "--json"]).ok().json();
    assert_eq!(json[0]["certificate"]["state"], "own", "{json}");
    blog.admin.ssh(&["certs"]).ok().says("blog.paas.localhost").says("paas.localhost");
    blog.admin.ssh(&["domains:remove", "blog", "www.example.test"]).ok();
    eventually("the removed name has no certificate", SOON, || match get("www.example.test") {
        Ok(answer) => Err(format!("{answer:?}")),
        Err(_) => Ok(()),
    });
    blog.admin.ssh(&["letsencrypt:enable", "blog"]).ok().says("nothing to switch on");
    blog.server.assert_clean();
}

#[test]
fn the_app_sees_that_a_visitor_came_by_https() {
    let blog = Blog::deployed();
    let https = blog.server.https(&blog.admin.ssh(&["certs:ca"]).ok().stdout);
    eventually("the app answers over HTTPS", SOON, || {
        let seen = https.get("blog.paas.localhost", "/headers")?.text.to_lowercase();
        let port = format!("\"{}\"", blog.server.https_port());
        let expected =
            seen.contains("\"x-forwarded-proto\"") && seen.contains("\"https\"") && seen.contains(&port);
        if expected { Ok(()) } else { Err(seen) }
    });
}

#[test]
fn a_proxy_that_was_killed_serves_the_same_certificate() {
    let mut blog = Blog::deployed();
    let https = blog.server.https(&blog.admin.ssh(&["certs:ca"]).ok().stdout);
    eventually("the app answers over HTTPS", SOON, || https.get("blog.paas.localhost", "/").map(|_| ()));
    blog.server.control().kill();
    blog.server.proxy().kill();
    blog.server.start_proxy_alone();
    let answer = https.get("blog.paas.localhost", "/").expect("the certificate is on the proxy's own disk");
    assert_eq!((answer.status, answer.text.as_str()), (200, "version 1\n"));
    blog.server.start_control();
}
