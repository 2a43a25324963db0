use std::{collections::BTreeMap, fmt, sync::Arc};

use git2::Oid;
use paas_domain::{Manifest, Page, Procfile, check_pages};

use crate::{
    context::{Context, ContextStats},
    dockerfile::{self, Dockerfile},
    entry::EntryKind,
    ignore::IgnoreRules,
    limits::TEXT_BYTES,
    lookup::Found,
    objects::Objects,
    plan_error::PlanError,
    scan::scan,
    settings::Settings,
    source::Source,
    tree_path::{TreePath, inside},
};

/// The name in the tar of a Dockerfile that lies outside the context.
const RESERVED: &str = ".paas.Dockerfile";

/// How a commit becomes an image: a value, made without an engine. [`crate::context_stream`] sends its context.
#[derive(Debug, Clone)]
pub struct BuildPlan {
    /// The directory that `COPY` sees, from the repository's root.
    pub context_dir: TreePath,
    /// The Dockerfile's path inside the tar: the engine's `dockerfile` parameter.
    pub dockerfile: String,
    /// The Dockerfile's path in the repository, for messages.
    pub dockerfile_source: TreePath,
    /// Build arguments from `paas.toml`. Config vars never become any.
    pub args: BTreeMap<String, String>,
    /// The repository's `paas.toml`; empty if there is none.
    pub manifest: Manifest,
    /// The repository's `Procfile`, if there is one.
    pub procfile: Option<Procfile>,
    /// The HTML of the files that `[pages]` of `paas.toml` names.
    pub pages: BTreeMap<Page, String>,
    /// What the person who pushes should read; none of it stops the build.
    pub warnings: Vec<PlanWarning>,
    /// What will be sent.
    pub stats: ContextStats,
    pub(crate) context: Arc<Context>,
}

/// Something worth a line of the push's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanWarning {
    /// A `# syntax=` line.
    Syntax(String),
    /// `[scale]` names a process type that is not in the `Procfile`.
    Scale(String),
}

impl fmt::Display for PlanWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(image) => write!(
                f,
                "the Dockerfile's `# syntax={image}` line makes the engine download that image before the build; without the line the engine's \
                 own reader is used"
            ),
            Self::Scale(name) => {
                write!(f, "paas.toml sets a scale for `{name}`, which is not a process type of this app")
            }
        }
    }
}

/// Decides how a commit is built, and checks everything that will be sent. Blocks on the disk: run it in `spawn_blocking`.
///
/// `paas.toml` and `Procfile` are taken from the context directory, or else from the root; all paths count from the repository's root. Without a
/// named Dockerfile it is `Dockerfile` in the context. One outside the context is sent under a reserved name.
pub fn plan(source: &Source, settings: &Settings) -> Result<BuildPlan, PlanError> {
    let objects = source.objects()?;
    let tree = Tree { objects: &objects, root: source.tree() };
    if objects.entries(tree.root).map_err(PlanError::Read)?.is_empty() {
        return Err(PlanError::EmptyTree);
    }
    let manifest = tree.manifest(settings)?;
    let context_dir = settings.context(&manifest.build)?;
    let directory = tree.directory(&context_dir)?;
    let found = dockerfile::find(&objects, tree.root, &context_dir, settings.dockerfile(&manifest.build)?)?;
    let procfile = tree.procfile(&context_dir)?;
    let pages = tree.pages(&manifest)?;
    let place = tree.place(&found, &directory)?;
    let rules = tree.rules(&found, &context_dir)?;
    let context =
        Context { tree: directory.oid, rules, keep: place.keep, extra: place.extra, limits: settings.limits };
    Ok(BuildPlan {
        stats: scan(&objects, &context)?,
        warnings: warnings(&found, &manifest, procfile.as_ref()),
        args: manifest.build.args.clone(),
        dockerfile: place.name,
        dockerfile_source: found.named,
        context_dir,
        manifest,
        procfile,
        pages,
        context: Arc::new(context),
    })
}

/// Where the Dockerfile is in the tar.
struct Place {
    name: String,
    keep: Option<Vec<u8>>,
    extra: Option<(String, Oid)>,
}

struct Tree<'t> {
    objects: &'t Objects,
    root: Oid,
}

impl Tree<'_> {
    fn manifest(&self, settings: &Settings) -> Result<Manifest, PlanError> {
        let context = settings.context(&paas_domain::BuildSection::default())?;
        match self.text_near(&context, "paas.toml")? {
            Some((path, text)) => {
                Manifest::parse(&text).map_err(|source| PlanError::Manifest { path, source })
            }
            None => Ok(Manifest::default()),
        }
    }

    fn procfile(&self, context: &TreePath) -> Result<Option<Procfile>, PlanError> {
        let Some((path, text)) = self.text_near(context, "Procfile")? else { return Ok(None) };
        Procfile::parse(&text).map(Some).map_err(|source| PlanError::Procfile { path, source })
    }

    /// Paths count from the repository's root.
    fn pages(&self, manifest: &Manifest) -> Result<BTreeMap<Page, String>, PlanError> {
        let mut pages = BTreeMap::new();
        for (page, path) in &manifest.pages {
            let path = TreePath::new(path).map_err(|source| PlanError::PagePath { page: *page, source })?;
            let missing = || PlanError::PageMissing { page: *page, path: path.to_string() };
            let html = self.read(&path)?.ok_or_else(missing)?;
            let html = String::from_utf8(html).map_err(|_| PlanError::NotText(path.to_string()))?;
            pages.insert(*page, html);
        }
        check_pages(&pages)?;
        Ok(pages)
    }

    fn directory(&self, context: &TreePath) -> Result<Found, PlanError> {
        match dockerfile::file(self.objects, self.root, context)? {
            Some(found) if found.kind == EntryKind::Directory => Ok(found),
            _ => Err(PlanError::ContextMissing(context.to_string())),
        }
    }

    /// The Dockerfile keeps its own path if it is in the context under a name the engine can be told.
    fn place(&self, found: &Dockerfile, directory: &Found) -> Result<Place, PlanError> {
        let path = inside(&directory.path, &found.path);
        if let Some(path) = path
            && let Ok(name) = std::str::from_utf8(path)
        {
            return Ok(Place { name: name.to_owned(), keep: Some(path.to_vec()), extra: None });
        }
        let taken = self.objects.entries(directory.oid).map_err(PlanError::Read)?;
        let mut name = RESERVED.to_owned();
        while taken.iter().any(|entry| entry.name == name.as_bytes()) {
            name.push('_');
        }
        Ok(Place { extra: Some((name.clone(), found.oid)), name, keep: None })
    }

    /// `<Dockerfile>.dockerignore` beside the Dockerfile wins over `.dockerignore` in the context.
    fn rules(&self, found: &Dockerfile, context: &TreePath) -> Result<IgnoreRules, PlanError> {
        let own = TreePath::new(&format!("{}.dockerignore", found.named.as_str()));
        let shared = context.join(".dockerignore");
        for path in own.into_iter().chain([shared]) {
            if let Some(text) = self.read(&path)? {
                return IgnoreRules::parse(&text)
                    .map_err(|source| PlanError::Ignore { path: path.to_string(), source });
            }
        }
        Ok(IgnoreRules::default())
    }

    /// A text file in the directory, or else in the root.
    fn text_near(&self, directory: &TreePath, name: &str) -> Result<Option<(String, String)>, PlanError> {
        for path in [directory.join(name), TreePath::default().join(name)] {
            if let Some(text) = self.read(&path)? {
                let text = String::from_utf8(text).map_err(|_| PlanError::NotText(path.to_string()))?;
                return Ok(Some((path.to_string(), text)));
            }
        }
        Ok(None)
    }

    fn read(&self, path: &TreePath) -> Result<Option<Vec<u8>>, PlanError> {
        match dockerfile::file(self.objects, self.root, path)? {
            Some(Found { kind: EntryKind::File { .. }, oid, .. }) => {
                let text = self.objects.read(oid, TEXT_BYTES);
                text.map(Some).map_err(|source| PlanError::File { path: path.to_string(), source })
            }
            _ => Ok(None),
        }
    }
}

fn warnings(found: &Dockerfile, manifest: &Manifest, procfile: Option<&Procfile>) -> Vec<PlanWarning> {
    let known = |name| procfile.is_some_and(|procfile| procfile.find(name).is_some());
    let unknown = manifest.scale.keys().filter(|name| !name.is_web() && !known(name));
    let scale = unknown.map(|name| PlanWarning::Scale(name.to_string()));
    found.syntax.clone().map(PlanWarning::Syntax).into_iter().chain(scale).collect()
}
