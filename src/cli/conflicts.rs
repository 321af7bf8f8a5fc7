//! What an output must not be: a place where the run itself keeps or writes something.

use std::path::Path;

use argo_attest_core::relpath::RelPath;

use super::target::Target;
use super::{Exit, Failure};
use crate::observe::Artifact;
use crate::signer::SigningKey;

/// The directory that a path names leads into an output, whose digest is then not
/// what it was once anything is written there. New and changed files of the working
/// directory (the root) are no such output: what counts there is the moment.
fn output_around<'a>(path: &Path, artifacts: &'a [Artifact]) -> Option<&'a Artifact> {
    artifacts.iter().find(|a| !a.path.is_root() && path.starts_with(a.place()))
}

/// A digest of the private key, published, would let anyone confirm a guess of it;
/// and a key among the outputs is about to be handed out.
pub(super) fn key(key: &SigningKey, password: Option<&Path>, artifacts: &[Artifact]) -> Result<(), Failure> {
    for (what, path) in [("private key", key.file()), ("private key's password", password)] {
        let Some(Ok(real)) = path.map(Path::canonicalize) else { continue };
        if let Some(artifact) = output_around(&real, artifacts) {
            let message = format!("the {what} lies in {}, which is to be attested", artifact.name);
            return Err(Failure::new(Exit::Key, message).remedy("keep the key outside of the outputs"));
        }
    }
    Ok(())
}

/// Attestations that are written into an output would make it differ from what they say.
pub(super) fn attestations(target: &Target, artifacts: &[Artifact]) -> Result<(), Failure> {
    let clash = match target {
        Target::Beside => artifacts.iter().find_map(|inner| {
            let outer = output_around(inner.place().parent()?, artifacts)?;
            let message = format!(
                "{} lies in {}: its attestation would be written into the other output and change it",
                inner.name, outer.name
            );
            let remedy = format!(
                "name {} alone (verify takes each file in it), or keep the attestations elsewhere with --store",
                outer.name
            );
            Some((message, remedy))
        }),
        Target::Store { directory: Some(directory), .. } => {
            output_around(directory, artifacts).map(|outer| {
                let message = format!("the store lies in {}, which is to be attested", outer.name);
                (message, "keep the attestations outside of the outputs".to_owned())
            })
        }
        Target::Store { directory: None, .. } => None,
    };
    clash.map_or(Ok(()), |(message, remedy)| Err(Failure::new(Exit::Usage, message).remedy(remedy)))
}

/// Where the key is in a directory, if it is in there.
pub(super) fn key_within(key: &Path, directory: &Path) -> Option<RelPath> {
    use std::os::unix::ffi::OsStrExt as _;
    let real = key.canonicalize().ok()?;
    let inside = real.strip_prefix(directory.canonicalize().ok()?).ok()?;
    RelPath::from_bytes(inside.as_os_str().as_bytes()).ok()
}
