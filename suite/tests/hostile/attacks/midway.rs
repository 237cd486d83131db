//! Targets that keep every rule, and cease to.

use std::{future::Future, sync::Arc};

use tokio::{io::copy_bidirectional, net::TcpStream, sync::watch};

use super::{Attack, EITHER, attack};
use crate::peer::{Peer, Serve, serve};

/// With the connection after these it happens, to all.
const RIGHT: usize = 100;

/// The attacks, and the server that is right behind them.
pub(crate) async fn attacks() -> (Vec<Attack>, streamgauge_reference_server::RunningServer) {
    let right = streamgauge::built_in::start().await.expect("a free port");
    let midway = |name, told, serve| attack(name, EITHER, told, serve).keeping_some_rules();
    let at = right.addr.to_string();
    let attacks = vec![
        midway("begins to hang", &["has ceased to answer"], relaying(&at, Peer::hang)).waiting(),
        midway("begins to hang up", &["closed the connection"], relaying(&at, Peer::leave)),
        midway("begins to reset", &["connection broke"], relaying(&at, |peer| async move { peer.reset() })),
    ];
    (attacks, right)
}

/// Hands connections on to the right server at first, and then to `then`.
fn relaying<W: Future<Output = ()> + Send + 'static>(
    right: &str,
    then: impl Fn(Peer) -> W + Send + Sync + 'static,
) -> Serve {
    let (right, then, seen) = (right.to_owned(), Arc::new(then), Arc::new(watch::Sender::new(0)));
    serve(move |mut peer| {
        let (right, then, seen) = (right.clone(), Arc::clone(&then), Arc::clone(&seen));
        async move {
            seen.send_modify(|connections| *connections += 1);
            let mut turned = seen.subscribe();
            let relay = async {
                if let Ok(mut upstream) = TcpStream::connect(&right).await {
                    // Either side may leave when it likes.
                    let _ = copy_bidirectional(&mut peer.stream, &mut upstream).await;
                }
            };
            tokio::select! {
                biased;
                _ = turned.wait_for(|connections| *connections > RIGHT) => {}
                () = relay => return,
            }
            then(peer).await;
        }
    })
}
