//! Named volumes.

use crate::support::Blog;

fn mounted() -> Blog {
    let blog = Blog::deployed();
    blog.admin.ssh(&["storage:create", "data"]).ok();
    blog.admin.ssh(&["storage:mount", "blog", "data:/data"]).ok();
    assert_eq!(blog.http().get("blog", "/write?name=note&text=kept").status, 200);
    blog
}

fn note(blog: &Blog, app: &str) -> String {
    blog.http().get(app, "/read?name=note").text()
}

#[test]
fn a_volume_outlives_deploys_restarts_and_config_changes() {
    let blog = mounted();
    blog.repo.push_version("2").ok();
    assert_eq!(note(&blog, "blog"), "kept");
    blog.admin.ssh(&["ps:restart", "blog"]).ok();
    assert_eq!(note(&blog, "blog"), "kept");
    blog.admin.ssh(&["config:set", "blog", "A=1"]).ok();
    assert_eq!(note(&blog, "blog"), "kept");
    blog.admin.ssh(&["ps:stop", "blog"]).ok();
    blog.admin.ssh(&["ps:start", "blog"]).ok();
    assert_eq!(note(&blog, "blog"), "kept");
    blog.server.assert_clean();
}

#[test]
fn a_volume_outlives_its_app_and_a_new_app_finds_it() {
    let blog = mounted();
    blog.admin.ssh(&["apps:destroy", "blog", "--force"]).ok();
    assert_eq!(blog.server.engine().volumes(blog.server.instance()), ["paas-data"]);
    blog.repo.push().ok();
    blog.admin.ssh(&["storage:mount", "blog", "data:/data"]).ok();
    assert_eq!(note(&blog, "blog"), "kept");
}

#[test]
fn a_volume_goes_with_its_app_only_when_asked() {
    let blog = mounted();
    blog.admin.ssh(&["apps:destroy", "blog", "--force", "--volumes"]).ok();
    assert!(blog.server.engine().volumes(blog.server.instance()).is_empty());
}

#[test]
fn two_apps_share_a_volume() {
    let blog = mounted();
    blog.admin.app_repo("shop").push().ok();
    blog.admin.ssh(&["storage:mount", "shop", "data:/data"]).ok();
    assert_eq!(note(&blog, "shop"), "kept");
    blog.http().get("shop", "/write?name=note&text=changed");
    assert_eq!(note(&blog, "blog"), "changed");

    blog.admin.ssh(&["apps:destroy", "shop", "--force", "--volumes"]).ok();
    assert_eq!(note(&blog, "blog"), "changed", "a volume that another app mounts stays");
}

#[test]
fn unmounting_takes_the_path_away_and_keeps_the_data() {
    let blog = mounted();
    blog.admin.ssh(&["storage:list"]).ok().says("data");
    blog.admin.ssh(&["storage:unmount", "blog", "data:/data"]).ok();
    assert_eq!(blog.http().get("blog", "/read?name=note").status, 404);
    blog.admin.ssh(&["storage:mount", "blog", "data:/data"]).ok();
    assert_eq!(note(&blog, "blog"), "kept");
}

#[test]
fn bad_mounts_are_refused() {
    let blog = mounted();
    for mount in ["data:relative", "data", ":/data", "data:", "data:/data/../etc", "data:/", "da ta:/x"] {
        let ran = blog.admin.ssh(&["storage:mount", "blog", mount]);
        assert!(matches!(ran.code, Some(1 | 2)), "{mount:?}: {ran}");
    }
    blog.admin.ssh(&["storage:create", "other"]).ok();
    blog.admin.ssh(&["storage:mount", "blog", "other:/data"]).fails_with(1).says("/data");
    blog.admin.ssh(&["storage:create", "data"]).fails_with(1).says("data");
    assert_eq!(note(&blog, "blog"), "kept");
}
