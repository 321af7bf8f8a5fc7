//! The private key's own place: a folder out of which nothing is sent, and memory that
//! others cannot read.
//!
//! Variables that come with a pod name files whose content goes to a server. What is read
//! from them has to be a token by its form; here they are refused by their place as well.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{Exit, Failure};
use crate::signer::SigningKey;

/// Variables that name a file whose content is sent.
const SENT: [&str; 3] =
    ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "VAULT_AUTH_TOKEN_FILE"];

/// Checks that no file which is sent, nor one in a folder of such files, is the private
/// key, or lies in the key's folder.
pub(super) fn check(key: &SigningKey, folders: &[&Path]) -> Result<(), Failure> {
    let Some(key) = key.file() else { return Ok(()) };
    let named = SENT.iter().filter_map(|name| Some((*name, PathBuf::from(std::env::var_os(name)?))));
    let folders = folders.iter().map(|folder| ("--service-account-dir", folder.join("token")));
    named.chain(folders).try_for_each(|(name, file)| {
        if !is_with(&file, key) {
            return Ok(());
        }
        let message =
            format!("{name} leads to the private key or into its folder, out of which nothing is sent");
        Err(Failure::new(Exit::Key, message).remedy("keep tokens apart from the key"))
    })
}

/// Turns core dumps off, which would hold the key, and keeps other processes of the user
/// from reading this one's environment. Not fatal: some sandboxes do not know the call.
pub(super) fn close_memory() {
    let dumpable = rustix::process::DumpableBehavior::NotDumpable;
    if let Err(error) = rustix::process::set_dumpable_behavior(dumpable) {
        tracing::warn!(%error, "core dumps cannot be turned off");
    }
}

/// Whether it is the same file, or lies in the other's folder, wherever links lead.
fn is_with(file: &Path, key: &Path) -> bool {
    let same = || {
        let (file, key) = (file.metadata().ok()?, key.metadata().ok()?);
        Some((file.dev(), file.ino()) == (key.dev(), key.ino()))
    };
    let within = || {
        let file = file.canonicalize().ok()?;
        // Both as it is named and where it leads: a mounted Secret has a folder in a folder.
        let named = key.parent().filter(|folder| !folder.as_os_str().is_empty())?.canonicalize().ok()?;
        let real = key.canonicalize().ok()?;
        Some(file.starts_with(named) || file.parent() == real.parent())
    };
    same() == Some(true) || within() == Some(true)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_do_not_lead_out_of_the_keys_folder() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for folder in ["key", "key/..2026", "other"] {
            fs::create_dir(at(folder)).unwrap();
        }
        for file in ["key/..2026/attest.key", "key/..2026/attest.pub", "other/token"] {
            fs::write(at(file), "x").unwrap();
        }
        symlink("..2026", at("key/..data")).unwrap();
        symlink("..data/attest.key", at("key/attest.key")).unwrap();
        symlink(at("key/attest.key"), at("other/link")).unwrap();
        fs::hard_link(at("key/..2026/attest.key"), at("other/same")).unwrap();
        symlink(at("key"), at("elsewhere")).unwrap();
        let key = at("key/attest.key");
        for inside in
            ["key/attest.key", "key/..data/attest.pub", "other/link", "other/same", "elsewhere/attest.key"]
        {
            assert!(is_with(&at(inside), &key), "{inside}");
        }
        for outside in ["other/token", "other/none", "key/none"] {
            assert!(!is_with(&at(outside), &key), "{outside}");
        }
    }
}
