//! Where Argo stores what it stores in a kind of store that has no adapter here. Nobody can ask
//! there what was stored; the place has a name all the same, which follows from the location as
//! Argo has it in the Workflow's status.

use super::location::{KeyError, StoreKind, Unlocated};
use super::{path, wire};
use crate::relpath::RelPath;

/// A place in a store that cannot be asked what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    kind: StoreKind,
    /// The bucket, container or host: what tells two of one kind apart; empty where nothing does.
    home: String,
    key: String,
}

/// Why a place has no name that attestations could have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "where Argo stores it has an empty, `.` or `..` part, and no name for an attestation follows from that"
)]
pub struct Nameless;

impl Elsewhere {
    /// The kind of store.
    pub fn kind(&self) -> StoreKind {
        self.kind
    }

    /// The key there; of an address its path.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The place by its kind, bucket and key: `gcs/BUCKET/KEY`. Of an address only host and path,
    /// which are no credentials.
    ///
    /// Errors: [`Nameless`], where the parts of it would not stay what they are.
    pub fn name(&self) -> Result<String, Nameless> {
        let name: Vec<_> =
            [self.kind.name(), &self.home, &self.key].into_iter().filter(|part| !part.is_empty()).collect();
        let name = name.join("/");
        let plain = RelPath::from_bytes(name.as_bytes()).is_ok_and(|path| path.as_bytes() == name.as_bytes());
        if plain { Ok(name) } else { Err(Nameless) }
    }

    /// What a location of this kind says, complete or not; `None` for what Argo stores nothing in.
    pub(super) fn of(kind: StoreKind, own: &wire::Location) -> Option<Self> {
        let (home, key) = match kind {
            StoreKind::Gcs => own.gcs.as_ref().map(|gcs| (gcs.bucket.clone(), gcs.key.clone())),
            StoreKind::Oss => own.oss.as_ref().map(|oss| (oss.bucket.clone(), oss.key.clone())),
            StoreKind::Azure => own.azure.as_ref().map(|azure| {
                let (account, _) = host_and_path(&azure.endpoint);
                (path::join(account, &azure.container), azure.blob.clone())
            }),
            StoreKind::Hdfs => own.hdfs.as_ref().map(|hdfs| (String::new(), hdfs.path.clone())),
            StoreKind::Plugin => own.plugin.as_ref().map(|plugin| (plugin.name.clone(), plugin.key.clone())),
            StoreKind::Artifactory => own.artifactory.as_ref().map(of_url),
            StoreKind::Http => own.http.as_ref().map(of_url),
            StoreKind::S3 | StoreKind::Git | StoreKind::Raw => None,
        }?;
        Some(Self { kind, home, key: key.strip_prefix('/').unwrap_or(&key).to_owned() })
    }

    /// The same store, with this key.
    pub(super) fn with_key(&self, key: &str) -> Result<Self, Unlocated> {
        let key = key.strip_prefix('/').unwrap_or(key);
        if key.trim().is_empty() {
            return Err(KeyError::Empty.into());
        }
        if key.contains("{{") || self.home.contains("{{") {
            return Err(Unlocated::Unresolved);
        }
        if self.home.is_empty() && self.kind != StoreKind::Hdfs {
            return Err(Unlocated::Incomplete("bucket"));
        }
        Ok(Self { key: key.to_owned(), ..self.clone() })
    }
}

fn of_url(at: &wire::Http) -> (String, String) {
    let (host, path) = host_and_path(&at.url);
    (host.to_owned(), path.to_owned())
}

/// Of an address whatever is no user, no query and no fragment: those may be credentials.
fn host_and_path(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    (authority.rsplit('@').next().unwrap_or_default(), path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_only_host_and_path() {
        for (url, host, path) in [
            ("https://a.example.com/repo/x.tgz", "a.example.com", "repo/x.tgz"),
            ("https://user:secret@a.example.com:8443/x?token=secret#secret", "a.example.com:8443", "x"),
            ("https://a.example.com?secret", "a.example.com", ""),
            ("https://user:sec@ret@h/x", "h", "x"),
            ("u", "u", ""),
            ("", "", ""),
        ] {
            assert_eq!(host_and_path(url), (host, path), "{url}");
        }
    }
}
