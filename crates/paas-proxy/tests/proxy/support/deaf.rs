use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// A port that refuses every connection and is nobody else's, until it is listened to.
pub struct Deaf {
    pub address: SocketAddr,
    socket: TcpSocket,
}

impl Deaf {
    pub fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self { address: socket.local_addr().unwrap(), socket }
    }

    pub fn listen(self) -> TcpListener {
        self.socket.listen(128).unwrap()
    }
}
