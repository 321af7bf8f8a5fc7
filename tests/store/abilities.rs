//! Stores that do not take all that is asked of them: what is done without it, and that it is
//! found out once.

use argo_attest::store::{PutMode, PutOutcome, S3Store, Store as _, StoreErrorKind};
use bytes::Bytes;

use crate::conformance::{Leave, conformance};
use crate::faulty::{checked, create, key, limits, put, store_with};
use crate::odd_store::{Habits, OddStore, Preconditions};
use crate::share::is_tried;

const ODD: [Habits; 7] = [
    Habits { preconditions: Preconditions::Kept, checksums_refused: None, hides: false, demands: None },
    Habits { preconditions: Preconditions::Refused, checksums_refused: None, hides: false, demands: None },
    Habits { preconditions: Preconditions::Unquoted, checksums_refused: None, hides: false, demands: None },
    Habits {
        preconditions: Preconditions::Kept,
        checksums_refused: Some((501, "NotImplemented")),
        hides: false,
        demands: None,
    },
    Habits {
        preconditions: Preconditions::Refused,
        checksums_refused: Some((400, "InvalidArgument")),
        hides: false,
        demands: None,
    },
    Habits {
        preconditions: Preconditions::Kept,
        checksums_refused: None,
        hides: false,
        demands: Some(("x-amz-server-side-encryption", "aws:kms")),
    },
    Habits {
        preconditions: Preconditions::Kept,
        checksums_refused: None,
        hides: false,
        demands: Some(("x-amz-acl", "bucket-owner-full-control")),
    },
];

fn store(odd: &OddStore) -> S3Store {
    store_with(&odd.server, limits())
}

/// Races of this process's own writers included.
#[tokio::test]
async fn all_promises_are_kept_whatever_a_store_takes() {
    for (_, habits) in ODD.into_iter().enumerate().filter(|(number, _)| is_tried(*number)) {
        let odd = OddStore::start(habits);
        let store = store(&odd);
        conformance(&store, "suite", Leave { listings: true, ..Leave::default() }).await;
        assert_eq!(store.retries(), 0, "{habits:?}");
    }
}

#[tokio::test]
async fn what_a_store_does_not_take_is_asked_of_it_once() {
    for habits in ODD {
        let odd = OddStore::start(habits);
        let store = store(&odd);
        let revision = create(&store).await.unwrap().info().revision.clone();
        let new = store.put(&key(), Bytes::from_static(b"new"), PutMode::Replace(revision)).await.unwrap();
        let learnt = odd.server.requests().len();
        let other = argo_attest::store::ObjectKey::new("other").unwrap();
        store.put(&other, Bytes::from_static(b"x"), PutMode::Create).await.unwrap();
        let replaced = store
            .put(&key(), Bytes::from_static(b"newest"), PutMode::Replace(new.info().revision.clone()))
            .await;
        assert!(matches!(replaced.unwrap(), PutOutcome::Written(_)), "{habits:?}");
        let more = odd.server.requests().split_off(learnt);
        let writes = more.iter().filter(|request| request.method == "PUT").count();
        assert_eq!(writes, 2, "{habits:?}: {more:?}");
    }
}

/// Nothing is given up for a store that refuses for another reason.
#[tokio::test]
async fn what_is_refused_in_any_manner_is_refused_in_the_first() {
    let odd = OddStore::start(Habits { demands: Some(("x-amz-tagging", "team=a")), ..Habits::default() });
    let store = store(&odd);
    let text = checked(&create(&store).await.unwrap_err(), StoreErrorKind::Denied);
    assert!(text.contains("s3:PutObject was denied"), "{text}");
    assert_eq!(odd.server.requests().len(), 4);
    assert!(odd.server.requests().iter().all(|request| request.header("if-none-match") == "*"));
}

/// One that compares tags as it should is not asked with anything less.
#[tokio::test]
async fn a_conflict_is_one() {
    let odd = OddStore::start(Habits::default());
    let store = store(&odd);
    let revision = create(&store).await.unwrap().info().revision.clone();
    odd.hold("/bucket/a/b.sigstore.json", b"theirs", None);
    let text = checked(&put(&store, PutMode::Replace(revision)).await.unwrap_err(), StoreErrorKind::Conflict);
    assert!(text.contains("already holds other bytes"), "{text}");
    assert!(odd.server.requests().iter().all(|request| request.header("if-match") != "before"));
    assert_eq!(odd.get("/bucket/a/b.sigstore.json").unwrap(), b"theirs");
}

/// What does not have the checksum that the store holds for it is not believed, and can be kept.
#[tokio::test]
async fn what_is_damaged_can_be_salvaged() {
    let odd = OddStore::start(Habits::default());
    let sum = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    odd.hold("/bucket/a/b.sigstore.json", b"damaged", Some(sum));
    let store = store(&odd);
    checked(&store.get(&key(), 100).await.unwrap_err(), StoreErrorKind::Corrupt);
    assert_eq!(store.salvage(&key(), 100).await.unwrap().bytes, "damaged");
    checked(&store.salvage(&key(), 3).await.unwrap_err(), StoreErrorKind::TooLarge);
}
