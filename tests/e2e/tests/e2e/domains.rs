//! Domains of an app beside its own name.

use crate::support::Blog;

#[test]
fn a_domain_leads_to_the_app_until_it_is_removed() {
    let blog = Blog::deployed();
    let (http, admin) = (blog.http(), &blog.admin);
    assert_eq!(http.get("www.example.org", "/").status, 404);
    admin.ssh(&["domains:add", "blog", "www.example.org"]).ok();
    http.serves("www.example.org", "1");
    admin.ssh(&["domains", "blog"]).ok().says("www.example.org");
    assert!(admin.ssh(&["domains", "blog", "--json"]).ok().json().to_string().contains("www.example.org"));
    blog.repo.push_version("2").ok();
    http.serves("www.example.org", "2");
    admin.ssh(&["domains:remove", "blog", "www.example.org"]).ok();
    assert_eq!(http.get("www.example.org", "/").status, 404);
    http.serves("blog", "2");
}

#[test]
fn a_wildcard_leads_every_name_below_it_to_the_app_and_an_exact_name_wins() {
    let blog = Blog::deployed();
    blog.admin.app_repo("shop").push_version("shop").ok();
    blog.admin.ssh(&["domains:add", "blog", "*.example.org"]).ok();
    blog.admin.ssh(&["domains:add", "shop", "shop.example.org"]).ok();
    blog.http().serves("any.example.org", "1");
    blog.http().serves("shop.example.org", "shop");
    assert_eq!(blog.http().get("example.org", "/").status, 404);
}

#[test]
fn a_domain_of_another_app_is_refused() {
    let blog = Blog::deployed();
    blog.admin.ssh(&["apps:create", "shop"]).ok();
    blog.admin.ssh(&["domains:add", "blog", "www.example.org"]).ok();
    blog.admin.ssh(&["domains:add", "shop", "WWW.example.org"]).fails_with(1).says("www.example.org");
    blog.admin.ssh(&["domains:add", "shop", "blog.paas.localhost"]).fails_with(1);
    blog.http().serves("www.example.org", "1");
    blog.http().serves("blog", "1");
}

#[test]
fn what_is_no_hostname_is_refused() {
    let blog = Blog::deployed();
    for host in ["not a host", "http://example.org", "-x.example.org", "a..b", "exa_mple.org/", "*", ""] {
        let ran = blog.admin.ssh(&["domains:add", "blog", host]);
        assert!(matches!(ran.code, Some(1 | 2)), "{host:?}: {ran}");
    }
    blog.admin.ssh(&["domains:remove", "blog", "www.example.org"]).fails_with(1).says("www.example.org");
}
