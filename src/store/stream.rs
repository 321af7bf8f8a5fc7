//! An object as it arrives: chunk by chunk, its length checked at the end.

use std::fmt;
use std::io;

use async_trait::async_trait;
use bytes::{Buf as _, Bytes};
use tokio::runtime::Handle;

use super::error::Corruption;
use super::{ObjectInfo, StoreError};

/// Where an adapter's chunks come from. Deadlines are the adapter's business,
/// lengths are [`ObjectStream`]'s.
#[async_trait]
pub trait ChunkSource: Send {
    /// The next bytes; `None` at the end.
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, StoreError>;
}

/// The bytes of one object, first to last.
pub struct ObjectStream {
    uri: String,
    info: ObjectInfo,
    received: u64,
    ended: bool,
    source: Box<dyn ChunkSource>,
}

impl ObjectStream {
    /// A stream that must give exactly `info.size` bytes.
    pub fn new(uri: String, info: ObjectInfo, source: Box<dyn ChunkSource>) -> Self {
        Self { uri, info, received: 0, ended: false, source }
    }

    /// What the store announced.
    pub fn info(&self) -> &ObjectInfo {
        &self.info
    }

    /// Bytes given so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The next bytes, never empty; `None` once exactly as many came as were
    /// announced. After an error the bytes so far are worth nothing.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        while !self.ended {
            match self.source.next_chunk().await? {
                Some(chunk) if chunk.is_empty() => {}
                Some(chunk) => {
                    self.received = self.received.saturating_add(chunk.len() as u64);
                    if self.received > self.info.size {
                        return Err(self.wrong_length());
                    }
                    return Ok(Some(chunk));
                }
                None if self.received == self.info.size => self.ended = true,
                None => return Err(self.wrong_length()),
            }
        }
        Ok(None)
    }

    /// The stream as a reader for a thread that may block, such as one that
    /// unpacks an archive. `runtime` must be driven by another thread
    /// meanwhile, or the reader waits for ever. The [`StoreError`] is the source
    /// of the [`io::Error`] that the reader gives.
    pub fn into_blocking(mut self, runtime: Handle) -> BlockingRead {
        BlockingRead::new(move || runtime.block_on(self.next()).map_err(io::Error::other))
    }

    fn wrong_length(&self) -> StoreError {
        let kind = Corruption::Length { announced: self.info.size, received: self.received };
        StoreError::Corrupt { uri: self.uri.clone(), kind }
    }
}

impl fmt::Debug for ObjectStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectStream")
            .field("uri", &self.uri)
            .field("info", &self.info)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

/// Chunks as [`io::Read`].
pub struct BlockingRead {
    next: Box<dyn FnMut() -> io::Result<Option<Bytes>> + Send>,
    rest: Bytes,
    ended: bool,
}

impl BlockingRead {
    /// Reads what `next` gives: no chunk may be empty, and after `None` it is
    /// not asked again.
    pub fn new(next: impl FnMut() -> io::Result<Option<Bytes>> + Send + 'static) -> Self {
        Self { next: Box::new(next), rest: Bytes::new(), ended: false }
    }
}

impl fmt::Debug for BlockingRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingRead").field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl io::Read for BlockingRead {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() && !self.ended && !buf.is_empty() {
            match (self.next)()? {
                Some(chunk) => self.rest = chunk,
                None => self.ended = true,
            }
        }
        let n = self.rest.len().min(buf.len());
        if let Some(to) = buf.get_mut(..n) {
            self.rest.copy_to_slice(to);
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io::Read as _;

    use super::*;
    use crate::store::{Checksums, Revision};

    struct Listed(VecDeque<&'static [u8]>);

    #[async_trait]
    impl ChunkSource for Listed {
        async fn next_chunk(&mut self) -> Result<Option<Bytes>, StoreError> {
            Ok(self.0.pop_front().map(Bytes::from_static))
        }
    }

    fn stream(size: u64, chunks: &[&'static [u8]]) -> ObjectStream {
        let info = ObjectInfo {
            size,
            revision: Revision::new("r"),
            version_id: None,
            checksums: Checksums::default(),
        };
        let source = Listed(chunks.iter().copied().collect());
        ObjectStream::new("memory:x".to_owned(), info, Box::new(source))
    }

    async fn drain(mut stream: ObjectStream) -> Result<Vec<u8>, StoreError> {
        let mut all = Vec::new();
        while let Some(chunk) = stream.next().await? {
            all.extend_from_slice(&chunk);
        }
        assert_eq!(stream.next().await.unwrap(), None, "the end is final");
        Ok(all)
    }

    #[tokio::test]
    async fn gives_exactly_what_was_announced() {
        assert_eq!(drain(stream(5, &[b"ab", b"", b"cde"])).await.unwrap(), b"abcde");
        assert_eq!(drain(stream(0, &[])).await.unwrap(), b"");
        for (size, received) in [(6, 5), (4, 5)] {
            match drain(stream(size, &[b"ab", b"cde"])).await {
                Err(StoreError::Corrupt {
                    kind: Corruption::Length { announced, received: got }, ..
                }) => {
                    assert_eq!((announced, got), (size, received));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn reads_from_another_thread() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = |stream: ObjectStream| {
            let mut reader = stream.into_blocking(runtime.handle().clone());
            let work = runtime.handle().spawn_blocking(move || {
                let mut all = Vec::new();
                reader.read_to_end(&mut all).map(|_| all)
            });
            runtime.block_on(work).unwrap()
        };
        assert_eq!(read(stream(5, &[b"ab", b"cde"])).unwrap(), b"abcde");
        let error = read(stream(6, &[b"ab", b"cde"])).unwrap_err();
        assert!(error.get_ref().unwrap().is::<StoreError>(), "{error:?}");
    }
}
