use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use paas_docker::{BuildError, BuildOutput, DockerEngine, Engine, EngineError};

use crate::common::{World, app, build, context, request};

async fn fail(world: &World, dockerfile: &str) -> (BuildError, Vec<BuildOutput>) {
    let (result, log) =
        build(&*world.engine, request(&world.tag("app")), context::busybox(dockerfile, &[])).await;
    assert!(world.engine.list_images().await.unwrap().is_empty(), "a failed build leaves no image");
    (result.unwrap_err(), log)
}

pub async fn a_failing_step_is_named(world: Arc<World>) {
    let (error, log) =
        fail(&world, &format!("{}RUN echo before; exit 3\nRUN echo never\n", app::base())).await;
    let BuildError::Step { step: Some(step), message } = error else { panic!("{error:?}") };
    assert_eq!(step, "[3/4] RUN echo before; exit 3");
    assert!(message.contains("exit code: 3") && !message.contains("rpc error"), "{message}");
    assert!(log.contains(&BuildOutput::Line("before".to_owned())), "{log:?}");
    assert!(!format!("{log:?}").contains("never"));

    let (error, _) = fail(&world, &format!("{}COPY nothere /x\n", app::base())).await;
    let BuildError::Step { step: Some(step), message } = error else { panic!("{error:?}") };
    assert_eq!(step, "[3/3] COPY nothere /x");
    assert!(message.contains("not found"), "{message}");
}

/// `.invalid` is never resolved (RFC 2606), so this is the same with and without a network.
pub async fn an_image_that_cannot_be_pulled_is_named(world: Arc<World>) {
    let cases = [
        ("FROM registry.invalid/team/base:1\nRUN x\n", "registry.invalid/team/base:1"),
        ("FROM scratch\nCOPY --from=registry.invalid/tools /a /b\n", "registry.invalid/tools:latest"),
    ];
    for (dockerfile, expected) in cases {
        let (error, _) = fail(&world, dockerfile).await;
        let BuildError::Pull { image, message } = error else { panic!("{error:?}") };
        assert_eq!(image, expected);
        assert!(message.contains("registry.invalid"), "{message}");
    }
}

pub async fn a_syntax_line_that_cannot_be_fetched_is_explained(world: Arc<World>) {
    let (error, _) =
        fail(&world, "# syntax=registry.invalid/docker/dockerfile:1\nFROM scratch\nCOPY Dockerfile /\n")
            .await;
    let BuildError::Pull { image, message } = error else { panic!("{error:?}") };
    assert_eq!(image, "registry.invalid/docker/dockerfile:1");
    assert!(message.contains("`# syntax=registry.invalid/docker/dockerfile:1`"), "{message}");
}

pub async fn what_is_wrong_before_the_first_step_is_told(world: Arc<World>) {
    let (error, _) = fail(&world, "FROM scratch\nCPY a b\n").await;
    let BuildError::Step { step: None, message } = error else { panic!("{error:?}") };
    // Newer ones: `… error on line 2: …: CPY (did you mean COPY?)`.
    assert!(message.starts_with("dockerfile parse error "), "{message}");
    assert!(message.contains("line 2: unknown instruction: CPY"), "{message}");
    let no_dockerfile = context::of(context::tar(&[("x", b"x", 0o644)]));
    let (result, _) = build(&*world.engine, request(&world.tag("app")), no_dockerfile).await;
    let Err(BuildError::Step { step: None, message }) = result else { panic!("{result:?}") };
    assert!(message.contains("Dockerfile"), "{message}");
}

/// The engine answers before it has read the context, and stops reading.
pub async fn a_refused_request_is_told(world: Arc<World>) {
    let endless = stream::iter(std::iter::repeat_n(Bytes::from(vec![0; 64 * 1024]), 4000).map(Ok));
    let (result, _) = build(&*world.engine, request("Not A Tag"), Box::pin(endless)).await;
    let Err(BuildError::Engine(EngineError::Refused { message, .. })) = result else { panic!("{result:?}") };
    assert!(message.contains("invalid reference format"), "{message}");
}

pub async fn an_engine_that_is_not_there_is_told_apart(world: Arc<World>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let engine = DockerEngine::connect(&path, world.id.clone());
    let down = |error: EngineError| assert!(matches!(error, EngineError::Unavailable(_)), "{error:?}");
    down(engine.info().await.unwrap_err());
    down(engine.list_containers().await.unwrap_err());
    down(engine.events().await.err().unwrap());
    let (result, _) = build(&engine, request("x"), context::only("FROM scratch\n")).await;
    let Err(BuildError::Engine(error)) = result else { panic!("{result:?}") };
    down(error);
    // The file is there and nobody listens.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    down(engine.info().await.unwrap_err());
    down(engine.stop_container("x", Duration::ZERO).await.unwrap_err());
    // Somebody listens and hangs up: not the same, the call may have had its effect.
    std::fs::remove_file(&path).unwrap();
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let hang_up = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    let error = engine.list_containers().await.unwrap_err();
    hang_up.abort();
    assert!(matches!(error, EngineError::Protocol { .. }), "{error:?}");
}
