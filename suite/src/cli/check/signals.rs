//! Being told to end.

/// How the program was told to end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Interruption {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM, or the terminal is gone.
    Terminate,
}

/// Completes when the program is told to end. From then on the signals no longer end it by themselves.
#[cfg(unix)]
pub(super) async fn interruption() -> Interruption {
    use tokio::signal::unix::{SignalKind, signal};

    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds.map(signal) else {
        // Without handlers the signals do what they always do.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Interruption::Interrupt,
        _ = terminate.recv() => Interruption::Terminate,
        _ = hangup.recv() => Interruption::Terminate,
    }
}

#[cfg(not(unix))]
pub(super) async fn interruption() -> Interruption {
    match tokio::signal::ctrl_c().await {
        Ok(()) => Interruption::Interrupt,
        Err(_) => std::future::pending().await,
    }
}
