//! A whole installation in a temporary directory.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::binaries::paas_binary;
use crate::client::Client;
use crate::command::{Ran, program, run};
use crate::config::{Config, DOMAIN, ServerOptions};
use crate::cpu_group::CpuGroup;
use crate::database::Database;
use crate::engine::Engine;
use crate::http::Http;
use crate::https::Https;
use crate::pool::Pool;
use crate::ports::free_port;
use crate::process::Process;
use crate::sshd::{Sshd, write_private};
use crate::wait::eventually;

const START_DEADLINE: Duration = Duration::from_secs(30);
const STOP_GRACE: Duration = Duration::from_secs(45);
const SETTLE_DEADLINE: Duration = Duration::from_secs(30);
const LOG_LINES: usize = 80;
const USER: &str = "root";

/// The installation: control, proxy, sshd, and an administrator's laptop.
#[derive(Debug)]
pub struct Server {
    directory: TempDir,
    options: ServerOptions,
    engine: Engine,
    pool: Pool,
    /// Of the proxy: HTTP and HTTPS.
    ports: [u16; 2],
    instance: String,
    admin: Client,
    proxy: Process,
    control: Process,
    sshd: Sshd,
    /// The proxies that took over from `proxy`, which are nobody's children here.
    successors: Vec<u32>,
}

impl Server {
    /// Starts one with the usual options.
    pub fn start() -> Self {
        Self::start_with(ServerOptions::default())
    }

    /// Starts one; returns when control, proxy and sshd answer and the administrator's key is known.
    pub fn start_with(options: ServerOptions) -> Self {
        assert!(rustix::process::geteuid().is_root(), "control and sshd run as root, so these tests do too");
        let engine = Engine::default();
        engine.require();
        let directory =
            tempfile::Builder::new().prefix("paas-e2e-").tempdir().expect("a temporary directory");
        let root = directory.path();
        for name in ["data", "run", "log"] {
            fs::create_dir(root.join(name)).expect("a directory");
        }
        let mut pool = Pool::take(&engine);
        let sshd = Sshd::start(&root.join("log"), &root.join("data/ssh/authorized_keys"));
        let acme = options.acme.as_ref();
        let ports = acme.map_or_else(|| [free_port(), free_port()], |acme| [acme.http_port, acme.https_port]);
        let config = Config {
            data: &root.join("data"),
            run: &root.join("run"),
            user: USER,
            ssh_port: sshd.port,
            domain: options.domain.as_deref().unwrap_or(DOMAIN),
            ports,
            acme,
            pool: &pool.cidr(),
            docker_socket: options.docker_socket.as_deref().unwrap_or(engine.socket()),
            min_free: options.min_free.as_deref().unwrap_or("100MiB"),
            metrics_port: options.metrics_port,
        };
        write_private(&root.join("paas.toml"), &config.text());
        run(paas_command(root, &["setup"]), b"").ok();
        let instance = Database::new(&root.join("data/paas.db")).instance();
        pool.set_instance(&instance);

        if options.own_binary {
            fs::copy(paas_binary(), own_binary(root)).expect("the binary can be copied");
        }
        let proxy = spawn_proxy(root);
        let control = spawn_control(root, options.failpoints.as_deref());
        let admin = Client::new(&root.join("admin"), "admin", &sshd);
        let mut server = Self {
            directory,
            options,
            engine,
            pool,
            ports,
            instance,
            admin,
            proxy,
            control,
            sshd,
            successors: Vec::new(),
        };
        server.wait_until_ready();
        server.paas_with_input(&["ssh-keys:add", "admin"], server.admin.public_key().as_bytes()).ok();
        server
    }

    /// The administrator's laptop.
    pub fn admin(&self) -> Client {
        self.admin.clone()
    }

    /// Somebody else's laptop; the server does not know the key.
    pub fn stranger(&self, name: &str) -> Client {
        Client::new(&self.path(name), name, &self.sshd)
    }

    /// Somebody else's laptop with a key that the server knows; `args` follow the key's name.
    pub fn colleague(&self, name: &str, args: &[&str]) -> Client {
        let client = self.stranger(name);
        let mut line = vec!["ssh-keys:add", name];
        line.extend(args);
        self.paas_with_input(&line, client.public_key().as_bytes()).ok();
        client
    }

    /// A client whose key gives it a shell by a second sshd: what ssh costs without paas. It answers as long as the process is kept.
    pub fn plain_ssh(&self) -> (Client, Process) {
        let directory = self.path("plain-ssh");
        fs::create_dir(&directory).expect("a directory");
        let authorized_keys = directory.join("authorized_keys");
        let sshd = Sshd::start(&directory, &authorized_keys);
        let client = Client::new(&directory.join("client"), "plain", &sshd);
        write_private(&authorized_keys, &client.public_key());
        (client, sshd.process)
    }

    /// Runs the command line on the server.
    pub fn paas(&self, args: &[&str]) -> Ran {
        self.paas_with_input(args, b"")
    }

    /// Runs the command line on the server with a standard input.
    pub fn paas_with_input(&self, args: &[&str], input: &[u8]) -> Ran {
        run(paas_command(self.directory.path(), args), input)
    }

    /// A client of the proxy.
    pub fn http(&self) -> Http {
        Http::on_port(self.ports[0])
    }

    /// A client of the proxy's TLS port that trusts this root.
    pub fn https(&self, root: &str) -> Https {
        Https::new(self.ports[1], self.directory.path(), root)
    }

    /// The port of the proxy that speaks TLS.
    pub fn https_port(&self) -> u16 {
        self.ports[1]
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The installation's id.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// The installation's database.
    pub fn database(&self) -> Database {
        Database::new(&self.path("data/paas.db"))
    }

    /// A path inside the temporary directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The names of the containers that run.
    pub fn running(&self) -> Vec<String> {
        let mut names = self.engine.running(&self.instance);
        names.sort();
        names
    }

    /// The proxy's services, as it tells on its own socket.
    pub fn proxied(&self) -> serde_json::Value {
        let mut curl = program("curl");
        curl.args(["--silent", "--show-error", "--fail", "--unix-socket"]).arg(self.path("run/proxy.sock"));
        run(
            {
                curl.arg("http://proxy/v1/services");
                curl
            },
            b"",
        )
        .ok()
        .json()
    }

    /// What control has logged.
    pub fn control_log(&self) -> String {
        self.control.log()
    }

    /// What the proxy has logged.
    pub fn proxy_log(&self) -> String {
        self.proxy.log()
    }

    /// The process `paas serve`.
    pub fn control(&mut self) -> &mut Process {
        &mut self.control
    }

    /// Gives the proxy as much of busy processors as its unit does, until the result is dropped.
    pub fn weigh_proxy(&self) -> CpuGroup {
        CpuGroup::of_proxy(&self.proxy)
    }

    /// The process `paas proxy`.
    pub fn proxy(&mut self) -> &mut Process {
        &mut self.proxy
    }

    /// The pid of control's and the proxy's process.
    pub fn pids(&self) -> (u32, u32) {
        (self.control.pid(), self.proxy.pid())
    }

    /// What the next start of control has in `FAILPOINTS`.
    pub fn set_failpoints(&mut self, failpoints: Option<&str>) {
        self.options.failpoints = failpoints.map(str::to_owned);
    }

    /// Starts control again, which must have ended, and waits until it answers.
    pub fn start_control(&mut self) {
        assert!(self.control.ended().is_some(), "control still runs");
        self.control = spawn_control(self.directory.path(), self.options.failpoints.as_deref());
        self.wait_until_ready();
    }

    /// SIGTERM, then a new start.
    pub fn restart_control(&mut self) {
        self.control.terminate(STOP_GRACE);
        self.start_control();
    }

    /// SIGKILL, then a new start.
    pub fn kill_and_restart_control(&mut self) {
        self.control.kill();
        self.start_control();
    }

    /// Starts the proxy again, which must have ended, and waits until it answers.
    pub fn start_proxy(&mut self) {
        assert!(self.proxy.ended().is_some(), "the proxy still runs");
        self.proxy = spawn_proxy(self.directory.path());
        self.wait_until_ready();
    }

    /// Starts the proxy again while control is down, and waits until it answers.
    pub fn start_proxy_alone(&mut self) {
        self.proxy = spawn_proxy(self.directory.path());
        let (socket, port) = (self.path("run/proxy.sock"), self.ports[0]);
        eventually("the proxy answers", START_DEADLINE, || {
            UnixStream::connect(&socket).map_err(|error| format!("{}: {error}", socket.display()))?;
            TcpStream::connect(("127.0.0.1", port)).map_err(|error| format!("port {port}: {error}"))
        });
    }

    /// Puts another binary in the place of the server's own ([`ServerOptions::own_binary`]), as an upgrade does; it does the same.
    pub fn upgrade_binary(&self) {
        let (binary, new) = (own_binary(self.directory.path()), self.path("paas.new"));
        fs::copy(&binary, &new).expect("the binary can be copied");
        let mut file = fs::File::options().append(true).open(&new).expect("the copy can be written to");
        file.write_all(b"another version").expect("the copy can be written to");
        drop(file);
        fs::rename(&new, &binary).expect("the binary can be replaced");
    }

    /// Lets the proxy hand over, by the command people use; gives the id of the process that has taken over.
    #[track_caller]
    pub fn reload_proxy(&mut self) -> u32 {
        let said = self.paas(&["proxy:reload"]).ok().stdout;
        let pid = said.trim().rsplit(' ').next().and_then(|word| word.parse().ok());
        let pid = pid.unwrap_or_else(|| panic!("no process id: {said}"));
        self.successors.push(pid);
        pid
    }

    /// Waits until nothing moves any more, then panics if something is left over: a deploy that has not ended, a container without a
    /// row or of an old deploy, a row without a container, a network without an app, a quarantine of git.
    #[track_caller]
    pub fn assert_clean(&self) {
        eventually("the server is clean", SETTLE_DEADLINE, || self.leftovers());
    }

    fn leftovers(&self) -> Result<(), String> {
        let database = self.database();
        let mut containers = self.engine.containers(&self.instance);
        containers.sort();
        let networks = self.engine.networks(&self.instance);
        let of_apps: Vec<_> = database.app_ids().iter().map(|id| format!("paas-app-{id}")).collect();
        let orphans: Vec<_> = networks.iter().filter(|name| !of_apps.contains(name)).collect();
        let complaints = [
            ("deploys that have not ended", format!("{:?}", database.unfinished_deploys())),
            ("containers of an old deploy", format!("{:?}", database.stray_containers())),
            ("networks without an app", format!("{orphans:?}")),
            ("quarantines of git", format!("{:?}", quarantines(&self.path("data/repos")))),
        ];
        for (what, list) in complaints {
            if list != "[]" {
                return Err(format!("{what}: {list}"));
            }
        }
        let wanted = database.wanted_containers();
        if containers == wanted {
            Ok(())
        } else {
            Err(format!("containers are {containers:?}, rows want {wanted:?}"))
        }
    }

    fn wait_until_ready(&mut self) {
        let (control, proxy) = (self.path("run/paas.sock"), self.path("run/proxy.sock"));
        let port = self.ports[0];
        let mut processes = [&mut self.control, &mut self.proxy];
        eventually("control and proxy answer", START_DEADLINE, || {
            for process in &mut processes {
                assert!(
                    process.ended().is_none(),
                    "a process ended at start:\n{}",
                    process.log_tail(LOG_LINES)
                );
            }
            UnixStream::connect(&control).map_err(|error| format!("{}: {error}", control.display()))?;
            UnixStream::connect(&proxy).map_err(|error| format!("{}: {error}", proxy.display()))?;
            TcpStream::connect(("127.0.0.1", port)).map_err(|error| format!("port {port}: {error}"))
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- control's log ends\n{}", self.control.log_tail(LOG_LINES));
            eprintln!("--- the proxy's log ends\n{}", self.proxy.log_tail(LOG_LINES));
            eprintln!("--- sshd's log ends\n{}", self.sshd.process.log_tail(LOG_LINES));
        }
        self.control.kill();
        self.proxy.kill();
        for pid in &self.successors {
            kill_ours(*pid, self.directory.path());
        }
        self.sshd.process.kill();
        self.engine.remove_all_of(&self.instance);
        self.pool.set_instance("");
    }
}

/// Ends a process that is not our child, if it is still the one it was: its arguments name the installation's directory.
fn kill_ours(pid: u32, root: &Path) {
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    if String::from_utf8_lossy(&arguments).contains(&*root.to_string_lossy()) {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid");
        // One that has ended meanwhile is what was wanted.
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Where the binary lies that the server has for itself.
fn own_binary(root: &Path) -> PathBuf {
    root.join("paas")
}

fn spawn_control(root: &Path, failpoints: Option<&str>) -> Process {
    let mut command = paas_command(root, &["serve"]);
    command.envs(failpoints.map(|failpoints| ("FAILPOINTS", failpoints)));
    Process::spawn("control", &command, &root.join("log"))
}

fn spawn_proxy(root: &Path) -> Process {
    Process::spawn("proxy", &paas_command(root, &["proxy"]), &root.join("log"))
}

fn paas_command(root: &Path, args: &[&str]) -> std::process::Command {
    let own = own_binary(root);
    let mut command = program(if own.exists() { own } else { paas_binary() });
    command.arg("--config").arg(root.join("paas.toml")).args(args);
    command
}

/// What git leaves while a push is under way.
fn quarantines(repos: &Path) -> Vec<PathBuf> {
    let repos = fs::read_dir(repos).into_iter().flatten().flatten();
    let objects = repos.filter_map(|repo| fs::read_dir(repo.path().join("objects")).ok());
    let entries = objects.flat_map(Iterator::flatten).map(|entry| entry.path());
    entries
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("tmp_objdir")))
        .collect()
}
