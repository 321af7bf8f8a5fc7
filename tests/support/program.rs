//! The built program, run from outside in a directory and with a configuration of its own.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A user's machine: a working directory, and a configuration directory elsewhere.
pub(crate) struct Desk {
    dir: TempDir,
    here: PathBuf,
}

/// How the program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let here = dir.path().canonicalize().unwrap().join("work");
        fs::create_dir(&here).unwrap();
        Self { dir, here }
    }

    /// A path in the working directory.
    pub(crate) fn path(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.here.join(Path::new(&name))
    }

    /// The user's own key, once it is made.
    pub(crate) fn own_key(&self) -> PathBuf {
        self.dir.path().join("config/argo-attest/attest.key")
    }

    /// The program, not started yet; nothing of the caller's environment but `PATH`.
    pub(crate) fn program<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_argo-attest"));
        command.args(arguments).current_dir(&self.here).stdin(Stdio::null()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("XDG_CONFIG_HOME", self.dir.path().join("config"));
        // Sentences are compared whole, unless it is their layout that is looked at.
        command.env("COLUMNS", "100000");
        // Here nobody sees the key that is made, and nobody needs to.
        command.env("ARGO_ATTEST_NEW_KEY", "true");
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ended {
        self.program(arguments).output().unwrap().into()
    }

    /// Runs `argo-attest run --outputs OUTPUT… -- sh -c SCRIPT`.
    pub(crate) fn attest(&self, outputs: &[&str], script: &str) -> Ended {
        self.run(run_arguments(outputs, &[], script))
    }

    /// The same with `--json`; the object.
    pub(crate) fn attest_json(&self, outputs: &[&str], script: &str) -> (Ended, Value) {
        let ended = self.run(run_arguments(outputs, &["--json"], script));
        let json = serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{e}: {ended:?}"));
        (ended, json)
    }

    /// Verifies, and expects a yes.
    pub(crate) fn accepted<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ended {
        let ended = self.run([OsStr::new("verify").to_owned()].into_iter().chain(owned(arguments)));
        assert!(ended.code == Some(0) && ended.out.starts_with("attested  "), "{ended:?}");
        ended
    }

    /// Verifies, and expects a no that says `why`.
    pub(crate) fn rejected<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>, why: &str) {
        let ended = self.run([OsStr::new("verify").to_owned()].into_iter().chain(owned(arguments)));
        assert!(ended.code == Some(1) && ended.out.starts_with("refused   "), "{ended:?}");
        assert!(ended.out.contains(why), "{why:?} is not in {ended:?}");
    }

    pub(crate) fn write(&self, name: impl AsRef<OsStr>, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: impl AsRef<OsStr>) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }
}

fn owned<A: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = A>,
) -> impl Iterator<Item = std::ffi::OsString> {
    arguments.into_iter().map(|a| a.as_ref().to_owned())
}

/// `run --outputs OUTPUT… EXTRA… -- sh -c SCRIPT`.
pub(crate) fn run_arguments(outputs: &[&str], extra: &[&str], script: &str) -> Vec<String> {
    let outputs = outputs.iter().flat_map(|output| ["--outputs", output]);
    let words = ["run"].into_iter().chain(outputs).chain(extra.iter().copied());
    words.chain(["--", "sh", "-c", script]).map(str::to_owned).collect()
}

impl Ended {
    /// Fails unless the program ended with this code.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// Fails unless it said this, on standard output or error.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text) || self.err.contains(text), "{text:?} is not in {self:?}");
        self
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| {
            String::from_utf8(bytes.to_vec())
                .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(bytes)))
        };
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

/// Waits until something is so; for as long as a loaded machine may need.
#[track_caller]
pub(crate) fn until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
