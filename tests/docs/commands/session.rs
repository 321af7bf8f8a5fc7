//! A page's commands, typed one after the other into one shell: what a reader has who has done all
//! that stands before.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::servers::{ACCESS_KEY, SECRET_KEY};

/// For as long as a loaded machine may need for a page.
const SECONDS: &str = "120";
/// What `given` ends with where a program is missing that a reader of the page has.
const LACKS: i32 = 77;

/// What kubectl is told, should a page use it that is not listed as one for a cluster.
const NO_CLUSTER: &str = r#"{"apiVersion": "v1", "kind": "Config", "current-context": "none",
"clusters": [{"name": "none", "cluster": {"server": "https://127.0.0.1:1"}}],
"contexts": [{"name": "none", "context": {"cluster": "none"}}]}"#;

/// One thing to be typed.
pub(crate) struct Step {
    pub(crate) commands: String,
    /// Whether it may end with another code than 0. The next command can look at it.
    pub(crate) may_fail: bool,
}

/// How it ended, and what it said on either stream.
pub(crate) struct Typed {
    pub(crate) code: i32,
    pub(crate) said: String,
}

pub(crate) enum Outcome {
    /// What became of the steps, up to the first that ended the shell.
    Typed(Vec<Typed>),
    /// A program is not installed.
    Lacks(String),
}

/// A home directory and an S3 server's; both are empty.
pub(crate) struct Session {
    dir: TempDir,
    /// The server's address.
    endpoint: String,
    /// A folder for each bucket.
    buckets: PathBuf,
}

impl Session {
    pub(crate) fn new(endpoint: String, buckets: PathBuf) -> Self {
        let session = Self { dir: TempDir::new().unwrap(), endpoint, buckets };
        fs::create_dir_all(session.home()).unwrap();
        fs::create_dir(session.dir.path().join("steps")).unwrap();
        session
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join("home/you")
    }

    pub(crate) fn buckets(&self) -> &Path {
        &self.buckets
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Types it all, after what the page takes for granted: a file of `tests/docs/given`.
    pub(crate) fn run(&self, given: Option<&Path>, steps: &[Step]) -> Outcome {
        let place = self.dir.path().join("steps");
        let mut script = format!(
            "cd; shown_code=0\n. '{}'\n",
            super::root().join("tests/docs/given/prelude.sh").display()
        );
        if let Some(given) = given {
            writeln!(script, "set -e; . '{}'; set +e", given.display()).unwrap();
        }
        writeln!(script, "exec 3>&1 4>&2; : >'{}'", place.join("given").display()).unwrap();
        for (at, step) in steps.iter().enumerate() {
            let file = place.join(at.to_string());
            let file = file.display();
            let options = if step.may_fail { "set +eu; set +o pipefail" } else { "set +u; set -eo pipefail" };
            writeln!(
                script,
                "{options}\n{{ (exit $shown_code)\n{}\n}} >'{file}' 2>&1; shown_code=$?; echo $shown_code >'{file}.code'",
                step.commands
            )
            .unwrap();
        }
        let file = self.dir.path().join("script");
        fs::write(&file, script).unwrap();
        let done = self.shell(&file).output().unwrap();
        if !place.join("given").exists() {
            let said = String::from_utf8_lossy(&done.stderr).into_owned();
            assert_eq!(done.status.code(), Some(LACKS), "{given:?} failed: {said}");
            return Outcome::Lacks(said.trim_end().to_owned());
        }
        let ended = done.status.code().unwrap_or(-1);
        let typed = |at: usize| {
            let said = fs::read(place.join(at.to_string())).ok()?;
            let code = fs::read_to_string(place.join(format!("{at}.code")));
            let code = code.map_or(ended, |code| code.trim().parse().unwrap());
            Some(Typed { code, said: self.as_anywhere(&String::from_utf8_lossy(&said)) })
        };
        Outcome::Typed((0..steps.len()).map_while(typed).collect())
    }

    /// With the names that a page uses, not those of this machine.
    fn as_anywhere(&self, said: &str) -> String {
        said.replace(self.home().to_str().unwrap(), "/home/you")
            .replace(&self.endpoint, "https://s3.example.com")
    }

    fn shell(&self, script: &Path) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_argo-attest")).parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths(std::iter::once(program).chain(std::env::split_paths(&path))).unwrap();
        let mut shell = Command::new("timeout");
        shell.args([SECONDS, "bash", "--noprofile", "--norc"]).arg(script);
        shell.env_clear().stdin(Stdio::null());
        shell.env("PATH", path).env("HOME", self.home()).env("LANG", "C.UTF-8").env("COLUMNS", "100");
        // A reader's own key is made because somebody looks on.
        shell.env("ARGO_ATTEST_NEW_KEY", "true");
        // kubectl without a configuration asks port 8080 of this machine, and somebody may listen there.
        let nowhere = self.dir.path().join("kubeconfig");
        fs::write(&nowhere, NO_CLUSTER).unwrap();
        shell.env("KUBECONFIG", nowhere);
        shell.env("ROOT", super::root()).env("BUCKETS", &self.buckets).env("S3_ENDPOINT", &self.endpoint);
        shell.env("S3_ACCESS_KEY", ACCESS_KEY).env("S3_SECRET_KEY", SECRET_KEY);
        shell
    }
}
