//! A store in a directory: every key is a file beneath it.
//!
//! A write is a temporary file in the same directory, fsync, a rename that does
//! not overwrite, fsync of the directory. Nothing on the way to a file, nor the
//! file itself, may be a symbolic link: each component is opened by itself with
//! `O_NOFOLLOW` (openat(2)), which asks no more of the kernel than POSIX and
//! cannot be raced. A writer that is killed can leave `.argo-attest-….tmp`
//! behind, never half an object.

mod beneath;
mod listing;
mod lock;
mod write;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::relpath::RelPath;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};

use self::beneath::Directory;
use super::location::file_uri;
use super::{
    Checksums, ChunkSource, Corruption, Listing, NewObject, Object, ObjectInfo, ObjectKey, ObjectStream,
    PutMode, PutOutcome, Revision, Store, StoreError,
};

/// Bytes read at a time.
const CHUNK: usize = 256 * 1024;

/// Objects as files beneath a directory.
#[derive(Debug, Clone)]
pub struct FileStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    root: Directory,
}

/// Where one object is: its uri for errors, its directory's path and its name.
struct Place {
    uri: String,
    parent: RelPath,
    name: Vec<u8>,
}

impl FileStore {
    /// Opens the directory, which must exist. It may itself be reached through
    /// symbolic links; whoever names it decides that.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let root = Directory::open(dir).map_err(|source| {
            let uri = file_uri(dir);
            match source.kind() {
                io::ErrorKind::NotFound => StoreError::NoDirectory { uri, problem: "does not exist" },
                io::ErrorKind::NotADirectory => {
                    StoreError::NoDirectory { uri, problem: "is not a directory" }
                }
                _ => StoreError::Io { uri, operation: "open the store's directory", source },
            }
        })?;
        Ok(Self { inner: Arc::new(Inner { path: dir.to_owned(), root }) })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    async fn blocking<T: Send + 'static>(
        &self,
        key: &ObjectKey,
        work: impl FnOnce(&Inner, &Place) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = self.inner.place(key)?;
        let uri = place.uri.clone();
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || work(&inner, &place)).await.unwrap_or_else(|error| {
            Err(StoreError::Io { uri, operation: "finish the work", source: io::Error::other(error) })
        })
    }
}

impl Place {
    fn io(&self, operation: &'static str) -> impl FnOnce(io::Error) -> StoreError {
        let uri = self.uri.clone();
        move |source| match source.kind() {
            io::ErrorKind::NotFound => StoreError::NotFound { uri },
            _ => StoreError::Io { uri, operation, source },
        }
    }
}

impl Inner {
    fn uri(&self, key: &ObjectKey) -> String {
        file_uri(&self.path.join(key.as_str().trim_start_matches('/')))
    }

    fn place(&self, key: &ObjectKey) -> Result<Place, StoreError> {
        let uri = self.uri(key);
        let path = match key.to_rel_path() {
            Ok(path) => path,
            Err(source) => return Err(StoreError::Path { uri, source }),
        };
        let name = path.file_name().unwrap_or_default().to_vec();
        Ok(Place { uri, parent: path.parent().unwrap_or_default(), name })
    }

    /// Opens the object to read, with its length.
    fn object(&self, place: &Place) -> Result<(File, u64), StoreError> {
        let dir = self.root.descend(&place.parent).map_err(place.io("open the object's directory"))?;
        open_object(&dir, place)
    }
}

fn open_object(dir: &Directory, place: &Place) -> Result<(File, u64), StoreError> {
    let file = match dir.open_file(&place.name) {
        // ELOOP and EMLINK are how systems say "a symbolic link" to O_NOFOLLOW; ENXIO is a socket.
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::MLINK | rustix::io::Errno::NXIO) => {
            return Err(StoreError::NotAFile { uri: place.uri.clone() });
        }
        other => File::from(other.map_err(io::Error::from).map_err(place.io("open the file"))?),
    };
    let metadata = file.metadata().map_err(place.io("stat the file"))?;
    if !metadata.is_file() {
        return Err(StoreError::NotAFile { uri: place.uri.clone() });
    }
    Ok((file, metadata.len()))
}

/// The digest of all bytes and their number, in bounded memory.
fn digest(file: &mut File, place: &Place) -> Result<ObjectInfo, StoreError> {
    let mut hasher = Sha256::new();
    let mut size = 0_u64;
    let mut chunk = vec![0; CHUNK];
    loop {
        let n = read_some(file, &mut chunk).map_err(place.io("read the file"))?;
        let Some(bytes) = chunk.get(..n).filter(|b| !b.is_empty()) else {
            return Ok(info(size, Sha256Digest::from_hasher(hasher)));
        };
        hasher.update(bytes);
        size = size.saturating_add(n as u64);
    }
}

fn read_some(file: &mut File, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(buf) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn info(size: u64, sha256: Sha256Digest) -> ObjectInfo {
    ObjectInfo {
        size,
        revision: Revision::new(&sha256.to_string()),
        version_id: None,
        checksums: Checksums { sha256: Some(sha256), crc64nvme: None },
    }
}

fn read_whole(dir: &Directory, place: &Place, limit: u64) -> Result<Object, StoreError> {
    let (file, size) = open_object(dir, place)?;
    let too_large = || StoreError::TooLarge { uri: place.uri.clone(), limit };
    if size > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    // One more than the limit, so that a file that grows meanwhile shows.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(place.io("read the file"))?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    let info = info(bytes.len() as u64, Sha256Digest::of(&bytes));
    Ok(Object { bytes: bytes.into(), info })
}

struct FileChunks {
    file: Option<File>,
    hasher: Sha256,
    expected: ObjectInfo,
    uri: String,
}

#[async_trait]
impl ChunkSource for FileChunks {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, StoreError> {
        let io = |source| StoreError::Io { uri: self.uri.clone(), operation: "read the file", source };
        let Some(mut file) = self.file.take() else { return Ok(None) };
        let read = move || {
            let mut chunk = BytesMut::zeroed(CHUNK);
            read_some(&mut file, &mut chunk).map(|n| {
                chunk.truncate(n);
                (file, chunk.freeze())
            })
        };
        let (file, chunk) =
            tokio::task::spawn_blocking(read).await.map_err(io::Error::other).and_then(|r| r).map_err(io)?;
        if !chunk.is_empty() {
            self.hasher.update(&chunk);
            self.file = Some(file);
            return Ok(Some(chunk));
        }
        let sha256 = Sha256Digest::from_hasher(std::mem::take(&mut self.hasher));
        if self.expected.checksums.sha256 == Some(sha256) {
            Ok(None)
        } else {
            Err(StoreError::Corrupt { uri: self.uri.clone(), kind: Corruption::Changed })
        }
    }
}

#[async_trait]
impl Store for FileStore {
    fn uri(&self, key: &ObjectKey) -> String {
        self.inner.uri(key)
    }

    async fn get(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        self.blocking(key, move |inner, place| {
            let dir = inner.root.descend(&place.parent).map_err(place.io("open the object's directory"))?;
            read_whole(&dir, place, limit)
        })
        .await
    }

    /// Reads the file twice: once for the revision it announces, once for the
    /// caller, and compares the two.
    async fn stream(&self, key: &ObjectKey) -> Result<ObjectStream, StoreError> {
        let (file, expected) = self
            .blocking(key, |inner, place| {
                let (mut file, _) = inner.object(place)?;
                let expected = digest(&mut file, place)?;
                io::Seek::rewind(&mut file).map_err(place.io("read the file"))?;
                Ok((file, expected))
            })
            .await?;
        let uri = self.uri(key);
        let chunks = FileChunks {
            file: Some(file),
            hasher: Sha256::new(),
            expected: expected.clone(),
            uri: uri.clone(),
        };
        Ok(ObjectStream::new(uri, expected, Box::new(chunks)))
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectInfo, StoreError> {
        self.blocking(key, |inner, place| digest(&mut inner.object(place)?.0, place)).await
    }

    fn list(&self, prefix: &str) -> Listing {
        Listing::new(Box::new(listing::Files::new(self.clone(), prefix)))
    }

    async fn write(
        &self,
        key: &ObjectKey,
        content: NewObject,
        mode: PutMode,
    ) -> Result<PutOutcome, StoreError> {
        self.blocking(key, move |inner, place| match mode {
            PutMode::Create => write::create(&inner.root, place, &content),
            PutMode::Replace(revision) => write::replace(&inner.root, place, &content, &revision),
        })
        .await
    }
}
