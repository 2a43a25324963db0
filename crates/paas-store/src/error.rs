use paas_domain::{
    AppName, ConfigKey, DeployId, DeployState, Hostname, IpRange, KeyName, MountPath, Page, PageError,
    ProcessType, ReleaseId, UserName, VolumeName,
};
use thiserror::Error;

/// What sort of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// What was named is not there.
    NotFound,
    /// It is there already, or in use.
    Conflict,
    /// The value cannot be stored.
    Invalid,
    /// No more of it can be had.
    Exhausted,
    /// Ours or the disk's.
    Internal,
}

/// Why the store could not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The name is taken.
    #[error("the app {0} exists already; choose another name")]
    AppExists(AppName),
    /// No such app.
    #[error("there is no app {0}; `paas apps:list` shows the apps")]
    NoApp(AppName),
    /// The app is on its way out.
    #[error("the app {0} is being destroyed; wait until it is gone, then create it anew")]
    AppGoing(AppName),
    /// No such row.
    #[error("there is no {what} {id}")]
    NoRow {
        /// What kind of row.
        what: &'static str,
        /// Its id.
        id: i64,
    },
    /// No such volume.
    #[error("there is no volume {0}; make it with `paas storage:create {0}`")]
    NoVolume(VolumeName),
    /// The volume is there.
    #[error("the volume {0} exists already")]
    VolumeExists(VolumeName),
    /// The volume is being removed.
    #[error("the volume {0} is being removed")]
    VolumeGoing(VolumeName),
    /// Apps mount the volume.
    #[error("the volume {volume} is mounted by {apps}; unmount it there first")]
    VolumeInUse {
        /// The volume.
        volume: VolumeName,
        /// The apps' names.
        apps: String,
    },
    /// Another volume is at the path.
    #[error("{volume} is mounted at {path} already; unmount it first")]
    PathTaken {
        /// The path.
        path: MountPath,
        /// What is there.
        volume: VolumeName,
    },
    /// Nothing is mounted there.
    #[error("{0} is not mounted")]
    NotMounted(String),
    /// The hostname leads elsewhere.
    #[error("{hostname} leads to the app {app} already; remove it there first")]
    DomainTaken {
        /// The hostname.
        hostname: Hostname,
        /// The app that has it.
        app: AppName,
    },
    /// The hostname that an app would have by its name is another's.
    #[error(
        "{name} would answer at {hostname}, which leads to the app {app} already; take it away there first, with `paas {command}`, or choose another name"
    )]
    OwnHostTaken {
        /// The name that was chosen.
        name: AppName,
        /// The hostname.
        hostname: Hostname,
        /// The app that has it, or a path of it.
        app: AppName,
        /// Which command takes it away.
        command: &'static str,
    },
    /// The path leads elsewhere.
    #[error("{route} leads to the app {app} already; remove it there first")]
    RouteTaken {
        /// The hostname with the path.
        route: String,
        /// The app that has it.
        app: AppName,
    },
    /// The app has no such route.
    #[error("{0} is not a route of this app")]
    NoRoute(String),
    /// The hostname is one the app redirects.
    #[error("{0} is redirected by this app; take the redirect away first, with `paas redirects:remove`")]
    Redirected(Hostname),
    /// A redirect would lead back to itself.
    #[error("visitors of {host} would be sent round in a circle: {to} leads back to it")]
    RedirectCircle {
        /// The hostname to redirect.
        host: Hostname,
        /// Where to.
        to: Hostname,
    },
    /// Visitors of a redirected hostname end there, and would be sent round in a circle without it.
    #[error(
        "without {hostname} visitors of {redirected} would be sent round in a circle; take that redirect away first, with `paas redirects:remove {app} {redirected}`"
    )]
    EndOfRedirect {
        /// The hostname that was to be removed.
        hostname: Hostname,
        /// The hostname that is redirected.
        redirected: Hostname,
        /// The app that redirects it.
        app: AppName,
    },
    /// The app has no such redirect.
    #[error("{0} is not redirected by this app")]
    NoRedirect(Hostname),
    /// The app has no such user.
    #[error("there is no user {0}; `paas auth` shows the users")]
    NoUser(UserName),
    /// The list has no such range.
    #[error("{0} is not in the list")]
    NoRange(IpRange),
    /// The list is full.
    #[error("a list has at most {} ranges; join some", IpRange::MOST)]
    TooManyRanges,
    /// The app has no such page.
    #[error("there is no own page for {0}; `paas pages` shows them")]
    NoPage(Page),
    /// The page cannot be kept.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The app has no such domain.
    #[error("{0} is not a domain of this app")]
    NoDomain(Hostname),
    /// The key's name is taken.
    #[error("there is a key named {0} already; choose another name")]
    KeyNameTaken(KeyName),
    /// The same key under another name.
    #[error("this key is there already, as {0}")]
    KeyTaken(KeyName),
    /// No such key.
    #[error("there is no key named {0}; `paas ssh-keys:list` shows the keys")]
    NoKey(KeyName),
    /// A value that is too large.
    #[error("the value of {key} has {bytes} bytes; at most {limit} fit")]
    ValueTooLarge {
        /// The config var.
        key: ConfigKey,
        /// Its size in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// All values together are too large.
    #[error("the config of the app would have {bytes} bytes; at most {limit} fit")]
    ConfigTooLarge {
        /// Size in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// More containers than an app may have.
    #[error("{process_type} cannot run {count} containers; at most {limit} are possible")]
    ScaleTooLarge {
        /// The process type.
        process_type: ProcessType,
        /// What was asked for.
        count: u16,
        /// The limit.
        limit: u16,
    },
    /// No environment can hold it.
    #[error("the value of {0} contains a NUL character, which no environment variable can hold")]
    Nul(ConfigKey),
    /// No network left.
    #[error("the address pool has no free network left; widen `pool` under [network] in /etc/paas/paas.toml")]
    PoolExhausted,
    /// No address left in an app's network.
    #[error("the network of the app has no free address left; scale it down")]
    AddressesExhausted,
    /// A deploy cannot go there from where it stands.
    #[error("deploy {deploy} is {from} and cannot become {to}")]
    IllegalTransition {
        /// The deploy.
        deploy: DeployId,
        /// Where it stands.
        from: DeployState,
        /// Where it was to go.
        to: DeployState,
    },
    /// A deploy without a release cannot have containers.
    #[error("deploy {0} has no release")]
    NoRelease(DeployId),
    /// A sealed value does not open: wrong key, or not where it was written.
    #[error("{what} cannot be decrypted: the key is wrong, or the row was changed from outside")]
    Unsealable {
        /// Which value.
        what: String,
    },
    /// A release's snapshot cannot be read.
    #[error("the snapshot of release {0} cannot be read")]
    Snapshot(ReleaseId, #[source] serde_json::Error),
    /// A row that nobody of us wrote.
    #[error("a row of {table} ({id}) is inconsistent: {why}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// Which row.
        id: String,
        /// What is wrong.
        why: String,
    },
    /// SQLite.
    #[error("the database could not do it; is the disk full?")]
    Sqlite(#[from] rusqlite::Error),
}

impl StoreError {
    /// What sort of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoApp(_)
            | Self::NoRow { .. }
            | Self::NoVolume(_)
            | Self::NotMounted(_)
            | Self::NoDomain(_)
            | Self::NoRoute(_)
            | Self::NoRedirect(_)
            | Self::NoUser(_)
            | Self::NoRange(_)
            | Self::NoPage(_)
            | Self::NoKey(_) => ErrorKind::NotFound,
            Self::AppExists(_)
            | Self::AppGoing(_)
            | Self::VolumeExists(_)
            | Self::VolumeGoing(_)
            | Self::VolumeInUse { .. }
            | Self::PathTaken { .. }
            | Self::DomainTaken { .. }
            | Self::OwnHostTaken { .. }
            | Self::RouteTaken { .. }
            | Self::Redirected(_)
            | Self::RedirectCircle { .. }
            | Self::EndOfRedirect { .. }
            | Self::KeyNameTaken(_)
            | Self::KeyTaken(_) => ErrorKind::Conflict,
            Self::ValueTooLarge { .. }
            | Self::ConfigTooLarge { .. }
            | Self::ScaleTooLarge { .. }
            | Self::Page(_)
            | Self::TooManyRanges
            | Self::Nul(_) => ErrorKind::Invalid,
            Self::PoolExhausted | Self::AddressesExhausted => ErrorKind::Exhausted,
            Self::IllegalTransition { .. }
            | Self::NoRelease(_)
            | Self::Unsealable { .. }
            | Self::Snapshot(..)
            | Self::Inconsistent { .. }
            | Self::Sqlite(_) => ErrorKind::Internal,
        }
    }
}

/// A text in a row that does not have the form it was written in.
#[expect(
    clippy::needless_pass_by_value,
    reason = "ids and errors are at hand as values; a `&` at each call would tell nobody anything"
)]
pub(crate) fn inconsistent(table: &'static str, id: impl ToString, why: impl ToString) -> StoreError {
    StoreError::Inconsistent { table, id: id.to_string(), why: why.to_string() }
}
