//! Why nobody answers: what the container's processes really listen on, read from the kernel.

use std::{fs, net::Ipv4Addr};

/// Docker's resolver listens inside every container of a user-defined network; it is not the app.
const ENGINE_RESOLVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);

/// A TCP socket in LISTEN inside a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Listening {
    pub(crate) port: u16,
    /// Only processes inside the container can reach it.
    pub(crate) loopback_only: bool,
}

/// What the network namespace of that process listens on; empty when it cannot be read.
pub(crate) fn listening(pid: u32) -> Vec<Listening> {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/net/{file}")).unwrap_or_default();
    let mut all: Vec<Listening> = read("tcp").lines().chain(read("tcp6").lines()).filter_map(parse).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// One line of `/proc/net/tcp` or `tcp6` (proc(5)): `sl local_address rem_address st …`, address in host byte order, hex.
fn parse(line: &str) -> Option<Listening> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (address, port) = fields.next()?.split_once(':')?;
    let state = fields.nth(1)?;
    if state != "0A" {
        return None;
    }
    let loopback_only = match address.len() {
        8 => {
            let address = Ipv4Addr::from(u32::from_str_radix(address, 16).ok()?.swap_bytes());
            if address == ENGINE_RESOLVER {
                return None;
            }
            address.is_loopback()
        }
        _ => address.eq_ignore_ascii_case("00000000000000000000000001000000"),
    };
    Some(Listening { port: u16::from_str_radix(port, 16).ok()?, loopback_only })
}

/// The sentence and the way out, for an app that was asked on `port`.
pub(crate) fn explain(listening: &[Listening], port: u16) -> (String, String) {
    let others: Vec<String> = listening.iter().map(|socket| socket.port.to_string()).collect();
    if listening.iter().any(|socket| socket.port == port && socket.loopback_only) {
        return (
            format!(
                "the app listens on 127.0.0.1:{port} only, where nothing outside its container can reach it"
            ),
            "make it listen on 0.0.0.0 (often an option named HOST, BIND or --host)".to_owned(),
        );
    }
    if others.is_empty() {
        return (
            format!("the app does not listen on any port; it is asked on port {port}"),
            format!(
                "make it listen on 0.0.0.0:$PORT (PORT is {port}); if it needs longer to start, `paas checks:set APP --timeout 5m`"
            ),
        );
    }
    (
        format!("the app listens on port {}, but is asked on port {port}", others.join(", ")),
        format!("make it listen on $PORT, or `paas config:set APP PORT={}`", others[0]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_lines_are_read() {
        let line = "   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0";
        assert_eq!(parse(line), Some(Listening { port: 3000, loopback_only: true }));
        let any = "   1: 00000000:1F90 00000000:0000 0A 0 0";
        assert_eq!(parse(any), Some(Listening { port: 8080, loopback_only: false }));
        let established = "   1: 0100007F:0BB8 0100007F:1F90 01 0 0";
        assert_eq!(parse(established), None);
        assert_eq!(parse("  sl  local_address rem_address   st tx_queue"), None);
    }

    #[test]
    fn each_case_has_its_sentence() {
        let local = Listening { port: 3000, loopback_only: true };
        let other = Listening { port: 8080, loopback_only: false };
        assert!(explain(&[local], 3000).0.contains("127.0.0.1:3000 only"));
        assert!(explain(&[other], 3000).1.contains("PORT=8080"));
        assert!(explain(&[], 3000).0.contains("does not listen"));
    }

    #[test]
    fn our_own_sockets_are_found() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert!(listening(std::process::id()).contains(&Listening { port, loopback_only: true }));
    }
}
