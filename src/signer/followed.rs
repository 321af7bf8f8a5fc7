//! A private key that is replaced while it is in use: a mounted Secret whose
//! `..data` link moves, or a file that is written anew.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argo_attest_core::keys::{KeyId, PublicKey};
use async_trait::async_trait;

use super::certified::Certified;
use super::mounted;
use super::opening::Opening;
use super::pair::{load_pair_with, public_path};
use super::password::Password;
use super::port::{SignError, Signed, Signer};
use super::signing_key::SigningKey;
use super::source::KeyError;

/// A key that follows its file. At any time it is one whole key: a replacement is
/// taken when it was read and found to be good. Each signature is made with one key from
/// its beginning to its end; the key before is wiped when the last such has been made.
#[derive(Debug)]
pub struct FollowedKey {
    file: Option<FollowedFile>,
    key: Mutex<Arc<dyn Signer>>,
}

/// Where a replacement would be.
#[derive(Debug)]
struct FollowedFile {
    path: PathBuf,
    password: Password,
    /// The only key that is taken, if that is said.
    expected: Option<KeyId>,
    /// As it was when it was looked at last; held by whoever looks.
    seen: Mutex<Generation>,
}

/// What came of looking for a replacement.
#[derive(Debug)]
pub enum Followed {
    /// There is none.
    Same,
    /// Another key is in use from now on.
    Replaced {
        /// The one before.
        before: KeyId,
    },
    /// There is one, and it cannot be used. The key from before still is. Said
    /// once for each replacement.
    Kept(KeyError),
}

/// By what a replacement is noticed, without reading any key.
#[derive(Debug, PartialEq, Eq)]
enum Generation {
    /// The directory of a mounted Secret.
    Secret(PathBuf),
    /// The private and the public key's file, as far as they are there.
    Files(Option<Stamp>, Option<Stamp>),
}

/// Device, inode, size and change time (seconds, nanoseconds): a file that was
/// written or replaced has another.
type Stamp = (u64, u64, u64, i64, i64);

impl FollowedKey {
    /// Loads the key, with the errors of [`SigningKey::signer`]. One that is in no file stays as
    /// it is.
    pub async fn load(name: &SigningKey, opening: &Opening<'_>) -> Result<Self, KeyError> {
        // Before it is read: what is replaced in between is looked at once more.
        let file = name.file().map(|path| FollowedFile {
            path: path.to_owned(),
            password: opening.password.clone(),
            expected: opening.expected,
            seen: Mutex::new(Generation::of(path)),
        });
        Ok(Self { file, key: Mutex::new(name.signer(opening).await?.into()) })
    }

    /// The key at this moment, which stays whole whatever replaces it.
    fn current(&self) -> Arc<dyn Signer> {
        Arc::clone(&locked(&self.key))
    }

    /// Looks whether there is another key now, and takes it if it is good. Costs
    /// two system calls while there is none.
    pub fn follow(&self) -> Followed {
        let Some(file) = &self.file else { return Followed::Same };
        let FollowedFile { path, password, expected, seen } = file;
        let mut seen = locked(seen);
        let now = Generation::of(path);
        if now == *seen {
            return Followed::Same;
        }
        *seen = now;
        let newer = match load_pair_with(path, password) {
            Ok(newer) => newer,
            Err(error) => return Followed::Kept(error.into()),
        };
        let (before, found) = (self.public_key().key_id(), newer.public().key_id());
        if found == before {
            return Followed::Same;
        }
        if let Some(expected) = *expected
            && expected != found
        {
            let name = argo_attest_core::secret::shown_path(path);
            return Followed::Kept(KeyError::Unexpected { name, expected, found });
        }
        *locked(&self.key) = Arc::new(newer);
        Followed::Replaced { before }
    }
}

#[async_trait]
impl Signer for FollowedKey {
    async fn sign(&self, pae: &[u8]) -> Result<Signed, SignError> {
        self.current().sign(pae).await
    }

    fn public_key(&self) -> PublicKey {
        self.current().public_key()
    }

    fn certified(&self) -> Option<Certified> {
        self.current().certified()
    }
}

/// What is behind these locks is whole at any time: it is replaced, not changed.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Generation {
    fn of(path: &Path) -> Self {
        match path.parent().and_then(mounted::generation) {
            Some(directory) => Self::Secret(directory),
            None => Self::Files(stamp(path), stamp(&public_path(path))),
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let of = fs::metadata(path).ok()?;
    Some((of.dev(), of.ino(), of.size(), of.ctime(), of.ctime_nsec()))
}

#[cfg(test)]
mod tests {
    use argo_attest_core::keys::KeyType;

    use super::*;
    use crate::signer::key_file::KeyFileError;
    use crate::signer::{KeySource, create_pair};

    fn fresh(directory: &Path, name: &str) -> PathBuf {
        let path = directory.join(name).join("attest.key");
        create_pair(&path, KeyType::Ed25519).unwrap();
        path
    }

    async fn load(path: &Path) -> FollowedKey {
        let none = |_: &str| None;
        FollowedKey::load(&KeySource::File(path.into()).into(), &Opening::new(&none)).await.unwrap()
    }

    fn name(followed: &FollowedKey) -> KeyId {
        followed.public_key().key_id()
    }

    fn put(from: &Path, to: &Path) {
        for (from, to) in [(from.to_owned(), to.to_owned()), (public_path(from), public_path(to))] {
            fs::rename(from, to).unwrap();
        }
    }

    #[tokio::test]
    async fn a_file_is_followed_when_all_of_the_pair_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = fresh(dir.path(), "first");
        let followed = load(&path).await;
        let first = name(&followed);
        assert!(matches!(followed.follow(), Followed::Same));

        // One file after the other: in between they are no pair.
        let second = fresh(dir.path(), "second");
        fs::rename(&second, &path).unwrap();
        match followed.follow() {
            Followed::Kept(KeyError::File(KeyFileError::Mismatch { .. })) => {}
            other => panic!("{other:?}"),
        }
        assert!(matches!(followed.follow(), Followed::Same), "it is said once");
        assert_eq!(name(&followed), first);
        fs::rename(public_path(&second), public_path(&path)).unwrap();
        match followed.follow() {
            Followed::Replaced { before } => assert_eq!(before, first),
            other => panic!("{other:?}"),
        }
        assert_ne!(name(&followed), first);
    }

    #[tokio::test]
    async fn what_is_lost_is_kept_until_there_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = fresh(dir.path(), "first");
        let followed = load(&path).await;
        let first = name(&followed);
        fs::remove_file(&path).unwrap();
        fs::remove_file(public_path(&path)).unwrap();
        assert!(matches!(followed.follow(), Followed::Kept(KeyError::File(KeyFileError::Missing { .. }))));
        assert!(matches!(followed.follow(), Followed::Same));
        put(&fresh(dir.path(), "second"), &path);
        assert!(matches!(followed.follow(), Followed::Replaced { .. }));
        assert_ne!(name(&followed), first);
    }

    #[tokio::test]
    async fn a_signature_is_made_with_one_key_and_says_which() {
        let dir = tempfile::tempdir().unwrap();
        let path = fresh(dir.path(), "first");
        let followed = load(&path).await;
        let signer: &dyn Signer = &followed;
        let before = signer.sign(b"x").await.unwrap();
        // One is under way while the key is replaced.
        let under_way = signer.sign(b"y");
        fs::remove_file(&path).unwrap();
        fs::remove_file(public_path(&path)).unwrap();
        put(&fresh(dir.path(), "second"), &path);
        assert!(matches!(followed.follow(), Followed::Replaced { .. }));
        for (signed, message) in [(before, b"x"), (under_way.await.unwrap(), b"y")] {
            signed.key.verify(message, signed.signature.as_bytes()).unwrap();
        }
        let after = signer.sign(b"z").await.unwrap();
        after.key.verify(b"z", after.signature.as_bytes()).unwrap();
        assert_eq!(after.key, signer.public_key());
    }

    #[tokio::test]
    async fn the_same_key_written_again_is_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = fresh(dir.path(), "first");
        let followed = load(&path).await;
        let text = fs::read(&path).unwrap();
        fs::write(&path, text).unwrap();
        assert!(matches!(followed.follow(), Followed::Same));
    }
}
