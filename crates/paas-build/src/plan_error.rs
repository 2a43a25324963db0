use paas_domain::{ManifestError, Page, PageError, ProcfileError};
use thiserror::Error;

use crate::{
    ignore::IgnoreError, lookup::LookupError, objects::ReadError, source::SourceError,
    tree_path::TreePathError, walk::WalkError,
};

/// Why a commit cannot be built. Each says what to do next.
#[derive(Debug, Error)]
pub enum PlanError {
    /// The repository cannot be opened.
    #[error("the pushed commit cannot be read")]
    Source(#[from] SourceError),
    /// A path in the settings or in `paas.toml` is not one.
    #[error("the {what} path in {origin} cannot be used")]
    Path {
        /// `dockerfile` or `context`.
        what: &'static str,
        /// Who says so.
        origin: &'static str,
        /// The rule.
        source: TreePathError,
    },
    /// No file at all.
    #[error("the pushed commit has no files; commit your app and push again")]
    EmptyTree,
    /// No Dockerfile in the usual place.
    #[error(
        "there is no Dockerfile in {place}, and nothing else says how to build the app; {place} has: {listing}. \
         Add a Dockerfile, or name another one: `paas builds:set APP --dockerfile PATH`"
    )]
    NoDockerfile {
        /// Where it was looked for.
        place: String,
        /// What is there instead.
        listing: String,
    },
    /// The named Dockerfile is missing.
    #[error(
        "the Dockerfile {0} is not in the pushed commit; commit it, or name another one: `paas builds:set APP --dockerfile PATH`"
    )]
    DockerfileMissing(String),
    /// The named Dockerfile is a directory or a submodule.
    #[error("{0} is not a file; name the Dockerfile itself: `paas builds:set APP --dockerfile PATH`")]
    DockerfileNotFile(String),
    /// Nothing but comments.
    #[error("{0} has no instruction; a Dockerfile begins with `FROM`")]
    DockerfileEmpty(String),
    /// The context is missing or no directory.
    #[error(
        "the build context {0} is not a directory of the pushed commit; name another one: `paas builds:set APP --context PATH`"
    )]
    ContextMissing(String),
    /// A path leads outside the repository, or cannot be read.
    #[error("{path} cannot be followed")]
    Lookup {
        /// Which.
        path: String,
        /// Why.
        source: LookupError,
    },
    /// A file that is read as text is not UTF-8.
    #[error("{0} is not UTF-8 text; save it as UTF-8 and push again")]
    NotText(String),
    /// `paas.toml` has a mistake.
    #[error("{path} has a mistake; correct it and push again")]
    Manifest {
        /// Where the file is.
        path: String,
        /// Which mistake.
        source: ManifestError,
    },
    /// A path in `[pages]` is not one.
    #[error("the path of the page for {page} under [pages] in paas.toml cannot be used")]
    PagePath {
        /// Which page.
        page: Page,
        /// The rule.
        source: TreePathError,
    },
    /// A page's file is missing.
    #[error(
        "{path}, which paas.toml names as the page for {page}, is no file of the pushed commit; commit it, or take the line out of [pages]"
    )]
    PageMissing {
        /// Which page.
        page: Page,
        /// Where it should be.
        path: String,
    },
    /// A page cannot be kept.
    #[error("a page that paas.toml names cannot be used")]
    Page(#[from] PageError),
    /// The `Procfile` has a mistake.
    #[error("{path} has a mistake; correct it and push again")]
    Procfile {
        /// Where the file is.
        path: String,
        /// Which mistake.
        source: ProcfileError,
    },
    /// The ignore file has a mistake.
    #[error("{path} has a mistake; correct it and push again")]
    Ignore {
        /// Where the file is.
        path: String,
        /// Which mistake.
        source: IgnoreError,
    },
    /// The tree cannot be sent.
    #[error("the files cannot be sent to the build")]
    Walk(#[from] WalkError),
    /// A Git LFS pointer stands where a file should be.
    #[error(
        "{path} is a Git LFS pointer: the file itself is not part of a push. Bring it back with `git lfs migrate export --include={path}`, \
         download it in the Dockerfile, or name it in .dockerignore if the build does not need it"
    )]
    LfsPointer {
        /// Which.
        path: String,
    },
    /// A link without a target.
    #[error("{path} is a damaged symbolic link; make it again and push")]
    Link {
        /// Which.
        path: String,
    },
    /// A file is too large.
    #[error(
        "{path} has {size} bytes, more than the {limit} a file may have; download it in the Dockerfile, or name it in .dockerignore"
    )]
    FileSize {
        /// Which.
        path: String,
        /// Bytes.
        size: u64,
        /// Bytes.
        limit: u64,
    },
    /// All files together are too large.
    #[error(
        "the files have more than {limit} bytes together; name what the build does not need in .dockerignore"
    )]
    ContextSize {
        /// Bytes.
        limit: u64,
    },
    /// A file cannot be read.
    #[error("{path} cannot be read")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: ReadError,
    },
    /// An object cannot be read.
    #[error("the pushed commit cannot be read")]
    Read(#[source] ReadError),
}
