//! Looking at what is called like an attestation, to see whether it is one.

use std::collections::HashSet;
use std::io::BufReader;
use std::sync::Arc;

use futures_util::stream::StreamExt as _;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::lanes::Lanes;
use super::surveyed::Surveyed;
use super::told::Told;
use super::{attestation, is_manifest};
use crate::attestations::{MAX_ATTESTATION, USUAL_ATTESTATION, all_forms, is_called_manifest, is_first_form};
use crate::store::{Object, ObjectKey, Store as _, StoreError};

/// What came of looking at what is called like an attestation, or like the manifest of one.
#[derive(Default)]
pub(super) struct Looked {
    /// Those that are what they are called.
    pub(super) are: HashSet<ObjectKey>,
    /// Those of which it is not known, and why it is not of one of them.
    pub(super) unread: HashSet<ObjectKey>,
    pub(super) why: Option<Arc<StoreError>>,
}

impl Looked {
    /// Looks at all of these. Lines of which the bundle beside them tells what they hold are not read.
    pub(super) async fn at(lanes: &Lanes, store: &Arc<Surveyed>, called: Vec<ObjectKey>) -> Self {
        let bundles: HashSet<_> = called.iter().filter(|key| is_first_form(key.as_str())).cloned().collect();
        // Of bundles that are not among these it is not known what they hold.
        let has_bundle = |key: &ObjectKey| {
            let bundle = || all_forms(key.as_str()).and_then(|[bundle, _]| ObjectKey::new(&bundle).ok());
            store.told(key).is_some() && bundle().is_some_and(|bundle| bundles.contains(&bundle))
        };
        let (perhaps_told, first): (Vec<_>, Vec<_>) = called.into_iter().partition(has_bundle);
        let (store, large) = (Arc::clone(store), Arc::new(Semaphore::new(1)));
        let each = move |key: ObjectKey| {
            let (store, large) = (Arc::clone(&store), Arc::clone(&large));
            async move {
                let found = look(&store, &key, &large).await;
                let its_lines = found.as_ref().ok().and_then(|found| {
                    let [_, name] = all_forms(key.as_str())?;
                    let beside = ObjectKey::new(&name).ok()?;
                    let is_of_them = found.lines.is_some() && store.told(&beside) == found.lines;
                    is_of_them.then_some(beside)
                });
                (key, found.map(|found| found.is), its_lines)
            }
        };
        let mut looked = Self::default();
        let mut found = lanes.each(first, each.clone());
        while let Some(found) = found.next().await {
            looked.note(found);
        }
        let unknown = perhaps_told.into_iter().filter(|key| !looked.are.contains(key)).collect();
        let mut found = lanes.each(unknown, each);
        while let Some(found) = found.next().await {
            looked.note(found);
        }
        looked
    }

    fn note(&mut self, (key, is, lines): (ObjectKey, Result<bool, StoreError>, Option<ObjectKey>)) {
        self.are.extend(lines);
        match is {
            Ok(true) => drop(self.are.insert(key)),
            Ok(false) => {}
            Err(why) => {
                self.unread.insert(key);
                self.why.get_or_insert_with(|| Arc::new(why));
            }
        }
    }
}

/// What a look at an object found.
#[derive(Default)]
struct Found {
    /// Whether it is what it is called.
    is: bool,
    /// What lines hold that hold the same.
    lines: Option<Told>,
}

/// Whether an object that is called like an attestation, or like the manifest of one, is that.
/// What cannot be read is nothing of the kind, unless the store does not answer: only that is an
/// error. Of those that are large one is held at a time.
async fn look(store: &Surveyed, key: &ObjectKey, large: &Semaphore) -> Result<Found, StoreError> {
    let unread = |why| match why {
        StoreError::Unreachable { .. } => Err(why),
        _ => Ok(Found::default()),
    };
    if is_called_manifest(key.as_str().as_bytes()) {
        let list = match store.stream(key).await {
            Ok(list) => BufReader::new(list.into_blocking(Handle::current())),
            Err(why) => return unread(why),
        };
        let is = tokio::task::spawn_blocking(move || is_manifest(list)).await.unwrap_or(false);
        return Ok(Found { is, lines: None });
    }
    let found = |object: &Object| {
        let file = attestation(&object.bytes);
        Ok(Found { is: file.is_some(), lines: file.as_ref().and_then(Told::of_lines_beside) })
    };
    match store.get_ahead(key, USUAL_ATTESTATION).await {
        Ok(object) => found(&object),
        Err(StoreError::TooLarge { .. }) => {
            let _alone = large.acquire().await;
            store.get(key, MAX_ATTESTATION).await.map_or_else(unread, |object| found(&object))
        }
        Err(why) => unread(why),
    }
}
