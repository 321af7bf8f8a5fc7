//! What an output must not be: a place where the run itself keeps or writes something.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use argo_attest_core::relpath::RelPath;

use super::target::Target;
use super::{Exit, Failure};
use crate::observe::Artifact;
use crate::signer::SigningKey;

/// Outputs by their place. Their digest is not what it was once anything is written into them.
/// New and changed files of the working directory (the root) are no such output: what counts
/// there is the moment.
struct Outputs<'a>(HashMap<PathBuf, &'a Artifact>);

impl<'a> Outputs<'a> {
    fn of(artifacts: &'a [Artifact]) -> Self {
        Self(artifacts.iter().filter(|a| !a.path.is_root()).map(|a| (a.place(), a)).collect())
    }

    /// The output into which a path leads.
    fn around(&self, path: &Path) -> Option<&'a Artifact> {
        path.ancestors().find_map(|above| self.0.get(above).copied())
    }
}

/// A digest of the private key, published, would let anyone confirm a guess of it;
/// and a key among the outputs is about to be handed out.
pub(super) fn key(key: &SigningKey, password: Option<&Path>, artifacts: &[Artifact]) -> Result<(), Failure> {
    let outputs = Outputs::of(artifacts);
    for (what, path) in [
        ("private key", key.file()),
        ("private key's password", password),
        ("identity token", key.token_file()),
    ] {
        let Some(Ok(real)) = path.map(Path::canonicalize) else { continue };
        if let Some(artifact) = outputs.around(&real) {
            let message = format!("the {what} lies in {}, which is to be attested", artifact.name);
            return Err(Failure::new(Exit::Key, message).remedy("keep the key outside of the outputs"));
        }
    }
    Ok(())
}

/// Attestations that are written into an output would make it differ from what they say.
pub(super) fn attestations(target: &Target, artifacts: &[Artifact]) -> Result<(), Failure> {
    let outputs = Outputs::of(artifacts);
    let clash = match target {
        Target::Beside => artifacts.iter().find_map(|inner| {
            let outer = outputs.around(inner.place().parent()?)?;
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
            outputs.around(directory).map(|outer| {
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
