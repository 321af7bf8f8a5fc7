//! Listening for signals from the first instant on.
//!
//! What is to be done with a signal is written down only after its handler was installed: one
//! that comes in between is caught, and lost. So it is held back meanwhile, and delivered when
//! all is in place.

use std::io;

use nix::sys::signal::{SigSet, Signal as Number};
use tokio::signal::unix::{self, SignalKind};

/// Listens for a signal; also for one that whoever started us has held back.
pub(crate) fn listen(kind: SignalKind) -> io::Result<unix::Signal> {
    held_back(kind, || unix::signal(kind))
}

/// The signal can only be held back from the thread that calls: where there are others, it may
/// come to them.
fn held_back<T>(kind: SignalKind, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let mut held = SigSet::empty();
    held.add(Number::try_from(kind.as_raw_value())?);
    held.thread_block()?;
    let done = work();
    held.thread_unblock()?;
    done
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use nix::sys::signal::raise;

    use super::*;

    /// Nobody listens yet: were it not held back, it would end this process.
    #[tokio::test]
    async fn a_signal_that_comes_before_all_is_in_place_is_heard() {
        let kind = SignalKind::user_defined2();
        let listening = held_back(kind, || {
            raise(Number::SIGUSR2)?;
            unix::signal(kind)
        });
        let heard = async { listening.unwrap().recv().await };
        tokio::time::timeout(Duration::from_secs(30), heard).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn one_that_was_held_back_before_is_heard() {
        let mut held = SigSet::empty();
        held.add(Number::SIGUSR1);
        held.thread_block().unwrap();
        raise(Number::SIGUSR1).unwrap();
        let mut listening = listen(SignalKind::user_defined1()).unwrap();
        tokio::time::timeout(Duration::from_secs(30), listening.recv()).await.unwrap().unwrap();
    }
}
