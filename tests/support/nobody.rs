//! An address at which nobody answers.

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// A port that is taken and not listened at: whoever connects is refused, and no other test's server
/// gets it for as long as this is held.
pub(crate) struct Nobody(TcpSocket);

impl Nobody {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        Self(socket)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }
}
