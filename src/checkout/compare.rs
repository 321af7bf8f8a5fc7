//! Asking git whether the files are those of the commit.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use argo_attest_core::slsa::WorkTree;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::timeout;

/// How long the command may be kept waiting for an answer.
const DEADLINE: Duration = Duration::from_secs(5);

/// What git is asked: to change nothing, to run nothing of the repository's (fsmonitor, hooks),
/// to fetch nothing, and to stay out of submodules, whose configuration is their own.
const QUESTION: [&str; 13] = [
    "--no-optional-locks",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "protocol.allow=never",
    "status",
    "--porcelain=v1",
    "-z",
    "--no-renames",
    "--untracked-files=normal",
    "--ignore-submodules=all",
];

/// Variables that git gets: none that points it elsewhere.
const VARIABLES: [&str; 3] = ["PATH", "HOME", "XDG_CONFIG_HOME"];

pub(super) async fn work_tree(top: &Path) -> WorkTree {
    let Some(git) = program() else { return WorkTree::Unknown };
    timeout(DEADLINE, ask(&git, top)).await.ok().flatten().unwrap_or(WorkTree::Unknown)
}

/// Git itself, from a directory that does not depend on where we are.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let absolute = std::env::split_paths(&path).filter(|directory| directory.is_absolute());
    absolute.map(|directory| directory.join("git")).find(|git| git.is_file())
}

/// The first entry tells: what is tracked comes first. `None` if git fails.
async fn ask(git: &Path, top: &Path) -> Option<WorkTree> {
    let mut command = Command::new(git);
    command.args(QUESTION).current_dir(top).env_clear().kill_on_drop(true);
    command.envs(VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.env("LC_ALL", "C").env("GIT_NO_LAZY_FETCH", "1").env("GIT_TERMINAL_PROMPT", "0");
    let mut git = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut first = Vec::with_capacity(2);
    git.stdout.as_mut()?.take(2).read_to_end(&mut first).await.ok()?;
    match first.as_slice() {
        [] => git.wait().await.ok()?.success().then_some(WorkTree::Clean),
        b"??" => Some(WorkTree::Untracked),
        _ => Some(WorkTree::Changed),
    }
}
