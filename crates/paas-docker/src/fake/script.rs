//! How the fake engine behaves when told.

use std::collections::BTreeMap;

use crate::engine::BuildOutput;

/// What a script is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FakeWhen {
    /// Every build, every container.
    Always,
    /// Containers of that image (tag or id); builds with that tag.
    Image(String),
    /// The container of that name.
    Container(String),
    /// Builds of that Dockerfile.
    Dockerfile(String),
    /// Containers or builds with that label.
    Label {
        /// Key.
        key: String,
        /// Value.
        value: String,
    },
}

/// What a container does when it is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FakeBehaviour {
    /// Prints and runs until it is stopped (exit code 143) or told to exit.
    Runs {
        /// Lines on standard output.
        log: Vec<String>,
    },
    /// Prints and runs; `SIGTERM` does nothing, so a stop ends with exit code 137.
    IgnoresTerm {
        /// Lines on standard output.
        log: Vec<String>,
    },
    /// Prints and ends by itself.
    Exits {
        /// The exit code.
        code: i64,
        /// Whether the kernel killed it for memory.
        out_of_memory: bool,
        /// Lines on standard output.
        log: Vec<String>,
    },
    /// The engine cannot start it, for example because the command is not in the image.
    CannotStart {
        /// The engine's message.
        message: String,
    },
}

/// How a build goes. The context is read to its end in every case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FakeBuild {
    /// Makes an image. The same context, Dockerfile, args and labels make the same image again.
    Succeeds {
        /// What it prints; when empty, one step.
        output: Vec<BuildOutput>,
        /// What it makes.
        image: FakeImage,
    },
    /// Fails.
    Fails {
        /// What it prints before.
        output: Vec<BuildOutput>,
        /// The step that fails, if it is one.
        step: Option<String>,
        /// The message.
        message: String,
    },
    /// A base image cannot be fetched.
    CannotPull {
        /// The image.
        image: String,
        /// The message.
        message: String,
    },
    /// Prints and never ends; dropping the build's future ends it.
    Hangs {
        /// What it prints.
        output: Vec<BuildOutput>,
    },
}

/// What an image is, as far as a deploy reads it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FakeImage {
    /// `EXPOSE`d TCP ports.
    pub exposed_tcp_ports: Vec<u16>,
    /// `VOLUME` paths.
    pub volumes: Vec<String>,
    /// Whether it has a CMD or ENTRYPOINT.
    pub has_command: bool,
    /// ENTRYPOINT.
    pub entrypoint: Vec<String>,
    /// Size in bytes.
    pub size_bytes: u64,
}

impl Default for FakeImage {
    /// An image with a CMD and nothing else.
    fn default() -> Self {
        Self {
            exposed_tcp_ports: Vec::new(),
            volumes: Vec::new(),
            has_command: true,
            entrypoint: Vec::new(),
            size_bytes: 1 << 20,
        }
    }
}

impl FakeBehaviour {
    /// Runs and prints nothing.
    pub fn runs() -> Self {
        Self::Runs { log: Vec::new() }
    }

    /// Ends by itself with that code after printing one line.
    pub fn exits(code: i64, line: &str) -> Self {
        Self::Exits { code, out_of_memory: false, log: vec![line.to_owned()] }
    }
}

impl FakeBuild {
    /// Makes a default image.
    pub fn succeeds() -> Self {
        Self::Succeeds { output: Vec::new(), image: FakeImage::default() }
    }
}

/// All scripts, oldest first.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    pub(super) containers: Vec<(FakeWhen, FakeBehaviour)>,
    pub(super) builds: Vec<(FakeWhen, FakeBuild)>,
}

/// What a script can be chosen by.
pub(super) struct Subject<'a> {
    /// Tags and ids.
    pub(super) images: Vec<&'a str>,
    pub(super) container: Option<&'a str>,
    pub(super) dockerfile: Option<&'a str>,
    pub(super) labels: &'a BTreeMap<String, String>,
}

impl Scripts {
    pub(super) fn behaviour(&self, subject: &Subject<'_>) -> FakeBehaviour {
        latest(&self.containers, subject).unwrap_or_else(FakeBehaviour::runs)
    }

    pub(super) fn build(&self, subject: &Subject<'_>) -> FakeBuild {
        latest(&self.builds, subject).unwrap_or_else(FakeBuild::succeeds)
    }
}

impl Subject<'_> {
    fn is(&self, when: &FakeWhen) -> bool {
        match when {
            FakeWhen::Always => true,
            FakeWhen::Image(reference) => self.images.contains(&reference.as_str()),
            FakeWhen::Container(name) => self.container == Some(name),
            FakeWhen::Dockerfile(path) => self.dockerfile == Some(path),
            FakeWhen::Label { key, value } => self.labels.get(key) == Some(value),
        }
    }
}

fn latest<T: Clone>(scripts: &[(FakeWhen, T)], subject: &Subject<'_>) -> Option<T> {
    scripts.iter().rev().find(|(when, _)| subject.is(when)).map(|(_, script)| script.clone())
}
