//! Free ports, outside the range that the kernel gives to outgoing connections.

use std::net::TcpListener;

use rand::RngExt;

/// A port of 127.0.0.1 that nobody listens on. It lies below the ephemeral range, so that a client's own connections cannot
/// take it while the process that owns it is restarted.
pub fn free_port() -> u16 {
    for _ in 0..1000 {
        let port = rand::rng().random_range(10_000..30_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between 10000 and 30000 on 127.0.0.1");
}
