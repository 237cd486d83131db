//! A connection that can be cut.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// Passes connections on to a server, at an address that stays the same.
pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    server: SocketAddr,
    ending: CancellationToken,
}

impl Line {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { address, server, ending: forward(listener, server) }
    }

    /// Breaks all connections and takes no new ones.
    pub(crate) fn cut(&self) {
        self.ending.cancel();
    }

    pub(crate) async fn restore(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.ending = forward(listener, self.server);
    }
}

fn forward(listener: TcpListener, server: SocketAddr) -> CancellationToken {
    let ending = CancellationToken::new();
    let connections = ending.clone();
    tokio::spawn(ending.clone().run_until_cancelled_owned(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let copying = async move {
                if let Ok(mut far) = TcpStream::connect(server).await {
                    // How a connection ends is what the tests look at from both sides.
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                }
            };
            tokio::spawn(connections.clone().run_until_cancelled_owned(copying));
        }
    }));
    ending
}
