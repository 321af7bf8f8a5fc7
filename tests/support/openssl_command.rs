//! The `openssl` command.

use std::path::Path;
use std::process::Command;

/// What it prints, run in a folder; the command is cut at spaces.
pub(crate) fn openssl(folder: &Path, command: &str) -> Vec<u8> {
    let ran = Command::new("openssl").args(command.split_whitespace()).current_dir(folder).output().unwrap();
    assert!(ran.status.success(), "{command}: {ran:?}");
    ran.stdout
}
