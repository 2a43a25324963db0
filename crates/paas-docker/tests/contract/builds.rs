use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use futures_util::stream;
use paas_docker::{BuildError, BuildOutput, BuildRequest, label};

use crate::common::{App, World, build, context, request};

pub async fn a_build_makes_a_labelled_image(world: Arc<World>) {
    let tag = world.tag("app");
    let labels = BTreeMap::from([(label::APP.to_owned(), "7".to_owned())]);
    let asked = BuildRequest { labels, ..request(&tag) };
    let mut ids = Vec::new();
    for cached in [false, true] {
        let context =
            context::busybox(&format!("{}COPY note /note\n", App::Runs.dockerfile()), &[("note", &world.id)]);
        let (result, log) = build(&*world.engine, asked.clone(), context).await;
        ids.push(result.unwrap());
        let last = log.iter().rev().find_map(|line| match line {
            BuildOutput::Step { name, cached } => Some((name.contains("COPY"), *cached)),
            _ => None,
        });
        assert_eq!(last, Some((true, cached)), "{log:?}");
    }
    assert_eq!(ids[0], ids[1]);
    let image = world.engine.find_image(&tag).await.unwrap().unwrap();
    assert_eq!(image.id, ids[0]);
    assert_eq!((image.labels[label::APP].as_str(), &image.labels[label::INSTANCE]), ("7", &world.id));
}

pub async fn a_broken_context_is_told(world: Arc<World>) {
    let half = Bytes::from(context::tar(&[("Dockerfile", b"FROM scratch\n", 0o644)])).slice(..512);
    let pieces = [Ok(half), Err(std::io::Error::other("object 4711 is missing"))];
    let (result, _) = build(&*world.engine, request(&world.tag("app")), Box::pin(stream::iter(pieces))).await;
    match result {
        Err(BuildError::Context(cause)) => assert_eq!(cause.to_string(), "object 4711 is missing"),
        other => panic!("{other:?}"),
    }
    assert!(world.engine.list_images().await.unwrap().is_empty());
}
