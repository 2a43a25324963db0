//! The fake engine's builds.

use futures_util::StreamExt;
use std::hash::{DefaultHasher, Hash, Hasher};
use tokio::sync::mpsc;

use super::{
    FakeEngine, images, lock,
    script::{FakeBuild, FakeImage, Subject},
    things::FakeBuildRecord,
};
use crate::{
    engine::{BuildOutput, BuildRequest, ContextStream, ImageId},
    error::BuildError,
    label,
};

/// Counts a build as running until it is dropped.
struct Running(FakeEngine);

impl Running {
    fn begin(engine: &FakeEngine) -> Self {
        engine.change(|state, _| {
            state.running_builds += 1;
            ((), Vec::new())
        });
        Self(engine.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.change(|state, _| {
            state.running_builds -= 1;
            ((), Vec::new())
        });
    }
}

impl FakeEngine {
    pub(super) async fn run_build(
        &self,
        mut request: BuildRequest,
        context: ContextStream,
        output: mpsc::Sender<BuildOutput>,
    ) -> Result<ImageId, BuildError> {
        let _running = Running::begin(self);
        request.labels.insert(label::INSTANCE.to_owned(), self.instance_id().to_owned());
        let (hash, bytes) = read(context).await?;
        // Before the record is seen: whoever waits for it may write another script.
        let script = self.script(&request);
        self.record(&request, bytes);
        match script {
            FakeBuild::Succeeds { output: lines, image } => {
                Ok(self.succeed(request, hash, lines, image, &output).await)
            }
            FakeBuild::Fails { output: lines, step, message } => {
                tell(&output, lines).await;
                Err(BuildError::Step { step, message })
            }
            FakeBuild::CannotPull { image, message } => Err(BuildError::Pull { image, message }),
            FakeBuild::Hangs { output: lines } => {
                tell(&output, lines).await;
                std::future::pending().await
            }
        }
    }

    async fn succeed(
        &self,
        request: BuildRequest,
        hash: u64,
        lines: Vec<BuildOutput>,
        image: FakeImage,
        output: &mpsc::Sender<BuildOutput>,
    ) -> ImageId {
        let id = images::id_of(&(hash, &request.dockerfile, &request.args, &request.labels, &image));
        let cached = self.state().images.contains_key(&id);
        let lines = if lines.is_empty() { vec![step(cached)] } else { lines };
        tell(output, lines).await;
        self.change(|state, _| {
            state.store_image(id.clone(), request.labels, image);
            state.tag(&request.tag, &id);
            (id, Vec::new())
        })
    }

    fn record(&self, request: &BuildRequest, context_bytes: u64) {
        let record = FakeBuildRecord {
            tag: request.tag.clone(),
            dockerfile: request.dockerfile.clone(),
            labels: request.labels.clone(),
            args: request.args.clone(),
            secret_ids: request.secrets.keys().cloned().collect(),
            context_bytes,
        };
        self.change(|state, _| (state.builds.push(record), Vec::new()));
    }

    fn script(&self, request: &BuildRequest) -> FakeBuild {
        lock(&self.shared.scripts).build(&Subject {
            images: vec![&request.tag],
            container: None,
            dockerfile: Some(&request.dockerfile),
            labels: &request.labels,
        })
    }
}

/// Reads the context to its end: a hash of it and its length.
async fn read(mut context: ContextStream) -> Result<(u64, u64), BuildError> {
    let (mut hasher, mut bytes) = (DefaultHasher::new(), 0);
    while let Some(chunk) = context.next().await {
        let chunk = chunk.map_err(BuildError::Context)?;
        bytes += chunk.len() as u64;
        // Byte by byte, so that the pieces it came in make no difference.
        chunk.iter().for_each(|byte| byte.hash(&mut hasher));
    }
    Ok((hasher.finish(), bytes))
}

fn step(cached: bool) -> BuildOutput {
    BuildOutput::Step { name: "[1/1] COPY . /".to_owned(), cached }
}

async fn tell(output: &mpsc::Sender<BuildOutput>, lines: Vec<BuildOutput>) {
    for line in lines {
        if output.send(line).await.is_err() {
            return;
        }
    }
}
