//! What several themes need.

use std::time::Duration;

use paas_e2e::{AppRepo, Client, Http, Https, Ran, Server, ServerOptions, eventually};

/// Within this the server must have repaired itself.
pub(crate) const HEALED: Duration = Duration::from_secs(30);

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
