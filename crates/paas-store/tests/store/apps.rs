use paas_domain::{AppId, DeployId};
use paas_store::{AddressPool, ErrorKind, SecretKey, Store, StoreError, Wanted};

use crate::support::{
    DOMAIN, Place, app_name, mount_path, new_deploy, process_type, refused, set, volume_name,
};

const DESTROYED: Wanted = Wanted::Destroyed { volumes: false };

#[test]
fn a_new_app_runs_nothing_and_is_found_by_name_and_id() {
    let place = Place::new();
    let app = place.app("blog");
    assert_eq!((app.wanted, app.release, app.active_deploy), (Wanted::Running, None, None));
    assert_eq!(app.subnet.cidr(), "10.208.0.0/24");
    assert_eq!(place.store.find_app(&app.name).unwrap().as_ref(), Some(&app));
    assert_eq!(place.store.get_app(&app.name).unwrap(), app);
    assert_eq!(place.again(&app), app);
    let place = place.reopen();
    assert_eq!(place.store.list_apps().unwrap(), [app]);
}

#[test]
fn what_is_absent_and_what_is_taken_is_told() {
    let place = Place::new();
    let app = place.app("blog");
    assert!(matches!(place.store.create_app(&app.name, DOMAIN), Err(StoreError::AppExists(_))));
    refused(place.store.create_app(&app.name, DOMAIN), ErrorKind::Conflict);
    assert_eq!(place.store.find_app(&app_name("shop")).unwrap(), None);
    assert!(matches!(place.store.get_app(&app_name("shop")), Err(StoreError::NoApp(_))));
    refused(place.store.get_app(&app_name("shop")), ErrorKind::NotFound);
    let absent = AppId(4711);
    refused(place.store.get_app_by_id(absent), ErrorKind::NotFound);
    refused(place.store.rename_app(absent, &app_name("shop"), DOMAIN), ErrorKind::NotFound);
    refused(place.store.set_wanted(absent, Wanted::Stopped), ErrorKind::NotFound);
    refused(place.store.set_wanted(absent, DESTROYED), ErrorKind::NotFound);
    refused(place.store.stop_app(absent), ErrorKind::NotFound);
    refused(place.store.delete_app(absent, DOMAIN), ErrorKind::NotFound);
    refused(place.store.create_deploy(new_deploy(absent)), ErrorKind::NotFound);
    refused(place.store.change_config(absent, &[set("A", "1")]), ErrorKind::NotFound);
    assert_eq!(place.store.list_apps().unwrap(), [app]);
}

#[test]
fn apps_are_listed_by_name_and_renamed() {
    let place = Place::new();
    let (shop, blog) = (place.app("shop"), place.app("blog"));
    refused(place.store.rename_app(blog.id, &shop.name, DOMAIN), ErrorKind::Conflict);
    place.store.rename_app(blog.id, &blog.name, DOMAIN).unwrap();
    place.store.rename_app(blog.id, &app_name("zoo"), DOMAIN).unwrap();
    let names: Vec<String> =
        place.store.list_apps().unwrap().iter().map(|app| app.name.to_string()).collect();
    assert_eq!(names, ["shop", "zoo"]);
    assert_eq!(place.store.find_app(&blog.name).unwrap(), None);
    let renamed = place.again(&blog);
    assert_eq!((renamed.id, renamed.subnet), (blog.id, blog.subnet), "a rename moves nothing");
    assert_ne!(place.app("blog").id, blog.id, "the old name is free");
}

#[test]
fn a_network_is_the_lowest_free_one() {
    let place = Place::new();
    let apps = ["a", "b", "c", "d"].map(|name| place.app(name));
    let network = |place: &Place, name| place.app(name).subnet.cidr();
    assert_eq!(apps[3].subnet.cidr(), "10.208.3.0/24");
    for gone in [&apps[0], &apps[2]] {
        place.store.set_wanted(gone.id, DESTROYED).unwrap();
        place.store.delete_app(gone.id, DOMAIN).unwrap();
    }
    assert_eq!(network(&place, "e"), "10.208.0.0/24");
    assert_eq!(network(&place, "f"), "10.208.2.0/24");
    assert_eq!(network(&place, "g"), "10.208.4.0/24");
}

#[test]
fn a_pool_runs_out_and_an_app_that_goes_gives_its_network_back() {
    let place = Place::with_pool("10.9.4.0/22");
    let apps: Vec<_> = ["a", "b", "c", "d"].into_iter().map(|name| place.app(name)).collect();
    assert_eq!(apps[3].subnet.cidr(), "10.9.7.0/24");
    let error = refused(place.store.create_app(&app_name("e"), DOMAIN), ErrorKind::Exhausted);
    assert!(error.to_string().contains("[network]"), "{error}");
    place.store.set_wanted(apps[1].id, DESTROYED).unwrap();
    refused(place.store.create_app(&app_name("e"), DOMAIN), ErrorKind::Exhausted);
    place.store.delete_app(apps[1].id, DOMAIN).unwrap();
    assert_eq!(place.app("e").subnet, apps[1].subnet);
}

#[test]
fn a_pool_made_smaller_is_said_to_be_the_reason() {
    let place = Place::with_pool("10.9.4.0/22");
    for name in ["a", "b", "c"] {
        place.app(name);
    }
    let key = SecretKey::load(&place.dir().join("secret.key")).unwrap();
    let smaller = Store::open(&place.database(), key, AddressPool::parse("10.9.4.0/23").unwrap()).unwrap();
    assert!(smaller.get_app(&app_name("b")).is_ok());
    let error = refused(smaller.get_app(&app_name("c")), ErrorKind::Internal);
    assert!(error.to_string().contains("pool"), "{error}");
}

#[test]
fn stopping_leaves_the_release_and_ends_the_active_deploy() {
    let place = Place::new();
    let app = place.app("blog");
    let release = place.push(&app, "sha256:a");
    place.store.stop_app(app.id).unwrap();
    let stopped = place.again(&app);
    assert_eq!(
        (stopped.wanted, stopped.release, stopped.active_deploy),
        (Wanted::Stopped, Some(release.id), None)
    );
    place.store.set_wanted(app.id, Wanted::Running).unwrap();
    assert_eq!(place.again(&app).wanted, Wanted::Running);
}

#[test]
fn an_app_that_is_being_destroyed_cannot_be_had_back() {
    let place = Place::new();
    let app = place.app("blog");
    let deploy = place.deploy(&app);
    place.release(deploy, "sha256:a");
    let wanted = Wanted::Destroyed { volumes: true };
    place.store.set_wanted(app.id, wanted).unwrap();
    refused(place.store.set_wanted(app.id, Wanted::Running), ErrorKind::Conflict);
    refused(place.store.stop_app(app.id), ErrorKind::Conflict);
    refused(place.store.create_deploy(new_deploy(app.id)), ErrorKind::Conflict);
    // A deploy that was on its way may still complete; the app goes all the same.
    place.finish(deploy);
    assert_eq!(place.again(&app).wanted, wanted);
    assert_eq!(place.again(&app).active_deploy, Some(deploy));
    place.store.set_wanted(app.id, DESTROYED).unwrap();
    assert_eq!(place.again(&app).wanted, DESTROYED);
}

#[test]
fn an_app_is_deleted_only_when_destroyed_and_without_containers() {
    let place = Place::new();
    let app = place.app("blog");
    let deploy = place.deploy(&app);
    place.release(deploy, "sha256:a");
    let rows = place.store.plan_containers(deploy, &[(process_type("web"), 2)]).unwrap();
    place.finish(deploy);
    for wanted in [Wanted::Running, Wanted::Stopped] {
        place.store.set_wanted(app.id, wanted).unwrap();
        refused(place.store.delete_app(app.id, DOMAIN), ErrorKind::Internal);
    }
    place.store.set_wanted(app.id, DESTROYED).unwrap();
    refused(place.store.delete_app(app.id, DOMAIN), ErrorKind::Internal);
    place.store.delete_container(rows[0].id).unwrap();
    refused(place.store.delete_app(app.id, DOMAIN), ErrorKind::Internal);
    assert_eq!(place.again(&app).active_deploy, Some(deploy), "a refusal changes nothing");
    place.store.delete_container(rows[1].id).unwrap();
    place.store.delete_app(app.id, DOMAIN).unwrap();
    refused(place.store.get_app_by_id(app.id), ErrorKind::NotFound);
    assert_eq!(place.store.find_deploy(deploy).unwrap(), None);
}

/// Everything an app can have; nothing of it stays, and nothing of another app goes.
#[test]
fn a_deleted_app_leaves_no_row_behind() {
    let place = Place::new();
    let fill = |name: &str| {
        let app = place.app(name);
        let (store, volume) = (&place.store, volume_name(name));
        store.change_config(app.id, &[set("A", "1")]).unwrap();
        store.change_settings(app.id, &[(paas_store::Setting::HealthPath, Some("/ok".into()))]).unwrap();
        store.set_scale(app.id, &[(process_type("web"), 2)].into()).unwrap();
        store
            .add_domain(app.id, &paas_domain::Hostname::new(&format!("{name}.example.com")).unwrap(), |_| {
                false
            })
            .unwrap();
        store.create_volume(&volume).unwrap();
        store.mount(app.id, &volume, &mount_path("/data")).unwrap();
        place.push(&app, "sha256:a");
        place.push(&app, "sha256:b");
        app
    };
    let (blog, shop) = (fill("blog"), fill("shop"));
    let tables = ["settings", "config_vars", "domains", "mounts", "scale", "deploys", "releases"];
    let count = |table: &str, app: AppId| -> i64 {
        let sql = format!("SELECT count(*) FROM {table} WHERE app_id = ?1");
        place.raw().query_row(&sql, [app.0], |row| row.get(0)).unwrap()
    };
    let before = tables.map(|table| count(table, shop.id));
    assert!(before.iter().all(|rows| *rows > 0));
    place.store.set_wanted(blog.id, DESTROYED).unwrap();
    place.store.delete_app(blog.id, DOMAIN).unwrap();
    assert_eq!(tables.map(|table| count(table, blog.id)), [0; 7]);
    assert_eq!(tables.map(|table| count(table, shop.id)), before);
    assert_eq!(place.store.list_volumes().unwrap().len(), 2, "volumes stay");
    let broken = place
        .raw()
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get::<_, i64>(0));
    assert_eq!(broken.unwrap(), 0);
}

#[test]
fn ids_are_never_given_again() {
    let place = Place::new();
    let ids = |place: &Place, name: &str| {
        let app = place.app(name);
        let deploy = place.deploy(&app);
        let release = place.release(deploy, "sha256:a").id;
        let row = place.store.plan_release_command(deploy).unwrap();
        place.store.delete_container(row.id).unwrap();
        place.store.set_wanted(app.id, DESTROYED).unwrap();
        place.store.delete_app(app.id, DOMAIN).unwrap();
        [app.id.0, deploy.0, release.0, row.id.0]
    };
    let first = ids(&place, "blog");
    let second = ids(&place, "blog");
    // Also not after the file was closed, and not with the tables empty.
    let place = place.reopen();
    let third = ids(&place, "blog");
    for kind in 0..first.len() {
        assert!(first[kind] < second[kind] && second[kind] < third[kind], "{first:?} {second:?} {third:?}");
    }
    refused(place.store.get_deploy(DeployId(first[1])), ErrorKind::NotFound);
}
