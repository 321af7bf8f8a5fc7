//! What `tests/interop/install` has put on this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Where it put a program, if it did. Asked once: the answer takes it a dozen programs.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    static KNOWN: Mutex<BTreeMap<String, Option<PathBuf>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(name.to_owned()).or_insert_with(|| ask(name)).clone()
}

fn ask(name: &str) -> Option<PathBuf> {
    let install = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/install");
    let told = Command::new(install).args(["--where", name]).stdin(Stdio::null()).output().unwrap();
    told.status.success().then(|| String::from_utf8(told.stdout).unwrap().trim_end().into())
}
