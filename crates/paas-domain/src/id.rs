use std::fmt;

use serde::{Deserialize, Serialize};

/// Makes a row id that cannot be mixed up with another.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

id!(
    /// An app, for its whole life: a rename keeps it, and it is never given again.
    AppId
);
id!(
    /// A release.
    ReleaseId
);
id!(
    /// A deploy.
    DeployId
);
id!(
    /// A container we want, or still have to remove.
    ContainerId
);
id!(
    /// An ssh key.
    KeyId
);
