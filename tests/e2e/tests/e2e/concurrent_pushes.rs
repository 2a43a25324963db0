//! Several pushes at once.

use std::time::Duration;

use paas_e2e::ServerOptions;

use crate::support::{Blog, HEALED};

const STARTED: Duration = Duration::from_mins(1);

#[test]
fn of_two_pushes_of_one_app_the_newest_wins() {
    let blog = Blog::deployed();
    blog.repo.use_busybox("RUN echo slow build; /bin/busybox sleep 20");
    blog.repo.set("version", "old").commit("The older push");
    let older = blog.repo.push_in_background();
    assert!(older.says_within("slow build", STARTED), "{}", older.printed());

    let newest = blog.admin.app_repo_in("second-tree", "blog");
    newest.git(&["fetch", "--quiet", "deploy", "main"]).ok();
    newest.git(&["reset", "--quiet", "--soft", "FETCH_HEAD"]).ok();
    newest.push_version("newest").ok();
    older.wait().fails().says_one_of(&["newer push", "superseded", "replaced"]);
    blog.http().serves("blog", "newest");
    assert_eq!(blog.repo.server_head(), Some(newest.head()));
    blog.server.assert_clean();
    assert_eq!(blog.server.running().len(), 1);
}

#[test]
fn pushes_of_two_apps_queue_for_the_build_and_both_arrive() {
    let blog = Blog::not_deployed(ServerOptions::default());
    blog.repo.use_busybox("RUN echo first build; /bin/busybox sleep 5");
    blog.repo.commit("Slow");
    let shop = blog.admin.app_repo("shop");
    let first = blog.repo.push_in_background();
    assert!(first.says_within("first build", STARTED), "{}", first.printed());
    let second = shop.push_in_background();
    second.wait().ok().says_one_of(&["1 build", "queue", "waiting"]);
    first.wait().ok();
    blog.http().serves("blog", "1");
    blog.http().serves("shop", "1");
    blog.server.assert_clean();
}

#[test]
fn ten_pushes_at_once_end_with_the_branch_that_runs() {
    let blog = Blog::deployed();
    let trees: Vec<_> = (0..10)
        .map(|number| {
            let tree = blog.admin.app_repo_in(&format!("tree-{number}"), "blog");
            tree.set("version", &format!("tree-{number}")).commit("Another history");
            tree
        })
        .collect();
    let pushes: Vec<_> =
        trees.iter().map(|tree| tree.in_background(&["push", "--force", "deploy", "main"])).collect();
    let succeeded =
        pushes.into_iter().map(paas_e2e::Background::wait).filter(|ran| ran.code == Some(0)).count();
    assert!(succeeded >= 1, "at least the last one deploys");
    blog.server.assert_clean();
    let head = blog.repo.server_head().unwrap();
    let winner =
        trees.iter().position(|tree| tree.head() == head).expect("the branch is one of the pushed commits");
    blog.http().serves_within("blog", &format!("tree-{winner}"), HEALED);
    assert_eq!(blog.environment()["PAAS_COMMIT"], head.as_str());
}
