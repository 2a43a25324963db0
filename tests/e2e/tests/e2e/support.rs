//! What several themes need.

use std::time::Duration;

use paas_e2e::{AppRepo, Client, Http, Https, Ran, Server, ServerOptions, eventually};

/// Within this the server must have repaired itself.
pub(crate) const HEALED: Duration = Duration::from_secs(30);

/// The file that [`Blog::let_listen`] puts into a container.
const LISTEN: &str = "/listen";

/// A server on which version 1 of the app `blog` runs.
pub(crate) struct Blog {
    pub(crate) repo: AppRepo,
    pub(crate) admin: Client,
    pub(crate) server: Server,
}

impl Blog {
    pub(crate) fn deployed() -> Self {
        Self::deployed_with(ServerOptions::default())
    }

    pub(crate) fn deployed_with(options: ServerOptions) -> Self {
        let blog = Self::not_deployed(options);
        blog.repo.push().ok();
        blog.http().serves("blog", "1");
        blog
    }

    /// The same where plain HTTP may be redirected at any moment.
    pub(crate) fn deployed_with_acme(options: ServerOptions) -> Self {
        let blog = Self::not_deployed(options);
        blog.repo.push().ok();
        blog
    }

    /// The repository is there; nothing has been pushed.
    pub(crate) fn not_deployed(options: ServerOptions) -> Self {
        let server = Server::start_with(options);
        let admin = server.admin();
        let repo = admin.app_repo("blog");
        Self { repo, admin, server }
    }

    pub(crate) fn http(&self) -> Http {
        self.server.http()
    }

    /// Commits a version that does not listen before [`Blog::let_listen`] says so, however long that takes.
    pub(crate) fn commit_that_waits(&self, version: &str) {
        self.repo.set("listen_when", LISTEN).set("version", version).commit(&format!("Version {version}"));
    }

    /// Lets a version listen that waits for it, once its container is there.
    pub(crate) fn let_listen(&self, version: &str) {
        let container = format!("paas-blog-web-1-v{version}");
        eventually("the container can be told", HEALED, || self.tell(&container, LISTEN));
    }

    /// Puts a file into a container, whose app waits for that; what is in the file does not matter.
    pub(crate) fn tell(&self, container: &str, file: &str) -> Result<(), String> {
        let source = self.repo.directory().join("behaviour").display().to_string();
        let ran = self.server.engine().docker(&["cp", &source, &format!("{container}:{file}")]);
        if ran.code == Some(0) { Ok(()) } else { Err(ran.to_string()) }
    }

    /// For how many answers of each container the proxy waits.
    pub(crate) fn in_flight(&self) -> Vec<u64> {
        let services = self.server.proxied();
        let hosts = |service: &serde_json::Value| service["spec"]["hosts"].to_string();
        let mut services = services.as_array().expect("services").iter();
        let service = services.find(|service| hosts(service).contains("\"blog.")).expect("the app's service");
        let targets = service["targets"].as_array().expect("targets").iter();
        targets.map(|target| target["in_flight"].as_u64().expect("a count")).collect()
    }

    /// Waits until the proxy waits for so many answers of the app.
    pub(crate) fn wait_for_in_flight(&self, count: u64) {
        eventually("they are in flight", HEALED, || match self.in_flight() {
            now if now.iter().sum::<u64>() == count => Ok(()),
            now => Err(format!("{now:?}, wanted {count}")),
        });
    }

    /// A client that trusts the server's own authority, once the app answers over HTTPS.
    pub(crate) fn https(&self) -> Https {
        let https = self.server.https(&self.admin.ssh(&["certs:ca"]).ok().stdout);
        eventually("the app answers over HTTPS", HEALED, || {
            let answer = https.get("blog.paas.localhost", "/")?;
            if answer.status == 200 { Ok(()) } else { Err(format!("{answer:?}")) }
        });
        https
    }

    /// Pushes the work tree as it is, panics unless that is refused with version 1 and the branch untouched, and takes the change back.
    #[track_caller]
    pub(crate) fn refuses_push(&self) -> Ran {
        let (head, running) = (self.repo.server_head(), self.server.running());
        let local = self.repo.head();
        let ran = self.repo.commit_and_push("Something bad").fails().says("pre-receive hook declined");
        assert_eq!(self.repo.server_head(), head, "the branch has moved");
        assert!(error_lines(&ran).next().is_some(), "no line begins with ` !     `:\n{ran}");
        self.http().serves("blog", "1");
        self.server.assert_clean();
        assert_eq!(self.server.running(), running, "other containers run than before");
        self.repo.git(&["reset", "--quiet", "--hard", &local]).ok();
        ran
    }

    /// The environment that the app sees.
    pub(crate) fn environment(&self) -> serde_json::Value {
        self.http().get("blog", "/env").json()
    }
}

/// The lines of a push that say what went wrong.
pub(crate) fn error_lines(ran: &Ran) -> impl Iterator<Item = String> {
    ran.remote_lines().into_iter().filter(|line| line.starts_with(" !     "))
}

/// The `name` of each element of a JSON list.
pub(crate) fn names(list: &serde_json::Value) -> Vec<String> {
    let list = list.as_array().expect("a list");
    list.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
}
