//! Processes of the binary: started, watched, told, waited for.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Far more than anything takes, even where many tests share one core.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argo-attest"));
    command.env_clear().stdin(Stdio::null());
    command
}

/// Waits until `find` finds something.
pub(crate) fn until<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Lets time pass in which something must not happen; nothing is awaited by it.
pub(crate) fn pass(time: Duration) {
    std::thread::sleep(time);
}

/// The sidecar's process, ended when dropped.
pub(crate) struct Sidecar {
    child: Child,
    pub(crate) termination_log: PathBuf,
    pub(crate) log: PathBuf,
}

impl Sidecar {
    pub(crate) fn spawn(command: &mut Command, termination_log: &Path, log: &Path) -> Self {
        let stderr = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let child = command.stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
        Self { child, termination_log: termination_log.into(), log: log.into() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it says of itself now.
    pub(crate) fn message(&self) -> Option<Value> {
        serde_json::from_slice(&std::fs::read(&self.termination_log).ok()?).ok()
    }

    /// Waits for a state, and gives what it says then.
    pub(crate) fn reaches(&mut self, state: &str) -> Value {
        until(&format!("the state {state}; the log:\n{}", self.logged()), || {
            let message = self.message();
            if message.as_ref().is_some_and(|message| message["state"] == state) {
                return message;
            }
            let ended = self.child.try_wait().unwrap();
            assert_eq!(ended, None, "before it was {state}: {message:?}\n{}", self.logged());
            None
        })
    }

    pub(crate) fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end, and gives the exit code and the termination message.
    pub(crate) fn ends(&mut self) -> (Option<i32>, Value) {
        let status: ExitStatus = until("the end of the sidecar", || self.child.try_wait().unwrap());
        let bytes = std::fs::read(&self.termination_log).unwrap();
        assert!(bytes.len() <= 4096, "{} bytes", bytes.len());
        let message = serde_json::from_slice(&bytes);
        (
            status.code(),
            message.unwrap_or_else(|e| panic!("{e}: {}\n{}", bytes.escape_ascii(), self.logged())),
        )
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
