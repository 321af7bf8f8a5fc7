//! Commands of the whole program that a build for pods has not: whoever asks for one there is told
//! so, and not that there is no such command.

use std::ffi::OsStr;

use super::{Exit, Failure};

/// Their names.
pub(super) const COMMANDS: [&str; 6] = ["run", "audit", "keygen", "inject", "completion", "man"];

/// Why this one does nothing here; none if it is no command that was left out.
pub(super) fn refused(command: &OsStr) -> Option<Failure> {
    let name = COMMANDS.into_iter().find(|name| command == *name)?;
    let what = format!("{name} is not in this build of argo-attest, which is the one for pods");
    Some(
        Failure::new(Exit::Usage, what)
            .remedy("use the whole program, or its image, argo-attest-cli instead of argo-attest"),
    )
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::*;

    #[test]
    fn the_whole_program_has_them() {
        let all = super::super::definition();
        for name in COMMANDS {
            assert!(all.find_subcommand(name).is_some(), "{name}");
            assert!(refused(OsStr::new(name)).is_some(), "{name}");
        }
        assert!(refused(OsStr::new("sidecar")).is_none());
    }
}
