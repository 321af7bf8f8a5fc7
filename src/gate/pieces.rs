//! A directory of objects that nobody attested as a whole: several steps wrote it, each its
//! own object beneath one prefix, and each of these has an attestation of its own.
//!
//! Every staged file has to be what an accepted statement says is stored at exactly this
//! key: the prefix and the file's path. Nothing tells that a file is missing, since nobody
//! attested how many there are; so it makes no difference whether Argo found the files beneath
//! the key or in an archive there, of whose bytes nobody said anything.

use std::sync::Arc;

use argo_attest_core::argo::Unpack;
use argo_attest_core::digest::{DirHash, Sha256Digest};
use argo_attest_core::relpath::RelPath;
use argo_attest_core::trouble::{Fault, Trouble as _};
use argo_attest_core::verify::{Content, Tree};
use futures_util::stream::{self, StreamExt as _};

use super::error::InputError;
use super::form;
use super::longer::Longer;
use super::passed_over::PassedOver;
use super::staged::Spot;
use super::verdict::Verdict;
use crate::store::{ObjectKey, Store};
use crate::stored_match::AT_ONCE;
use crate::verify::{Attestable, Checker};

/// Files whose attestations are looked for one by one.
pub(super) const MAX_PIECES: usize = 10_000;

/// The files of one input, by the prefix that all of them are stored under.
pub(super) struct Pieces<'a> {
    pub(super) checker: &'a Checker,
    pub(super) store: &'a dyn Store,
    pub(super) key: &'a ObjectKey,
    /// Where they are staged.
    pub(super) spot: &'a Spot,
}

impl Pieces<'_> {
    /// Whether each of them has an attestation of its own. `missing`: what is to be said if
    /// none has.
    pub(super) async fn judge(
        &self,
        Tree { files, links }: &Tree,
        missing: InputError,
    ) -> Result<Verdict, InputError> {
        let prefix = self.key.as_str();
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let plain = RelPath::from_bytes(prefix.as_bytes()).is_ok_and(|p| p.as_bytes() == prefix.as_bytes());
        if !plain || files.is_empty() {
            return Err(missing);
        }
        if files.len() > MAX_PIECES {
            return Err(InputError::TooManyPieces { files: files.len() });
        }
        let each = files.iter().map(|(path, digest)| async move {
            let key = std::str::from_utf8(path.as_bytes()).ok();
            let key = key.and_then(|path| ObjectKey::new(&format!("{prefix}/{path}")).ok());
            // What is no key nobody can have attested.
            let Some(key) = key else { return (path, Ok(false)) };
            (path, self.piece(&key, path, *digest).await)
        });
        // Boxed one by one: they are many, and each is large.
        let each: Vec<_> = each.map(futures_util::FutureExt::boxed).collect();
        let judged: Vec<_> = stream::iter(each).buffered(AT_ONCE.get()).collect().await;
        let (mut attested, mut without) = (0, None);
        for (path, judged) in judged {
            match judged {
                Ok(true) => attested += 1,
                Ok(false) => without = without.or(Some(path)),
                Err(why) => return Err(InputError::Piece { path: path.to_string(), why: Box::new(why) }),
            }
        }
        // Of a link no file's attestation speaks.
        match without.or_else(|| links.iter().next().map(|(path, _)| path)) {
            None => Ok(Verdict::AcceptedEach { digest: DirHash::of_files(files).into(), files: attested }),
            Some(_) if attested == 0 => Err(missing),
            Some(path) => {
                let files = files.len() + links.len();
                Err(InputError::NotEach { attested, files, without: path.to_string() })
            }
        }
    }

    /// Whether the file is attested as this very object; `false` if it has no attestation.
    async fn piece(&self, key: &ObjectKey, path: &RelPath, digest: Sha256Digest) -> Result<bool, InputError> {
        let content = Arc::new(Content::File(digest));
        let mut longer = Longer::default();
        let mut passed_over = PassedOver::default();
        let mut attestable = Attestable::own(self.checker, self.store, key);
        while let Some((origin, attested)) = attestable.next().await {
            let judged = async {
                let attested = longer.complete(attested?, self.spot, path, &content).await?;
                let accepted = attested.accept(Arc::clone(&content)).await?;
                // Argo takes what lies in a directory as it is.
                form::check::<InputError>(&accepted, &content, Unpack::Never, || Ok(false))?;
                form::check_place(&accepted, self.checker.policy.stores())?;
                Ok::<_, InputError>(())
            };
            match judged.await {
                Ok(()) => return Ok(true),
                Err(error) if error.fault() == Fault::No => passed_over.push(origin, error),
                Err(error) => return Err(error),
            }
        }
        passed_over.into_error().map_or(Ok(false), Err)
    }
}
