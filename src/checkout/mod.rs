//! The git checkout that a directory is in: its commit, where that comes from, and whether the
//! files are those of it.
//!
//! Commit and address are read from git's own files (gitrepository-layout(5)). To compare
//! files takes git itself, which is asked, if it is there, with no program of the
//! repository's choice to run. What cannot be found out is left out, or unknown: a checkout
//! is told of, never relied on.

mod compare;

use std::path::{Path, PathBuf};

use argo_attest_core::git::{self, GitError};
use argo_attest_core::git_remote::{CONFIG_LIMIT, GitConfig};
use argo_attest_core::slsa::{Source, WorkTree};

use crate::regular_file::{self, Links};

/// Bytes of a file that leads to another: `.git` of a worktree, `commondir`.
const POINTER_LIMIT: usize = 8 * 1024;

/// Where a checkout keeps what.
#[derive(Debug)]
struct Places {
    /// The work tree.
    top: PathBuf,
    /// `HEAD` of this work tree.
    own: PathBuf,
    /// What all work trees share.
    common: PathBuf,
}

/// The checkout that a directory is in, if it is in one and has a commit.
pub(crate) async fn source(directory: &Path) -> Option<Source> {
    let places = Places::above(directory)?;
    let commit = places.commit()?;
    let config = places.config();
    let work_tree = match &config {
        Some(config) if !config.names_programs => compare::work_tree(&places.top).await,
        _ => WorkTree::Unknown,
    };
    Some(Source { commit, remote: config.and_then(|config| config.remote), work_tree })
}

impl Places {
    fn above(directory: &Path) -> Option<Self> {
        let top = directory.ancestors().find(|above| above.join(".git").symlink_metadata().is_ok())?;
        let dot_git = top.join(".git");
        let own = if dot_git.is_dir() {
            dot_git
        } else {
            // A worktree's, or a submodule's.
            top.join(text(&dot_git, POINTER_LIMIT)?.strip_prefix("gitdir:")?.trim())
        };
        let common = match text(&own.join("commondir"), POINTER_LIMIT) {
            Some(shared) => own.join(shared.trim()),
            None => own.clone(),
        };
        Some(Self { top: top.to_owned(), own, common })
    }

    fn commit(&self) -> Option<String> {
        let read = |path: &argo_attest_core::relpath::RelPath, limit: u64| {
            let name = path.as_path().strip_prefix(".git").unwrap_or_else(|_| path.as_path());
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let read = |directory: &Path| regular_file::read(&directory.join(name), Links::Followed, limit);
            Ok::<_, GitError>(read(&self.own).or_else(|_| read(&self.common)).ok())
        };
        git::commit(read).ok()
    }

    /// `None` if it cannot be read as a whole.
    fn config(&self) -> Option<GitConfig> {
        let shared = GitConfig::read(&text(&self.common.join("config"), CONFIG_LIMIT)?);
        let own = self.own.join("config.worktree");
        if own.symlink_metadata().is_err() {
            return Some(shared);
        }
        let own = GitConfig::read(&text(&own, CONFIG_LIMIT)?);
        Some(GitConfig { names_programs: shared.names_programs || own.names_programs, ..shared })
    }
}

fn text(file: &Path, limit: usize) -> Option<String> {
    String::from_utf8(regular_file::read(file, Links::Followed, limit).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    fn write(file: &Path, text: &str) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    /// A repository whose configuration names a program, so that git is not asked.
    fn repository(top: &Path) {
        write(&top.join(".git/HEAD"), "ref: refs/heads/main\n");
        write(&top.join(".git/packed-refs"), &format!("{COMMIT} refs/heads/main\n"));
        write(
            &top.join(".git/config"),
            "[filter \"x\"]\nclean = touch ran\n[remote \"origin\"]\nurl = https://me:pw@h.example/r.git\n",
        );
    }

    #[tokio::test]
    async fn a_checkout_is_found_from_within() {
        let dir = tempfile::tempdir().unwrap();
        repository(dir.path());
        let deep = dir.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        let expected = Source {
            commit: COMMIT.to_owned(),
            remote: Some("https://h.example/r.git".to_owned()),
            work_tree: WorkTree::Unknown,
        };
        assert_eq!(source(&deep).await, Some(expected.clone()));

        // A worktree of it, elsewhere, at a commit of its own.
        let linked = tempfile::tempdir().unwrap();
        let own = dir.path().join(".git/worktrees/w");
        let other = COMMIT.replace('0', "f");
        write(&own.join("HEAD"), &format!("{other}\n"));
        write(&own.join("commondir"), "../..\n");
        write(&linked.path().join(".git"), &format!("gitdir: {}\n", own.display()));
        assert_eq!(source(linked.path()).await, Some(Source { commit: other, ..expected }));
    }

    #[tokio::test]
    async fn what_is_none_or_damaged_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        for (file, content) in
            [("HEAD", "nonsense"), ("HEAD", "ref: ../../x\n"), ("HEAD", "ref: refs/heads/none\n")]
        {
            repository(dir.path());
            write(&dir.path().join(".git").join(file), content);
            assert_eq!(source(dir.path()).await, None, "{content}");
        }
        fs::remove_dir_all(dir.path().join(".git")).unwrap();
        for pointer in ["", "gitdir: none\n", "x"] {
            write(&dir.path().join(".git"), pointer);
            assert_eq!(source(dir.path()).await, None, "{pointer}");
        }
    }

    #[tokio::test]
    async fn git_compares_and_runs_nothing_of_the_repositorys() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path();
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            git.current_dir(top).args(["-c", "user.name=x", "-c", "user.email=x@example.com"]);
            git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
            git.args(arguments).output()
        };
        if git(&["init", "-q"]).is_err() {
            println!("skipped: git is not installed");
            return;
        }
        fs::write(top.join("a"), "1").unwrap();
        assert!(git(&["add", "a"]).unwrap().status.success());
        assert!(git(&["commit", "-q", "-m", "x"]).unwrap().status.success());
        let hook = top.join("hook");
        git(&["config", "core.fsmonitor", hook.to_str().unwrap()]).unwrap();
        let state = async || source(top).await.unwrap().work_tree;
        assert_eq!(state().await, WorkTree::Clean);
        write(&hook, &format!("#!/bin/sh\ntouch {}/ran\n", top.display()));
        fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(state().await, WorkTree::Untracked);
        fs::write(top.join("a"), "22").unwrap();
        assert_eq!(state().await, WorkTree::Changed);
        assert!(!top.join("ran").exists());
        git(&["config", "filter.x.clean", "touch ran"]).unwrap();
        assert_eq!(state().await, WorkTree::Unknown);
    }
}
