use std::{sync::Arc, time::Duration};

use paas_docker::BuildOutput;
use tokio::sync::mpsc;

use crate::common::{World, app, context, request};

/// Processes whose command line has this word, by looking at the kernel's own list.
fn running(word: &str) -> bool {
    let entries = std::fs::read_dir("/proc").unwrap();
    entries.flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(word))
            && entry.file_name() != std::process::id().to_string().as_str()
    })
}

pub async fn a_dropped_build_ends_in_the_engine(world: Arc<World>) {
    let marker = format!("paas-test-{}", world.id);
    let dockerfile = format!("{}RUN echo begun; sleep 3600; : {marker}\n", app::base());
    let (output, mut log) = mpsc::channel(16);
    let building = {
        let (world, tag) = (Arc::clone(&world), world.tag("app"));
        tokio::spawn(async move {
            world.engine.build(request(&tag), context::busybox(&dockerfile, &[]), output).await
        })
    };
    while log.recv().await.unwrap() != BuildOutput::Line("begun".to_owned()) {}
    assert!(running(&marker));
    building.abort();
    assert!(building.await.unwrap_err().is_cancelled());
    // There is no event for the end of somebody else's process: look until it is gone.
    tokio::time::timeout(Duration::from_secs(20), async {
        while running(&marker) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the step still runs");
    assert!(world.engine.list_images().await.unwrap().is_empty());
}
