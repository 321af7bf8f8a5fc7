//! How main ended, as Argo's emissary leaves it: `ctr/<container>/exitcode`.
//!
//! These files are on a volume that main can write to, and so may be main's own
//! words. What is trusted of them is only this: without them, nothing ended.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use argo_attest_core::argo::Step;
use argo_attest_core::outcome::StepState;
use jiff::Timestamp;
use rustix::fs::{Mode, OFlags};

use super::grace::Deadline;
use super::settings::Settings;

/// Between two looks: what it costs does not show, and a step's end is noticed at once.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The end of all of a step's containers.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    /// Exit codes by container.
    pub(super) codes: BTreeMap<String, i32>,
    /// The change time of the last of the files, in nanoseconds since 1970, by the
    /// clock that the outputs' own change times have: what was changed later was
    /// not changed by main.
    pub(super) changed: i64,
}

/// Main's end, and when it was noticed.
#[derive(Debug, Clone)]
pub(super) struct MainEnd {
    /// Nothing if main left no exit code.
    pub(super) ended: Option<Ended>,
    pub(super) at: Instant,
    pub(super) finished_on: Timestamp,
}

impl MainEnd {
    /// Noticed now.
    pub(super) fn seen(ended: Option<Ended>) -> Self {
        Self { ended, at: Instant::now(), finished_on: Timestamp::now() }
    }

    /// What counts, after SIGTERM: main can write there while it runs. Its emissary does so
    /// after it: what is there now is how it ended, and when it was first there is the last
    /// moment at which main may have changed anything.
    pub(super) async fn settled(first: Option<Self>, codes: &ExitCodes, deadline: Deadline) -> Self {
        let last = codes.await_until(deadline).await;
        match (first, last) {
            (Some(Self { ended: Some(first), at, finished_on }), Some(last)) => {
                let changed = first.changed.min(last.changed);
                Self { ended: Some(Ended { changed, ..last }), at, finished_on }
            }
            (_, last) => Self::seen(last),
        }
    }

    /// How the step ended.
    pub(super) fn state(&self) -> StepState {
        match &self.ended {
            None => StepState::Unfinished {
                reason: "main left no exit code: it was killed, or the pod is being deleted".into(),
            },
            Some(Ended { codes, .. }) if codes.values().any(|code| *code != 0) => {
                StepState::Failed { exit_codes: codes.clone() }
            }
            Some(_) => StepState::Succeeded,
        }
    }
}

/// The exit codes of a step's containers.
#[derive(Debug, Clone)]
pub(super) struct ExitCodes {
    files: Vec<(String, PathBuf)>,
}

impl ExitCodes {
    pub(super) fn of(step: &Step, settings: &Settings) -> Self {
        let file = |name: &str| settings.argo_dir.join("ctr").join(name).join("exitcode");
        Self { files: step.containers.iter().map(|c| (c.name.clone(), file(&c.name))).collect() }
    }

    /// How main ended, or `None` while a file is missing or half written.
    pub(super) fn read(&self) -> Option<Ended> {
        let mut ended = Ended { codes: BTreeMap::new(), changed: i64::MIN };
        for (name, file) in &self.files {
            let (code, changed) = read(file)?;
            ended.codes.insert(name.clone(), code);
            ended.changed = ended.changed.max(changed);
        }
        Some(ended)
    }

    /// All of them, if they come in time. Where main was killed they never do.
    async fn await_until(&self, deadline: Deadline) -> Option<Ended> {
        let look = async {
            loop {
                if let Some(ended) = self.read() {
                    return ended;
                }
                tokio::time::sleep(LOOK_EVERY / 5).await;
            }
        };
        deadline.within(look).await.ok()
    }
}

/// Main may put anything there: a link, a pipe that never ends, a gigabyte.
fn read(path: &PathBuf) -> Option<(i32, i64)> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    (&file).take(16).read_to_string(&mut text).ok()?;
    let code = text.trim().parse().ok()?;
    let metadata = file.metadata().ok()?;
    Some((code, metadata.ctime().checked_mul(1_000_000_000)?.checked_add(metadata.ctime_nsec())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_in_a_file_is_an_exit_code() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("exitcode");
        assert_eq!(read(&path), None);
        for (text, code) in [("", None), ("0", Some(0)), ("137\n", Some(137)), ("x", None), ("1 2", None)] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(&path).map(|(code, _)| code), code, "{text:?}");
        }
        std::fs::write(&path, "1".repeat(100)).unwrap();
        assert_eq!(read(&path), None);
        std::fs::rename(&path, dir.path().join("real")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("real"), &path).unwrap();
        assert_eq!(read(&path), None);
        std::fs::remove_file(&path).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(read(&path), None);
    }
}
