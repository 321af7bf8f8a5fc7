//! `audit --html`: the page, as a file.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use argo_attest_core::audit::Narrowing;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::policy::Policy;
use argo_attest_core::secret::shown;
use jiff::Timestamp;

use super::super::Failure;
use super::super::new_file::NewFile;
use crate::document::DocumentName;
use crate::page::{Audited, Page};
use crate::store::ProcessEnv;

/// Where the page is put.
pub(super) struct PageFile(NewFile);

impl PageFile {
    /// Errors: a failure, if nothing can be put there.
    pub(super) fn named(path: &Path) -> Result<Self, Failure> {
        let file = NewFile::named(path, "page", "--html")?;
        file.check()?;
        Ok(Self(file))
    }

    /// Writes it; what it is called, and its digest.
    pub(super) fn put(&self, page: &Page, audited: &Audited) -> Result<(String, Sha256Digest), Failure> {
        let html = page.html(audited);
        self.0.put(html.as_bytes())?;
        let name = self.0.path().file_name().unwrap_or_default();
        Ok((shown(name.as_bytes()), Sha256Digest::of(html.as_bytes())))
    }
}

/// What the page says of the audit itself.
pub(super) fn audited(
    at: Timestamp,
    policy: Option<(&DocumentName, Sha256Digest)>,
    trusted: &Policy,
    (places, narrowing): (&[PathBuf], &Narrowing),
) -> Result<Audited, Failure> {
    let trusting = if let Some((name, digest)) = policy {
        vec![format!("policy {}, sha256:{digest}", name.open(&ProcessEnv)?)]
    } else {
        let keys = trusted.keys().iter();
        keys.map(|key| format!("the key {} ({}), without a policy", key.name, key.key.key_id())).collect()
    };
    let commit = option_env!("ARGO_ATTEST_COMMIT").filter(|commit| !commit.is_empty());
    let commit = commit.map(|commit| format!(" (commit {commit})")).unwrap_or_default();
    Ok(Audited {
        at,
        by: format!("argo-attest {}{commit}", env!("CARGO_PKG_VERSION")),
        trusting,
        places: places.iter().map(|place| shown(place.as_os_str().as_bytes())).collect(),
        narrowing: narrowing.clone().beyond(&[super::USUAL_LOG]),
    })
}
