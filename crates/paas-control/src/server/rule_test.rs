//! Every route of the table, asked by everybody: what the rule says is what happens.

use axum::{Router, body::Body, extract::ConnectInfo};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use paas_domain::KeyId;
use paas_store::Access;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use super::{
    peer::Peer,
    routes::{Route, router, table},
    rule::Rule,
    state::Shared,
    support::{SSH_UID, World},
};
use crate::wire::{ErrorBody, KEY_HEADER};

/// Everybody who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Root,
    RootForBound,
    AdminKey,
    BoundKey,
    OtherKey,
    RemovedKey,
    WrongKey,
    SshUserAlone,
    Stranger,
    StrangerWithAdminKey,
    Unknown,
}

impl Who {
    const ALL: [Self; 11] = [
        Self::Root,
        Self::RootForBound,
        Self::AdminKey,
        Self::BoundKey,
        Self::OtherKey,
        Self::RemovedKey,
        Self::WrongKey,
        Self::SshUserAlone,
        Self::Stranger,
        Self::StrangerWithAdminKey,
        Self::Unknown,
    ];

    fn uid(self) -> Option<u32> {
        match self {
            Self::Root | Self::RootForBound => Some(0),
            Self::Stranger | Self::StrangerWithAdminKey => Some(SSH_UID + 1),
            Self::Unknown => None,
            _ => Some(SSH_UID),
        }
    }
}

/// What somebody is answered, before the handler has its say.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The handler runs.
    Heard,
    /// As if the thing were not there.
    Absent,
    /// 403.
    Forbidden,
    /// 401.
    Unauthorized,
}

#[allow(clippy::match_same_arms, reason = "one line for each sort of caller")]
fn expected(rule: Rule, who: Who) -> Verdict {
    use Verdict::{Absent, Forbidden, Heard, Unauthorized};
    match (who, rule) {
        (Who::Stranger | Who::StrangerWithAdminKey | Who::SshUserAlone | Who::Unknown, _) => Forbidden,
        (Who::RemovedKey | Who::WrongKey, _) => Unauthorized,
        (Who::Root, _) | (_, Rule::Anyone) => Heard,
        (Who::AdminKey, rule) => {
            if rule == Rule::ServerAdmin {
                Forbidden
            } else {
                Heard
            }
        }
        (Who::BoundKey | Who::RootForBound, Rule::App | Rule::AppElsewhere) => Heard,
        (Who::OtherKey, Rule::App | Rule::AppElsewhere | Rule::AppAdmin) => Absent,
        (Who::BoundKey | Who::RootForBound | Who::OtherKey, _) => Forbidden,
    }
}

/// A fresh server with the apps `blog` and `shop`, a key for each, a push and a deploy of `blog`.
struct Stage {
    router: Router,
    keys: Keys,
    deploy: i64,
    blog: i64,
    _world: World,
}

struct Keys {
    admin: KeyId,
    bound: KeyId,
    other: KeyId,
    removed: KeyId,
}

impl Stage {
    fn new() -> Self {
        let world = World::new();
        let (blog, shop) = (world.deployed("blog"), world.app("shop"));
        let keys = Keys {
            admin: world.key("admin", &Access::Admin),
            bound: world.key("bound", &Access::Apps(vec![blog.name.clone()])),
            other: world.key("other", &Access::Apps(vec![shop.name])),
            removed: world.key("removed", &Access::Admin),
        };
        world.store().remove_key(&paas_domain::KeyName::new("removed").unwrap()).unwrap();
        world.state.repositories.ensure(blog.id).unwrap();
        let shared = Shared::new(world.state.clone(), CancellationToken::new());
        assert!(shared.pushes.add("push-0001", blog.id, paas_git::DeployBranch::Main));
        let deploy = world.store().list_deploys(blog.id, 1).unwrap()[0].id.0;
        Self { router: router(shared), keys, deploy, blog: blog.id.0, _world: world }
    }

    async fn ask(&mut self, who: Who, method: &Method, path: &str) -> (StatusCode, String) {
        let mut request = Request::builder().method(method).uri(path);
        let key = match who {
            Who::AdminKey | Who::StrangerWithAdminKey => Some(self.keys.admin.to_string()),
            Who::BoundKey | Who::RootForBound => Some(self.keys.bound.to_string()),
            Who::OtherKey => Some(self.keys.other.to_string()),
            Who::RemovedKey => Some(self.keys.removed.to_string()),
            Who::WrongKey => Some("1 OR 1=1".to_owned()),
            Who::Root | Who::SshUserAlone | Who::Stranger | Who::Unknown => None,
        };
        if let Some(key) = key {
            request = request.header(KEY_HEADER, key);
        }
        let mut request = request.body(Body::from(self.body(path))).unwrap();
        request.extensions_mut().insert(ConnectInfo(Peer { uid: who.uid() }));
        let response = self.router.call(request).await.unwrap();
        let status = response.status();
        if status.is_success() {
            // A stream may never end, and the handler was reached: that is all that is asked here.
            return (status, String::new());
        }
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn path(&self, route: &Route, app: &str) -> String {
        route
            .path
            .replace("{app}", app)
            .replace("{hostname}", "absent.test")
            .replace("{volume}", "absent")
            .replace("{key}", "absent")
            .replace("{push}", "push-0001")
            .replace("{deploy}", &self.deploy.to_string())
    }

    /// What a handler that looks the app up itself needs to get that far; all others are heard with a body they refuse.
    fn body(&self, path: &str) -> String {
        match path {
            "/v1/pushes" => {
                let (app, new) = (self.blog, "0".repeat(40));
                format!(
                    r#"{{"push":"x","app":{app},"branch":"main","old":null,"new":"{new}","quarantine":null}}"#
                )
            }
            _ if path.ends_with("/prepare-push") => r#"{"create":true}"#.to_owned(),
            _ => "not JSON".to_owned(),
        }
    }
}

fn verdict(status: StatusCode, body: &str) -> Verdict {
    match status {
        StatusCode::FORBIDDEN => Verdict::Forbidden,
        StatusCode::UNAUTHORIZED => Verdict::Unauthorized,
        StatusCode::NOT_FOUND if body.contains("is no app") || body.contains("is no such") => Verdict::Absent,
        _ => Verdict::Heard,
    }
}

#[tokio::test]
async fn every_route_answers_everybody_as_its_rule_says() {
    let mut stage = Stage::new();
    for route in table() {
        for who in Who::ALL {
            let path = stage.path(&route, "blog");
            let (status, body) = stage.ask(who, &route.method, &path).await;
            let mut wanted = expected(route.rule, who);
            // Whoever may not know of a push is told that there is none: that is an answer, not an error.
            if route.path.starts_with("/v1/pushes/") && wanted == Verdict::Absent {
                wanted = Verdict::Heard;
            }
            assert_eq!(verdict(status, &body), wanted, "{} {path} by {who:?}: {status} {body}", route.method);
            assert!(
                status != StatusCode::INTERNAL_SERVER_ERROR,
                "{} {path} by {who:?}: {body}",
                route.method
            );
            if wanted == Verdict::Heard && route.method != Method::GET {
                // The handler may have changed something.
                stage = Stage::new();
            }
            if !status.is_success() {
                serde_json::from_str::<ErrorBody>(&body)
                    .unwrap_or_else(|error| panic!("{path}: {error}: {body}"));
            }
        }
    }
}

#[tokio::test]
async fn an_app_that_is_not_ours_looks_like_one_that_is_not_there() {
    for route in table().iter().filter(|route| route.path.contains("{app}")) {
        let mut stage = Stage::new();
        let (hidden, absent) = (stage.path(route, "blog"), stage.path(route, "nowhere"));
        let hidden = stage.ask(Who::OtherKey, &route.method, &hidden).await;
        let absent = stage.ask(Who::OtherKey, &route.method, &absent).await;
        assert_eq!(hidden.0, StatusCode::NOT_FOUND, "{}", route.path);
        assert_eq!((hidden.0, hidden.1.replace("blog", "nowhere")), absent, "{}", route.path);
    }
}

#[tokio::test]
async fn what_is_not_in_the_table_is_not_there() {
    let mut stage = Stage::new();
    let (status, body) = stage.ask(Who::Root, &Method::GET, "/v1/secrets").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(serde_json::from_str::<ErrorBody>(&body).is_ok(), "{body}");
    let (status, body) = stage.ask(Who::Root, &Method::PUT, "/v1/apps").await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(serde_json::from_str::<ErrorBody>(&body).is_ok(), "{body}");
}

#[tokio::test]
async fn a_path_that_names_nothing_possible_is_refused_with_the_rule() {
    let mut stage = Stage::new();
    for path in [
        "/v1/apps/-x",
        "/v1/apps/%3B$(reboot)",
        "/v1/apps/..%2f..%2fetc",
        "/v1/apps/%ff",
        "/v1/apps/blog/domains/a%20b",
    ] {
        let method = if path.contains("domains") { Method::DELETE } else { Method::GET };
        let (status, body) = stage.ask(Who::Root, &method, path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {body}");
    }
}
