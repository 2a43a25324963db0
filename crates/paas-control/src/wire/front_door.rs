use paas_domain::{Hostname, IpRange, Page, RedirectStatus, RoutePath, Secret, UserName};
use serde::{Deserialize, Serialize};

use super::Source;

/// `POST /v1/apps/{app}/routes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddRoute {
    /// A hostname with a path: `example.com/blog`.
    pub route: String,
    /// Whether the app gets the path without this part of it.
    #[serde(default)]
    pub strip: bool,
}

/// `DELETE /v1/apps/{app}/routes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveRoute {
    /// A hostname with a path: `example.com/blog`.
    pub route: String,
}

/// `POST /v1/apps/{app}/redirects`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddRedirect {
    /// The hostname to redirect; it is the app's from then on.
    pub host: Hostname,
    /// Where its visitors are sent.
    pub to: Hostname,
    /// 301, 302, 307 or 308, which is the default.
    #[serde(default)]
    pub status: RedirectStatus,
}

/// A path of a hostname that leads to an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteInfo {
    /// The hostname.
    pub host: Hostname,
    /// The path.
    pub path: RoutePath,
    /// Whether the app gets the path without this part of it.
    pub strip: bool,
    /// Who says so.
    pub source: Source,
}

/// A hostname that an app redirects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedirectInfo {
    /// The hostname.
    pub host: Hostname,
    /// Where its visitors are sent.
    pub to: Hostname,
    /// The status they are answered with.
    pub status: RedirectStatus,
    /// Who says so.
    pub source: Source,
}

/// One who may visit an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserInfo {
    /// The name.
    pub user: UserName,
    /// Who says so: users by command stand in place of all of those in paas.toml.
    pub source: Source,
}

/// `POST /v1/apps/{app}/users`: a new user, or a new password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddUser {
    /// The name.
    pub user: UserName,
    /// 8 to 128 characters; only a hash of it is kept.
    pub password: Secret,
}

/// `DELETE /v1/apps/{app}/users`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveUser {
    /// The name.
    pub user: UserName,
}

/// What a list of ranges is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IpList {
    /// Where visitors may come from.
    Allow,
    /// Which proxies before us are believed.
    TrustedProxies,
}

/// `GET /v1/apps/{app}/ip-ranges`: the lists in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpRangesInfo {
    /// Where visitors may come from; empty is from everywhere.
    pub allow: IpRanges,
    /// Which proxies before us are believed.
    pub trusted_proxies: IpRanges,
}

/// One list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpRanges {
    /// Its ranges.
    pub ranges: Vec<IpRange>,
    /// Who says so: a command's list stands in place of the one in paas.toml.
    pub source: Source,
}

/// `POST` and `DELETE /v1/apps/{app}/ip-ranges`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeIpRange {
    /// Which list.
    pub list: IpList,
    /// The range.
    pub range: IpRange,
}

/// One page that visitors see in place of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageInfo {
    /// Which of ours it stands in for.
    pub page: Page,
    /// Its size.
    pub bytes: usize,
    /// Who says so.
    pub source: Source,
}

/// `POST /v1/apps/{app}/pages`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetPage {
    /// Which of ours it stands in for.
    pub page: Page,
    /// At most 64 KiB.
    pub html: String,
}

/// `DELETE /v1/apps/{app}/pages`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnsetPage {
    /// Which.
    pub page: Page,
}
