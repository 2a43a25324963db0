//! The harness itself: a load generator that cannot see a failure, or a client that retries, would make every other test worthless.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use paas_e2e::{Connection, Engine, Http, Load, WebSocket, eventually, free_port, program, test_app};

/// The test app on a port of its own, without a container.
struct App {
    child: Child,
    http: Http,
}

impl App {
    fn start(directory: &Path) -> Self {
        let port = free_port();
        fs::write(directory.join("behaviour"), "version=7\n").unwrap();
        let mut command = program(test_app());
        command
            .env("PORT", port.to_string())
            .env("BEHAVIOUR_FILE", directory.join("behaviour"))
            .env("DATA_DIR", directory);
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        eventually("the app listens", Duration::from_secs(10), || {
            TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())
        });
        Self { child, http: Http::on_port(port) }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn the_client_reads_every_framing() {
    let directory = tempfile::tempdir().unwrap();
    let app = App::start(directory.path());
    app.http.serves("any", "7");
    assert_eq!(app.http.get("any", "/bytes?n=100000").body.len(), 100_000, "chunked");
    assert_eq!(app.http.post("any", "/echo", b"abc").body, b"abc");
    assert_eq!(app.http.get("any", "/write?name=a&text=b%20c").status, 200);
    assert_eq!(app.http.get("any", "/read?name=a").text(), "b c");
    assert_eq!(app.http.get("any", "/read?name=..%2Fpasswd").status, 500);
    WebSocket::open(app.http, "any").echoes(&"long ".repeat(1000));
}

#[test]
fn the_load_counts_and_sees_a_server_that_dies() {
    let directory = tempfile::tempdir().unwrap();
    let app = App::start(directory.path());
    let http = app.http;
    let load = Load::start(http, "any");
    load.wait_for_more(2_000);
    let report = load.stop();
    report.assert_none_failed(2_000);
    assert_eq!(report.versions.keys().collect::<Vec<_>>(), ["7"]);

    let load = Load::start(http, "any");
    load.wait_for_more(100);
    drop(app);
    load.wait_for_more(100);
    assert!(load.stop().failed >= 90, "a refused connection is a failed request");
}

#[test]
fn a_connection_that_breaks_is_an_error_and_not_retried() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let http = Http::on_port(listener.local_addr().unwrap().port());
    let server = thread::spawn(move || {
        let mut accepted = 0;
        for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"] {
            let (mut stream, _) = listener.accept().unwrap();
            accepted += 1;
            assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
            stream.write_all(answer.as_bytes()).unwrap();
        }
        accepted
    });
    for expected in ["no answer", "broke off"] {
        let mut connection: Connection = http.connect().unwrap();
        let error = connection.send("GET", "a", "/", &[], b"").unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(server.join().unwrap(), 2);
}

#[test]
fn the_app_runs_from_scratch_and_everything_of_an_instance_is_removed() {
    let engine = Engine::default();
    engine.require();
    let instance = format!("harness-{}", std::process::id());
    let label = format!("dev.paas.instance={instance}");
    let directory = tempfile::tempdir().unwrap();
    fs::copy(test_app(), directory.path().join("app")).unwrap();
    fs::write(directory.path().join("behaviour"), "version=3\n").unwrap();
    fs::write(
        directory.path().join("Dockerfile"),
        "FROM scratch\nCOPY app /app\nCOPY behaviour /behaviour\nCMD [\"/app\"]\n",
    )
    .unwrap();
    let context = directory.path().display().to_string();
    let image = format!("paas-e2e/{instance}");
    engine.docker(&["build", "--quiet", "--label", &label, "--tag", &image, &context]).ok();
    engine.docker(&["network", "create", "--label", &label, &instance]).ok();
    engine.docker(&["volume", "create", "--label", &label, &instance]).ok();
    let name = format!("{instance}-web");
    let volume = format!("{instance}:/data");
    engine
        .docker(&[
            "run",
            "--detach",
            "--init",
            "--label",
            &label,
            "--network",
            &instance,
            "--volume",
            &volume,
            "--name",
            &name,
            &image,
        ])
        .ok();
    assert_eq!(engine.running(&instance), std::slice::from_ref(&name));
    eventually("the app has started", Duration::from_secs(10), || {
        let logs = engine.docker(&["logs", &name]).ok().stdout;
        if logs.contains("test app web, version 3") && logs.contains("listening on") {
            Ok(())
        } else {
            Err(logs)
        }
    });

    engine.remove_all_of(&instance);
    assert!(engine.containers(&instance).is_empty());
    assert!(engine.networks(&instance).is_empty());
    assert!(engine.volumes(&instance).is_empty());
    assert!(engine.images(&instance).is_empty());
}
