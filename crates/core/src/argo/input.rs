//! Input artifacts: what was staged for main before it started.

use super::location::{ObjectRef, StoreKind, Unlocated};
use super::object_key::{Repository, kinds, says_anything};
use super::{path, wire};
use crate::digest::Sha256Digest;

/// An input artifact that the step declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputArtifact {
    /// Its name.
    pub name: String,
    /// Where main finds it, as Argo cleans the path; `None` if Argo refuses it.
    pub path: Option<String>,
    /// The volume of main's that it is staged into, by its mount path; `None` if it
    /// has a mount of its own, at [`Self::path`] (`FindOverlappingVolume` in Argo's
    /// workflow/common/util.go).
    pub mount: Option<String>,
    /// Whether it may be absent.
    pub optional: bool,
    /// How Argo unpacks it.
    pub unpack: Unpack,
    /// Where it came from.
    pub source: InputSource,
}

/// How Argo unpacks an input (`loadArtifacts` in its
/// workflow/executor/executor.go).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unpack {
    /// As a gzipped tar if it is one, else not at all.
    Detect,
    /// Not at all.
    Never,
    /// As a gzipped tar.
    Tar,
    /// As a zip.
    Zip,
}

/// Where an input artifact came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputSource {
    /// An object, or a "directory" of objects below its key.
    Object(ObjectRef),
    /// A git repository.
    Git {
        /// Its address, without user name and password.
        repository: String,
        /// The branch, tag or commit asked for; empty for the default branch.
        revision: String,
    },
    /// Something fetched over HTTP.
    Http {
        /// Its address, without credentials, query and fragment.
        url: String,
    },
    /// Text in the template itself.
    Raw {
        /// The digest of the text.
        digest: Sha256Digest,
        /// Its length in bytes.
        size: u64,
    },
    /// Nothing was supplied.
    NotSupplied,
    /// Not known, or not supported, and why.
    Unknown(Unlocated),
}

impl InputSource {
    /// The kind of storage, where that is known.
    pub fn kind(&self) -> Option<StoreKind> {
        match self {
            Self::Object(_) => Some(StoreKind::S3),
            Self::Git { .. } => Some(StoreKind::Git),
            Self::Http { .. } => Some(StoreKind::Http),
            Self::Raw { .. } => Some(StoreKind::Raw),
            Self::Unknown(Unlocated::Unsupported(kind)) => Some(*kind),
            Self::NotSupplied | Self::Unknown(_) => None,
        }
    }
}

/// Whether there is anything to stage.
pub(super) fn supplied(artifact: &wire::Artifact) -> bool {
    says_anything(&artifact.location())
}

pub(super) fn input(artifact: &wire::Artifact, mounts: &[&str], repository: &Repository) -> InputArtifact {
    let unpack = match artifact.archive.as_ref() {
        Some(wire::Archive { none: Some(_), .. }) => Unpack::Never,
        Some(wire::Archive { tar: Some(_), .. }) => Unpack::Tar,
        Some(wire::Archive { zip: Some(_), .. }) => Unpack::Zip,
        _ => Unpack::Detect,
    };
    let path = path::clean_artifact(&artifact.path);
    let around =
        |path: &str| mounts.iter().filter(|mount| path::overlaps(path, mount)).max_by_key(|m| m.len());
    InputArtifact {
        name: artifact.name.clone(),
        mount: path.as_deref().and_then(around).map(|mount| (*mount).to_owned()),
        path,
        optional: artifact.optional,
        unpack,
        source: source(artifact, repository),
    }
}

fn source(artifact: &wire::Artifact, repository: &Repository) -> InputSource {
    if !supplied(artifact) {
        return InputSource::NotSupplied;
    }
    let location = artifact.location();
    if kinds(&location).len() > 1 {
        return InputSource::Unknown(Unlocated::Ambiguous);
    }
    if let Some(git) = &location.git {
        let revision = if git.revision.is_empty() { &git.branch } else { &git.revision };
        return InputSource::Git { repository: without_user(&git.repo), revision: revision.clone() };
    }
    if let Some(http) = &location.http {
        let plain = http.url.split(['?', '#']).next().unwrap_or_default();
        return InputSource::Http { url: without_user(plain) };
    }
    if let Some(raw) = &location.raw {
        let size = u64::try_from(raw.data.len()).unwrap_or(u64::MAX);
        return InputSource::Raw { digest: Sha256Digest::of(raw.data.as_bytes()), size };
    }
    repository.locate(&location, None).map_or_else(InputSource::Unknown, InputSource::Object)
}

/// An address without what stands before an `@` in its authority (RFC 3986
/// section 3.2.1): it may be a password. The last `@` counts, so that one in the
/// password cannot leave a part of it behind; and where no port number follows
/// the colon, only the scheme is left, since the rest may be half a password.
fn without_user(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let (authority, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if scheme.is_empty() {
        // `user@host:path`, as ssh has it: the user is no secret, a password is.
        return if user.contains(':') { format!("{host}{tail}") } else { url.to_owned() };
    }
    let port = host.rsplit(']').next().and_then(|host| host.split_once(':')).map_or("", |(_, port)| port);
    if port.bytes().all(|b| b.is_ascii_digit()) { format!("{scheme}{host}{tail}") } else { scheme }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_credentials_out_of_addresses() {
        for (url, plain) in [
            ("https://user:pass@host/repo.git", "https://host/repo.git"),
            ("https://user:p@ss@host:8443/a@b", "https://host:8443/a@b"),
            ("git@github.com:org/repo.git", "git@github.com:org/repo.git"),
            ("https://host", "https://host"),
            ("ssh://git:secret@host", "ssh://host"),
            ("https://user:pa/ss@host/repo", "https://"),
            ("https://u:p@[::1]:8443/x", "https://[::1]:8443/x"),
            ("user:pass@host/repo", "host/repo"),
        ] {
            assert_eq!(without_user(url), plain);
        }
    }
}
