//! How `ready` learns what the sidecar is doing: the container's termination log.
//!
//! Nothing else is both private to the container and there in every pod: all
//! volumes are shared with main, the root file system is read-only, and a port
//! would need choosing. The kubelet makes the file anew for each start of the
//! container, and passes its content on when the container has ended.
//!
//! A state is one JSON object. Reading never fails because of a state that is
//! half written; it is then not there yet. A lock (flock(2)) keeps a reader from
//! seeing two states mixed, which the kernel does not prevent (read(2)).

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use argo_attest_core::json::Object;
use argo_attest_core::secret::shown_path;
use argo_attest_core::text::brief;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout_at};

/// Bytes that the kubelet reads at most (`MaxContainerTerminationMessageLength`),
/// and so do we.
const FILE_LIMIT: usize = 4096;
/// Bytes of a reason or a detail. Written as JSON, all texts together stay below
/// what reaches the pod's status: see [`argo_attest_core::outcome::MESSAGE_LIMIT`].
const REASON: usize = 640;
/// Bytes of a remedy.
const REMEDY: usize = 320;
/// How often a lock is tried for, a millisecond apart. It is held for microseconds.
const LOCK_TRIES: u32 = 100;
/// The shortest and the longest pause between two looks at the state. In between a pause is a quarter
/// of what was waited: main is held hardly longer than it has to be, and of a sidecar that has a
/// hundredth of a core little of it goes to whoever waits for it.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(20)];

/// What the sidecar is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It reads its configuration, arms its watches, tries key and store.
    Starting,
    /// Main may start: nothing that it writes from now on is missed.
    Ready {
        /// What is watched, in a few words.
        detail: String,
    },
    /// Main may start, though not all is ready: it is not held for ever. What it leaves is
    /// attested if what is missing comes in time.
    Unready {
        /// What is missing.
        reason: String,
        /// What to do about it, if that is known.
        remedy: Option<String>,
    },
    /// Main may start: there is nothing to attest.
    Idle {
        /// Why not.
        reason: String,
    },
    /// The step is to fail, as was asked for where it cannot be attested.
    Failed {
        /// Why not.
        reason: String,
        /// What to do about it, if that is known.
        remedy: Option<String>,
    },
    /// Main may start, and nothing that it leaves will be attested.
    Unattested {
        /// Why not.
        reason: String,
        /// What to do about it, if that is known.
        remedy: Option<String>,
    },
    /// Main has ended; attestations are being made.
    Finishing,
    /// The end, with the whole termination message: a JSON object whose `state` is
    /// `done`.
    Done(String),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
enum Wire {
    Starting,
    Ready {
        detail: String,
    },
    Unready {
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remedy: Option<String>,
    },
    Idle {
        reason: String,
    },
    Failed {
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remedy: Option<String>,
    },
    Unattested {
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remedy: Option<String>,
    },
    Finishing,
    /// Its other fields are the message's own.
    Done {},
}

impl Status {
    fn to_json(&self) -> io::Result<String> {
        let wire = match self {
            Self::Starting => Wire::Starting,
            Self::Ready { detail } => Wire::Ready { detail: brief(detail, REASON) },
            Self::Unready { reason, remedy } => Wire::Unready {
                reason: brief(reason, REASON),
                remedy: remedy.as_deref().map(|remedy| brief(remedy, REMEDY)),
            },
            Self::Idle { reason } => Wire::Idle { reason: brief(reason, REASON) },
            Self::Failed { reason, remedy } => Wire::Failed {
                reason: brief(reason, REASON),
                remedy: remedy.as_deref().map(|remedy| brief(remedy, REMEDY)),
            },
            Self::Unattested { reason, remedy } => Wire::Unattested {
                reason: brief(reason, REASON),
                remedy: remedy.as_deref().map(|remedy| brief(remedy, REMEDY)),
            },
            Self::Finishing => Wire::Finishing,
            Self::Done(message) => return Ok(message.clone()),
        };
        Ok(serde_json::to_string(&wire)?)
    }

    /// `None` for anything that is not a whole state.
    fn from_json(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?;
        let Object(wire) = serde_json::from_str(text).ok()?;
        Some(match wire {
            Wire::Starting => Self::Starting,
            Wire::Ready { detail } => Self::Ready { detail },
            Wire::Unready { reason, remedy } => Self::Unready { reason, remedy },
            Wire::Idle { reason } => Self::Idle { reason },
            Wire::Failed { reason, remedy } => Self::Failed { reason, remedy },
            Wire::Unattested { reason, remedy } => Self::Unattested { reason, remedy },
            Wire::Finishing => Self::Finishing,
            Wire::Done {} => Self::Done(text.trim_end().to_owned()),
        })
    }
}

/// The termination log, to be written by the sidecar alone.
#[derive(Debug, Clone)]
pub struct StatusFile {
    path: PathBuf,
}

impl StatusFile {
    /// The file at `path`, usually [`place::TERMINATION_LOG`](argo_attest_core::contract::place::TERMINATION_LOG).
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says what is being done now, as [`write_message`] does.
    pub fn write(&self, status: &Status) -> io::Result<()> {
        write_message(&self.path, &status.to_json()?)
    }

    /// The state that was written last; `None` if there is none yet.
    pub fn read(path: &Path) -> io::Result<Option<Status>> {
        let mut file = match open(path, OFlags::RDONLY) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        if !locked(|| file.try_lock_shared()) {
            return Ok(None);
        }
        let mut text = [0; FILE_LIMIT];
        let length = file.read(&mut text)?;
        Ok(text.get(..length).and_then(Status::from_json))
    }
}

/// Writes a termination message. One of more than 4096 bytes is an error, and so is
/// anything but a regular file in the file's place.
///
/// It cannot be replaced by renaming, since the kubelet mounts it; and were it
/// emptied first, a sidecar killed in between would leave nothing. So the new
/// text goes over the old one in one write, blanks covering what is left of
/// it, and only then is the file cut to size.
pub fn write_message(path: &Path, text: &str) -> io::Result<()> {
    if text.len() > FILE_LIMIT {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a termination message of {} bytes is longer than {FILE_LIMIT}", text.len()),
        ));
    }
    let mut file = open(path, OFlags::WRONLY | OFlags::CREATE)?;
    // A reader that is stuck must not keep the end from being told.
    let _ = locked(|| file.try_lock());
    let before = usize::try_from(file.metadata()?.len()).unwrap_or(FILE_LIMIT).min(FILE_LIMIT);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(format!("{text:<before$}").as_bytes())?;
    file.set_len(u64::try_from(text.len()).unwrap_or_default())
}

fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    // A FIFO in its place must not hold us; NOFOLLOW, since nothing here is a link.
    let flags = flags | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::from_raw_mode(0o644))?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok(file)
}

/// Whether the lock, which ends with the open file, was had. Where the file system
/// has none, one does without.
fn locked(try_lock: impl Fn() -> Result<(), TryLockError>) -> bool {
    for _ in 0..LOCK_TRIES {
        match try_lock() {
            Ok(()) | Err(TryLockError::Error(_)) => return true,
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
        }
    }
    false
}

/// Why it is not ready.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The sidecar said so.
    #[error("the sidecar cannot attest this step: {reason}")]
    Failed {
        /// Why not.
        reason: String,
        /// What to do about it, if that is known.
        remedy: Option<String>,
    },
    /// It has stopped watching.
    #[error("the sidecar has ended its work")]
    Ended,
    /// It took too long.
    #[error("the sidecar was not ready in time ({})", if *.started { "it is still starting" } else { "it has not said anything yet" })]
    Deadline {
        /// Whether it had said anything at all.
        started: bool,
    },
    /// Its state cannot be read.
    #[error("cannot read the sidecar's state, {}", shown_path(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Waits until main may start: [`Status::Ready`], [`Status::Unready`], [`Status::Idle`] or
/// [`Status::Unattested`]. Looks at least once, whatever the deadline.
pub async fn wait_ready(path: &Path, deadline: Instant) -> Result<Status, NotReady> {
    let began = Instant::now();
    let [shortest, longest] = PAUSES;
    loop {
        let read = StatusFile::read(path);
        match read.map_err(|source| NotReady::Unreadable { path: path.to_owned(), source })? {
            Some(
                ready @ (Status::Ready { .. }
                | Status::Unready { .. }
                | Status::Idle { .. }
                | Status::Unattested { .. }),
            ) => return Ok(ready),
            Some(Status::Failed { reason, remedy }) => return Err(NotReady::Failed { reason, remedy }),
            Some(Status::Finishing | Status::Done(_)) => return Err(NotReady::Ended),
            state @ (Some(Status::Starting) | None) => {
                if Instant::now() >= deadline {
                    return Err(NotReady::Deadline { started: state.is_some() });
                }
            }
        }
        // Whichever comes first; then it is looked at once more.
        let pause = (began.elapsed() / 4).clamp(shortest, longest);
        let _ = timeout_at(deadline, sleep(pause)).await;
    }
}

#[cfg(test)]
mod tests;
