//! Passing signals on.

use std::io;

use rustix::process::{Pid, Signal, getpgrp, kill_process};
use tokio::signal::unix::{self, SignalKind};

use crate::hearing;

/// The signals that a wrapper is sent on its command's behalf.
#[derive(Debug)]
pub(super) struct Signals {
    interrupt: unix::Signal,
    quit: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
    user1: unix::Signal,
    user2: unix::Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: hearing::listen(SignalKind::interrupt())?,
            quit: hearing::listen(SignalKind::quit())?,
            terminate: hearing::listen(SignalKind::terminate())?,
            hangup: hearing::listen(SignalKind::hangup())?,
            user1: hearing::listen(SignalKind::user_defined1())?,
            user2: hearing::listen(SignalKind::user_defined2())?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.quit.recv() => Signal::QUIT,
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.hangup.recv() => Signal::HUP,
            _ = self.user1.recv() => Signal::USR1,
            _ = self.user2.recv() => Signal::USR2,
        }
    }
}

pub(super) fn send(signal: Signal, child: Option<u32>) {
    // The terminal sends Ctrl-C to the command as well: it would come twice, and
    // many programs take the second one for "now, without cleaning up".
    if matches!(signal, Signal::INT | Signal::QUIT) && in_foreground() {
        return;
    }
    if let Some(pid) = child.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
        // The command may have ended just now; then nobody is left to be told.
        let _ = kill_process(pid, signal);
    }
}

fn in_foreground() -> bool {
    rustix::termios::tcgetpgrp(rustix::stdio::stdin()).is_ok_and(|group| group == getpgrp())
}
