//! That this process is about to end, for those whose answers have no end of their own.

use tokio::sync::watch;

/// How far the end of this process has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    Draining,
    Stopping,
}

/// Whether this process is about to end. Cheap to clone.
///
/// An answer without an end of its own, such as a subscription, must end when [`stopped`](Self::stopped) does: the
/// process waits for it.
#[derive(Debug, Clone)]
pub struct Stopping(watch::Receiver<Phase>);

/// The one who says so.
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<Phase>);

impl Stopping {
    /// Of a process that serves, and the one who ends it.
    pub(crate) fn new() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(Phase::Serving);
        (Stopper(sender), Self(receiver))
    }

    /// Whether new work should go elsewhere; requests are still answered.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        *self.0.borrow() >= Phase::Draining
    }

    /// Ends when answers have to.
    ///
    /// # Cancel safety
    /// Safe: it keeps nothing.
    pub async fn stopped(&self) {
        let mut receiver = self.0.clone();
        // When the one who says so is gone without a word, nobody will: routers of tests live on without it.
        if receiver.wait_for(|phase| *phase == Phase::Stopping).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Stopper {
    /// From now on the process is not ready, and still answers.
    pub(crate) fn drain(&self) {
        self.0.send_replace(Phase::Draining);
    }

    /// From now on answers without an end of their own end.
    pub(crate) fn stop(&self) {
        self.0.send_replace(Phase::Stopping);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn answers_end_when_the_process_stops_and_not_when_it_drains() {
        let (stopper, stopping) = Stopping::new();
        assert!(!stopping.is_draining());
        stopper.drain();
        assert!(stopping.is_draining());
        assert!(stopping.stopped().now_or_never().is_none());
        stopper.stop();
        assert!(stopping.stopped().now_or_never().is_some());
    }

    #[test]
    fn a_router_whose_server_is_gone_goes_on() {
        let (stopper, stopping) = Stopping::new();
        drop(stopper);
        assert!(!stopping.is_draining() && stopping.stopped().now_or_never().is_none());
    }
}
