//! Signals once the command has ended: nobody is left to pass them on to.

use tokio::signal::unix::{Signal, SignalKind};

use super::{Exit, Failure};
use crate::hearing;

/// The signals that mean "stop".
#[derive(Debug)]
pub(super) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    quit: Signal,
}

impl Interrupts {
    /// Signals from now on; earlier ones were the command's.
    pub(super) fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            hearing::listen(kind)
                .map_err(|e| Failure::new(Exit::Io, format!("cannot listen for signals: {e}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
            quit: listen(SignalKind::quit())?,
        })
    }

    /// What the work gives; or, if a signal came first and the work was dropped, how to end.
    pub(super) async fn unless<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Exit> {
        let signal = tokio::select! {
            done = work => return Ok(done),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.hangup.recv() => SignalKind::hangup(),
            _ = self.quit.recv() => SignalKind::quit(),
        };
        Err(Exit::Interrupted(u8::try_from(signal.as_raw_value()).unwrap_or_default()))
    }
}
