//! How long a push, a command and an idle server take. Prints what it measures; it judges nothing.
//!
//! The floor of a push is what no platform can beat: `docker build`, `docker run` and the first 200 of the same change on the same machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a benchmark is a script")]

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use paas_e2e::{AppRepo, Client, Connection, Server, eventually, program};

const ROUNDS: usize = 15;
const COMMANDS: usize = 30;
const FLOOR_IMAGE: &str = "paas-e2e-floor";
const APPS: usize = 20;
const DEADLINE: Duration = Duration::from_secs(30);

fn main() {
    // `cargo bench` and `cargo test` pass options of their own; there is nothing to choose here.
    let server = Server::start();
    let admin = server.admin();
    pushes(&server, &admin);
    commands(&server, &admin);
    memory(&server, &admin);
}

fn pushes(server: &Server, admin: &Client) {
    let repo = admin.app_repo("blog");
    repo.push().ok();
    let docker = docker_with_buildkit(&repo);
    let (mut floors, mut pushes) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let version = format!("round-{round}");
        repo.set("version", &version).commit("One line");
        // Alternating, so that what else the machine does meets both.
        let floor = || floor(&docker, &repo, &version);
        // Until the URL answers, as with the floor. The push itself ends later, when the old version is drained and removed.
        let push = || {
            let mut push = None;
            let took = timed(|| {
                push = Some(repo.push_in_background());
                server.http().serves_within("blog", &version, DEADLINE);
            });
            push.map(|push| push.wait().ok());
            took
        };
        // Whoever goes second finds the layer of the change in the cache, so each has its own change.
        if round % 2 == 0 {
            pushes.push(push());
            repo.set("version", &format!("{version}-floor"));
            floors.push(floor());
        } else {
            repo.set("version", &format!("{version}-floor"));
            floors.push(floor());
            repo.set("version", &version);
            pushes.push(push());
        }
        repo.git(&["checkout", "--quiet", "."]).ok();
    }
    server.engine().docker(&["rmi", "--force", FLOOR_IMAGE]).ok();
    let (floor, push) = (median(floors), median(pushes));
    println!("push of a one-line change to the URL answering: {push:?}");
    println!("floor (docker build + docker run + first 200):   {floor:?}");
    println!(
        "beyond the floor: {:?}, ratio {:.2}\n",
        push.saturating_sub(floor),
        push.as_secs_f64() / floor.as_secs_f64()
    );
}

/// The old command line has BuildKit in it, the new one needs a plugin that not everybody has.
fn docker_with_buildkit(repo: &AppRepo) -> String {
    for docker in ["docker", "/usr/bin/docker"] {
        let mut build = program(docker);
        build.env("DOCKER_BUILDKIT", "1").args(["build", "--quiet", "."]).current_dir(repo.directory());
        if build.output().is_ok_and(|output| output.status.success()) {
            return docker.to_owned();
        }
    }
    panic!("no docker command line here can build with BuildKit");
}

fn floor(docker: &str, repo: &AppRepo, version: &str) -> Duration {
    let run = |args: &[&str]| {
        let mut command = program(docker);
        let output =
            command.env("DOCKER_BUILDKIT", "1").args(args).current_dir(repo.directory()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let mut container = String::new();
    let took = timed(|| {
        run(&["build", "--quiet", "--tag", FLOOR_IMAGE, "."]);
        container = run(&["run", "--detach", "--init", "--env", "PORT=3000", FLOOR_IMAGE]);
        let address = run(&["inspect", "--format", "{{.NetworkSettings.IPAddress}}", &container]);
        eventually("the floor answers", DEADLINE, || {
            let stream = TcpStream::connect((address.as_str(), 3000)).map_err(|error| error.to_string())?;
            let answer = Connection::over(stream)
                .and_then(|mut connection| connection.send("GET", "floor", "/", &[], b""));
            let answer = answer.map_err(|error| error.to_string())?;
            if answer.text().contains(version) { Ok(()) } else { Err(answer.text()) }
        });
    });
    run(&["rm", "--force", &container]);
    took
}

fn commands(server: &Server, admin: &Client) {
    let (plain, _sshd) = server.plain_ssh();
    let local = median((0..COMMANDS).map(|_| server.paas(&["apps:list"]).ok().took).collect());
    let (mut over_ssh, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..COMMANDS {
        over_ssh.push(admin.ssh(&["apps:list"]).ok().took);
        bare.push(plain.ssh(&["true"]).ok().took);
    }
    let (over_ssh, bare) = (median(over_ssh), median(bare));
    println!("paas apps:list on the server: {local:?}");
    println!(
        "over ssh: {over_ssh:?}; `ssh … true`: {bare:?}; difference {:?}\n",
        over_ssh.saturating_sub(bare)
    );
}

fn memory(server: &Server, admin: &Client) {
    let first = admin.app_repo("app-0");
    first.push().ok();
    for number in 1..APPS {
        first.git(&["push", &admin.remote(&format!("app-{number}")), "main"]).ok();
    }
    let (control, proxy) = server.pids();
    let (control, proxy) = (resident(control), resident(proxy));
    println!(
        "resident with {} apps: control {control} KiB, proxy {proxy} KiB, together {} KiB",
        APPS + 1,
        control + proxy
    );
}

/// `VmRSS` of a process in KiB (proc(5)).
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn timed(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
