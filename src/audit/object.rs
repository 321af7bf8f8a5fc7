//! One object that somebody says is in a store.

use std::sync::Arc;

use argo_attest_core::verify::Rejection;

use crate::store::{InvalidKey, ObjectKey, Store, StoreError};
use crate::verify::{Artifact, BoundedChecker, CheckError, Checked, Large, MAX_ENTRIES};

/// What was found of it.
#[derive(Debug)]
pub(super) enum Seen {
    /// It is as attested.
    Checked(Box<Checked>),
    /// It is there, and is not.
    Failed(CheckError),
    /// Neither it is there nor anything beneath it.
    Gone,
}

/// What is at a key: an object, or all that is beneath it. Of what is not accepted it is asked
/// whether it is there at all, since an attestation speaks of what is gone as well.
///
/// Errors: [`Large`], where its attestation has to be looked at by itself.
pub(super) async fn seen(
    checker: Arc<BoundedChecker>,
    store: Arc<dyn Store>,
    key: &str,
) -> Result<Seen, Large> {
    // A slash at the end is the mark of a directory, and no part of its name.
    let name = match ObjectKey::new(key.trim_end_matches('/')) {
        Ok(name) => name,
        Err(why) => return Ok(Seen::Failed(no_key(&why))),
    };
    if !key.ends_with('/') {
        let object = Artifact::Object(Arc::clone(&store), name.clone());
        let error = match Arc::clone(&checker).check_beside(object).await? {
            Ok(found) => return Ok(Seen::Checked(Box::new(found))),
            Err(error @ (CheckError::Rejected(_) | CheckError::NoArtifact)) => error,
            Err(error) => return Ok(Seen::Failed(error)),
        };
        match store.head(&name).await {
            Ok(_) => return Ok(Seen::Failed(error)),
            Err(StoreError::NotFound { .. } | StoreError::NotAFile { .. }) => {}
            Err(error) => return Ok(Seen::Failed(error.into())),
        }
    }
    let members = match members(store.as_ref(), &name).await {
        Ok(members) if members.is_empty() => return Ok(Seen::Gone),
        Ok(members) => members,
        Err(error) => return Ok(Seen::Failed(error)),
    };
    let found = checker.check_beside(Artifact::Directory(store, name, members)).await?;
    Ok(found.map_or_else(Seen::Failed, |checked| Seen::Checked(Box::new(checked))))
}

/// What is beneath a directory's key, but for the empty objects by which consoles show a folder.
async fn members(store: &dyn Store, name: &ObjectKey) -> Result<Vec<ObjectKey>, CheckError> {
    let mut members = Vec::new();
    let mut listing = store.list(&format!("{}/", name.as_str()));
    while let Some(page) = listing.next().await? {
        let are = |object: &crate::store::Listed| object.size > 0 || !object.key.as_str().ends_with('/');
        members.extend(page.into_iter().filter(are).map(|object| object.key));
        if members.len() > MAX_ENTRIES {
            return Err(CheckError::TooMany);
        }
    }
    Ok(members)
}

fn no_key(why: &InvalidKey) -> CheckError {
    Rejection::Unverifiable {
        path: argo_attest_core::relpath::RelPath::root(),
        reason: format!("its key is none: {why}"),
    }
    .into()
}
