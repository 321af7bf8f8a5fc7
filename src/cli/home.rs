//! The user's own key: where it is when none is named.

use std::env;
use std::path::PathBuf;

use super::{Exit, Failure};

/// The user's private key: `$XDG_CONFIG_HOME/argo-attest/attest.key`, or under
/// `~/.config` (XDG Base Directory Specification: relative values are ignored).
pub(super) fn private_key() -> Result<PathBuf, Failure> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    absolute("XDG_CONFIG_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".config")))
        .map(|dir| dir.join("argo-attest/attest.key"))
        .ok_or_else(|| {
            Failure::new(
                Exit::Key,
                "there is no place for your own key: neither XDG_CONFIG_HOME nor HOME is set",
            )
            .remedy("name a key with --key FILE; argo-attest keygen --out-dir DIR makes one")
        })
}
