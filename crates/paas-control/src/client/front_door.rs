use http::Method;
use paas_domain::{AppName, Hostname, Page, UserName};

use super::{Client, ClientError};
use crate::wire::{
    AddRedirect, AddRoute, AddUser, ChangeIpRange, IpRangesInfo, PageInfo, RedirectInfo, RemoveRoute,
    RemoveUser, RouteInfo, SetPage, UnsetPage, UserInfo,
};

impl Client {
    /// The paths that lead to an app.
    pub async fn routes(&self, app: &AppName) -> Result<Vec<RouteInfo>, ClientError> {
        self.get(&format!("/v1/apps/{app}/routes")).await
    }

    /// Leads a path of a hostname to an app, at once.
    pub async fn add_route(&self, app: &AppName, route: &AddRoute) -> Result<(), ClientError> {
        self.call(Method::POST, &format!("/v1/apps/{app}/routes"), route).await
    }

    /// Takes a path from an app, at once.
    pub async fn remove_route(&self, app: &AppName, route: &RemoveRoute) -> Result<(), ClientError> {
        self.call(Method::DELETE, &format!("/v1/apps/{app}/routes"), route).await
    }

    /// The hostnames an app redirects.
    pub async fn redirects(&self, app: &AppName) -> Result<Vec<RedirectInfo>, ClientError> {
        self.get(&format!("/v1/apps/{app}/redirects")).await
    }

    /// Redirects a hostname, at once.
    pub async fn add_redirect(&self, app: &AppName, redirect: &AddRedirect) -> Result<(), ClientError> {
        self.call(Method::POST, &format!("/v1/apps/{app}/redirects"), redirect).await
    }

    /// Redirects it no more, at once.
    pub async fn remove_redirect(&self, app: &AppName, host: &Hostname) -> Result<(), ClientError> {
        self.call(Method::DELETE, &format!("/v1/apps/{app}/redirects/{host}"), &()).await
    }

    /// Who may visit an app; empty is everybody.
    pub async fn users(&self, app: &AppName) -> Result<Vec<UserInfo>, ClientError> {
        self.get(&format!("/v1/apps/{app}/users")).await
    }

    /// Lets a user in, or gives one a new password, at once.
    pub async fn add_user(&self, app: &AppName, user: &AddUser) -> Result<(), ClientError> {
        self.call(Method::POST, &format!("/v1/apps/{app}/users"), user).await
    }

    /// Lets a user in no more, at once.
    pub async fn remove_user(&self, app: &AppName, user: &UserName) -> Result<(), ClientError> {
        let body = RemoveUser { user: user.clone() };
        self.call(Method::DELETE, &format!("/v1/apps/{app}/users"), &body).await
    }

    /// Where visitors may come from, and which proxies are believed.
    pub async fn ip_ranges(&self, app: &AppName) -> Result<IpRangesInfo, ClientError> {
        self.get(&format!("/v1/apps/{app}/ip-ranges")).await
    }

    /// Puts a range into one of the lists, at once.
    pub async fn add_ip_range(&self, app: &AppName, change: &ChangeIpRange) -> Result<(), ClientError> {
        self.call(Method::POST, &format!("/v1/apps/{app}/ip-ranges"), change).await
    }

    /// Takes a range out of one of the lists, at once.
    pub async fn remove_ip_range(&self, app: &AppName, change: &ChangeIpRange) -> Result<(), ClientError> {
        self.call(Method::DELETE, &format!("/v1/apps/{app}/ip-ranges"), change).await
    }

    /// The pages that visitors see in place of ours.
    pub async fn pages(&self, app: &AppName) -> Result<Vec<PageInfo>, ClientError> {
        self.get(&format!("/v1/apps/{app}/pages")).await
    }

    /// Puts a page in place of ours, at once.
    pub async fn set_page(&self, app: &AppName, page: &SetPage) -> Result<(), ClientError> {
        self.call(Method::POST, &format!("/v1/apps/{app}/pages"), page).await
    }

    /// Takes it back, at once.
    pub async fn unset_page(&self, app: &AppName, page: Page) -> Result<(), ClientError> {
        self.call(Method::DELETE, &format!("/v1/apps/{app}/pages"), &UnsetPage { page }).await
    }
}
