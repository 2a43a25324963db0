//! Config vars: byte for byte, and a release each time.

use std::time::Duration;

use paas_e2e::ServerOptions;

use crate::support::Blog;

#[test]
fn a_value_reaches_the_app_by_a_new_release_and_goes_again() {
    let blog = Blog::deployed();
    blog.admin.ssh(&["config:set", "blog", "GREETING=hello", "EMPTY="]).ok();
    let environment = blog.environment();
    assert_eq!(environment["GREETING"], "hello");
    assert_eq!(environment["EMPTY"], "");
    assert_eq!(environment["PAAS_RELEASE"], "v2");
    assert_eq!(blog.admin.ssh(&["config:get", "blog", "GREETING"]).ok().stdout, "hello\n");
    let config = blog.admin.ssh(&["config", "blog", "--json"]).ok().json();
    assert_eq!(
        config["GREETING"].as_str().or(config["config"]["GREETING"].as_str()),
        Some("hello"),
        "{config}"
    );

    blog.admin.ssh(&["config:unset", "blog", "GREETING"]).ok();
    assert!(blog.environment()["GREETING"].is_null());
    blog.admin.ssh(&["config:get", "blog", "GREETING"]).fails_with(1).says("GREETING");
    blog.server.assert_clean();
}

#[test]
fn no_restart_waits_for_the_next_one() {
    let blog = Blog::deployed();
    blog.admin.ssh(&["config:set", "blog", "LATER=1", "--no-restart"]).ok();
    assert!(blog.environment()["LATER"].is_null());
    assert_eq!(blog.server.running(), ["paas-blog-web-1-v1"]);
    blog.admin.ssh(&["ps:restart", "blog"]).ok();
    assert_eq!(blog.environment()["LATER"], "1");
}

#[test]
fn values_set_before_the_first_push_are_there_at_the_first_start() {
    let blog = Blog::not_deployed(ServerOptions::default());
    blog.admin.ssh(&["apps:create", "blog"]).ok();
    blog.admin.ssh(&["config:set", "blog", "EARLY=bird"]).ok();
    blog.repo.push().ok();
    assert_eq!(blog.environment()["EARLY"], "bird");
}

#[test]
fn odd_values_arrive_byte_for_byte() {
    let blog = Blog::deployed();
    let values = [
        ("QUOTES", "it's \"quoted\" `back` \\ slash"),
        ("DOLLAR", "$HOME ${PATH} $(reboot) %s !"),
        ("UNICODE", "žluťoučký 🐎"),
        ("SPACES", "  leading and trailing  "),
        ("EQUALS", "a=b=c="),
        ("HASH", "# not a comment"),
    ];
    let pairs: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut line = vec!["config:set", "blog"];
    line.extend(pairs.iter().map(String::as_str));
    blog.admin.ssh(&line).ok();
    let environment = blog.environment();
    for (name, value) in values {
        assert_eq!(environment[name], value, "{name}");
        assert_eq!(blog.admin.ssh(&["config:get", "blog", name]).ok().stdout, format!("{value}\n"), "{name}");
    }
}

#[test]
fn a_value_of_several_lines_arrives_byte_for_byte() {
    let blog = Blog::deployed();
    let value = "-----BEGIN KEY-----\nfirst \"quoted\"\n\n  indented $HOME\n-----END KEY-----\n";
    blog.server.paas(&["config:set", "blog", &format!("PEM={value}")]).ok();
    assert_eq!(blog.environment()["PEM"], value);
    assert_eq!(blog.admin.ssh(&["config:get", "blog", "PEM"]).ok().stdout, format!("{value}\n"));
}

#[test]
fn a_value_of_64_kib_fits_and_comes_from_standard_input() {
    let blog = Blog::deployed();
    let value: String =
        (0..64 * 1024).map(|number| char::from(b'a' + u8::try_from(number % 26).unwrap())).collect();
    let ran = blog.admin.ssh_with_input(&["config:set", "blog"], format!("BIG={value}\n").as_bytes()).ok();
    assert!(ran.took < Duration::from_secs(30), "a long value makes everything slow: {:?}", ran.took);
    assert_eq!(blog.environment()["BIG"], value.as_str());
}

#[test]
fn an_env_file_is_imported() {
    let blog = Blog::deployed();
    let file = "# settings\nPLAIN=one\nexport EXPORTED=two\nSINGLE='a $b \"c\"'\nDOUBLE=\"line\\nnext\"\nMULTI='first\nsecond'\n\n";
    blog.admin.ssh_with_input(&["config:import", "blog"], file.as_bytes()).ok();
    let environment = blog.environment();
    assert_eq!(environment["PLAIN"], "one");
    assert_eq!(environment["EXPORTED"], "two");
    assert_eq!(environment["SINGLE"], "a $b \"c\"");
    assert_eq!(environment["DOUBLE"], "line\nnext");
    assert_eq!(environment["MULTI"], "first\nsecond");
    assert_eq!(environment["PAAS_RELEASE"], "v2", "one release for the whole file");
}

#[test]
fn a_bad_key_is_refused_and_changes_nothing() {
    let blog = Blog::deployed();
    for pair in ["1A=x", "A-B=x", "=x", "A B=x", "novalue", "PAAS_RELEASE=x", "PORT=abc"] {
        let ran = blog.admin.ssh(&["config:set", "blog", "GOOD=1", pair]);
        assert!(matches!(ran.code, Some(1 | 2)), "{pair:?}: {ran}");
    }
    assert!(blog.environment()["GOOD"].is_null());
    assert_eq!(blog.server.running(), ["paas-blog-web-1-v1"]);
}

#[test]
fn a_value_that_breaks_the_app_is_refused_by_the_deploy_and_the_old_release_serves() {
    let blog = Blog::deployed();
    blog.admin.ssh(&["config:set", "blog", "APP_EXIT_AT_ONCE=9"]).fails_with(1);
    blog.http().serves("blog", "1");
    assert_eq!(blog.server.running(), ["paas-blog-web-1-v1"]);
    blog.server.assert_clean();
}
