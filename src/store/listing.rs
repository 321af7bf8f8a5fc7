//! What a store holds under a prefix, page by page.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{ObjectKey, StoreError};

/// An object that a store named when it was asked what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key, as [`super::Store::get`] takes it.
    pub key: ObjectKey,
    /// Its length in bytes.
    pub size: u64,
    /// What is the MD5 of its bytes, if the listing says anything that can be that: a store may
    /// as well have made it of something else.
    pub md5: Option<[u8; 16]>,
    /// When it was written last, by the store's clock, if the listing says so.
    pub modified: Option<Timestamp>,
}

/// Where an adapter's pages come from. Deadlines and retries are the adapter's business.
#[async_trait]
pub trait PageSource: Send {
    /// The next objects; `None` at the end. A page may be empty.
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, StoreError>;
}

/// The objects under a prefix, each once and in no certain order, with memory for
/// one page of them. What is written or taken away meanwhile may be among them or not.
pub struct Listing {
    source: Box<dyn PageSource>,
    ended: bool,
}

impl Listing {
    /// A listing of what `source` gives.
    pub fn new(source: Box<dyn PageSource>) -> Self {
        Self { source, ended: false }
    }

    /// The next objects, never none; `None` once all were given. An error ends the listing:
    /// what came before it is not all that there is.
    pub async fn next(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        while !self.ended {
            match self.source.next_page().await {
                Ok(Some(page)) if page.is_empty() => {}
                Ok(Some(page)) => return Ok(Some(page)),
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing").field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// All in one page: what a store that has its keys at hand gives.
pub(super) struct AtOnce(Option<Vec<Listed>>);

impl AtOnce {
    pub(super) fn listing(all: Vec<Listed>) -> Listing {
        Listing::new(Box::new(Self(Some(all))))
    }
}

#[async_trait]
impl PageSource for AtOnce {
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        Ok(self.0.take())
    }
}
