use std::net::Ipv4Addr;

/// A loopback address that no other test has: one of the sixteen million in 127.0.0.0/8, below 127.64.0.0 none.
pub fn own_address() -> Ipv4Addr {
    let [_, a, b, c]: [u8; 4] = rand::random();
    Ipv4Addr::new(127, 64 | a & 0x3f, b, c.clamp(1, 254))
}
