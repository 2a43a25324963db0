use paas_domain::{AppId, Mount};
use paas_store::{ErrorKind, MountRef, StoreError, Wanted};

use crate::support::{DOMAIN, Place, mount_path, refused, volume_name};

#[test]
fn a_volume_is_made_once_and_listed_by_name() {
    let place = Place::new();
    let store = &place.store;
    let (data, cache) = (volume_name("data"), volume_name("cache"));
    let made = store.create_volume(&data).unwrap();
    assert_eq!((made.destroying, made.mounted_by.len()), (false, 0));
    refused(store.create_volume(&data), ErrorKind::Conflict);
    assert_eq!(store.ensure_volume(&data).unwrap(), made);
    store.ensure_volume(&cache).unwrap();
    assert_eq!(store.get_volume(&cache).unwrap().name, cache);
    assert!(matches!(store.get_volume(&volume_name("other")), Err(StoreError::NoVolume(_))));
    refused(store.mark_volume_destroying(&volume_name("other")), ErrorKind::NotFound);
    let names: Vec<_> = store.list_volumes().unwrap().into_iter().map(|volume| volume.name).collect();
    assert_eq!(names, [cache, data]);
}

#[test]
fn a_volume_is_mounted_at_paths_of_apps() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    let (data, cache) = (volume_name("data"), volume_name("cache"));
    let (at_data, at_more) = (mount_path("/data"), mount_path("/more"));
    refused(store.mount(blog.id, &data, &at_data), ErrorKind::NotFound);
    store.create_volume(&data).unwrap();
    store.create_volume(&cache).unwrap();
    refused(store.mount(AppId(4711), &data, &at_data), ErrorKind::NotFound);
    assert!(store.mount(blog.id, &data, &at_data).unwrap());
    assert!(!store.mount(blog.id, &data, &at_data).unwrap(), "it was already");
    let error = refused(store.mount(blog.id, &cache, &at_data), ErrorKind::Conflict);
    assert!(matches!(&error, StoreError::PathTaken { volume, .. } if *volume == data), "{error:?}");
    assert!(store.mount(blog.id, &data, &at_more).unwrap());
    assert!(store.mount(shop.id, &data, &at_data).unwrap(), "two apps may share it");
    assert!(store.mount(blog.id, &cache, &mount_path("/cache")).unwrap());
    assert_eq!(store.volumes_of(blog.id).unwrap(), [cache.clone(), data.clone()]);
    let users = store.get_volume(&data).unwrap().mounted_by;
    let expected = [(&blog, &at_data), (&blog, &at_more), (&shop, &at_data)];
    assert_eq!(users, expected.map(|(app, path)| (app.name.clone(), path.clone())));

    let mount = |volume: &_, path: &_| Mount { volume: Clone::clone(volume), path: Clone::clone(path) };
    let gone = store.unmount(blog.id, &MountRef::Volume(data.clone())).unwrap();
    assert_eq!(gone, [mount(&data, &at_data), mount(&data, &at_more)]);
    assert_eq!(store.mounts(blog.id).unwrap(), [mount(&cache, &mount_path("/cache"))]);
    assert_eq!(store.unmount(shop.id, &MountRef::Path(at_data.clone())).unwrap(), [mount(&data, &at_data)]);
    refused(store.unmount(shop.id, &MountRef::Path(at_data)), ErrorKind::NotFound);
    refused(store.unmount(blog.id, &MountRef::Volume(data)), ErrorKind::NotFound);
}

#[test]
fn a_volume_in_use_is_not_removed() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    let data = volume_name("data");
    store.create_volume(&data).unwrap();
    for (app, path) in [(&shop, "/data"), (&blog, "/data"), (&blog, "/more")] {
        store.mount(app.id, &data, &mount_path(path)).unwrap();
    }
    let error = refused(store.mark_volume_destroying(&data), ErrorKind::Conflict);
    assert!(matches!(&error, StoreError::VolumeInUse { apps, .. } if apps == "blog, shop"), "{error:?}");
    // An app on its way out does not keep it; a stopped one does.
    store.set_wanted(blog.id, Wanted::Destroyed { volumes: true }).unwrap();
    store.set_wanted(shop.id, Wanted::Stopped).unwrap();
    let error = refused(store.mark_volume_destroying(&data), ErrorKind::Conflict);
    assert!(matches!(&error, StoreError::VolumeInUse { apps, .. } if apps == "shop"), "{error:?}");
    assert!(!store.get_volume(&data).unwrap().destroying);
    store.unmount(shop.id, &MountRef::Volume(data.clone())).unwrap();
    store.mark_volume_destroying(&data).unwrap();
    assert!(store.get_volume(&data).unwrap().destroying);
    store.delete_volume(&data).unwrap();
    assert!(store.mounts(blog.id).unwrap().is_empty(), "the mounts of an app on its way out go with it");
    store.delete_app(blog.id, DOMAIN).unwrap();
}

#[test]
fn a_volume_being_removed_cannot_be_had() {
    let place = Place::new();
    let app = place.app("blog");
    let store = &place.store;
    let data = volume_name("data");
    store.create_volume(&data).unwrap();
    store.delete_volume(&data).unwrap();
    assert!(store.get_volume(&data).is_ok(), "only what was marked is forgotten");
    store.mark_volume_destroying(&data).unwrap();
    store.mark_volume_destroying(&data).unwrap();
    let going = |error: StoreError| assert!(matches!(error, StoreError::VolumeGoing(_)), "{error:?}");
    going(refused(store.mount(app.id, &data, &mount_path("/data")), ErrorKind::Conflict));
    going(refused(store.ensure_volume(&data), ErrorKind::Conflict));
    going(refused(store.create_volume(&data), ErrorKind::Conflict));
    let place = place.reopen();
    assert!(place.store.list_volumes().unwrap()[0].destroying, "a crash does not forget it");
    place.store.delete_volume(&data).unwrap();
    place.store.delete_volume(&data).unwrap();
    place.store.create_volume(&data).unwrap();
}
