//! SIGTERM: heard on a thread of its own, which does nothing but note the time. However
//! long a call to the file system takes elsewhere, the grace period is counted from when
//! the signal came.

use std::time::Instant;
use std::{io, thread};

use tokio::runtime::Builder;
use tokio::signal::unix::SignalKind;
use tokio::sync::watch;

use crate::hearing;

/// The signal that says that the step has ended: SIGTERM, the first of them.
#[derive(Debug, Clone)]
pub struct Signals(watch::Receiver<Option<Instant>>);

/// SIGTERM came, at this instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told(Instant);

impl Told {
    pub(super) fn at(self) -> Instant {
        self.0
    }
}

impl Signals {
    /// Listens. On return, SIGTERM does not end the process any more: until then it would,
    /// without a word, and Argo takes that for a good end.
    pub fn listen() -> io::Result<Self> {
        // An event loop of its own, so that it waits for nobody else's work.
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let mut terminate = {
            let _inside = runtime.enter();
            hearing::listen(SignalKind::terminate())?
        };
        let (stamp, stamped) = watch::channel(None);
        let hear = move || {
            runtime.block_on(async {
                if terminate.recv().await.is_some() {
                    stamp.send_replace(Some(Instant::now()));
                }
            });
        };
        thread::Builder::new().name("signals".to_owned()).spawn(hear)?;
        Ok(Self(stamped))
    }

    /// Whether SIGTERM has come.
    pub(super) fn is_told(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits until SIGTERM has come.
    pub(super) async fn told(&self) -> Told {
        let mut stamped = self.0.clone();
        let at = stamped.wait_for(Option::is_some).await.ok().and_then(|at| *at);
        // If the thread is gone, nobody will ever tell, and to wait for that is worse.
        Told(at.unwrap_or_else(Instant::now))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    /// The thread that waits for everything else may be held by a file system.
    #[test]
    fn the_time_is_noted_while_the_event_loop_is_held() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let signals = Signals::listen().unwrap();
            let before = Instant::now();
            kill_process(getpid(), Signal::TERM).unwrap();
            // Without an await: nothing else runs on this thread.
            while signals.0.borrow().is_none() {
                assert!(before.elapsed() < Duration::from_secs(30), "nobody heard the signal");
                thread::yield_now();
            }
            let noted = Instant::now();
            let told = signals.told().await;
            assert!(before <= told.at() && told.at() <= noted);
            assert_eq!(signals.told().await, told, "it is told again, and not a second time");
        });
    }
}
