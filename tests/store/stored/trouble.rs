//! A store that fails, or changes, while it is read: never a match, and never
//! passed off as a mismatch.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use argo_attest::store::{Corruption, MemoryStore, Store, StoreError, StoreErrorKind};
use argo_attest::stored_match::{Check, StoredError, check_bytes};
use argo_attest_core::argo::Packing;
use argo_attest_core::digest::Sha256Digest;
use bytes::Bytes;

use super::case::{self, Case, key, written};
use super::double::{Double, Fault, Shown, one};

/// Every case over a store without checksums, so that all of it is read.
async fn each_case(fault: Fault, judge: impl Fn(&Case, StoredError)) {
    for case in case::all() {
        let store: Arc<dyn Store> = Arc::new(Double::failing(Shown::Nothing, fault.clone(), &case.objects));
        match case.check(&store).await {
            Err(error) => judge(&case, error),
            Ok(found) => panic!("{fault:?}: {found:?}"),
        }
    }
}

#[tokio::test]
async fn a_broken_connection_is_the_stores_fault() {
    each_case(Fault::Break, |_, error| match error {
        StoredError::Store(error) => assert_eq!(error.kind(), StoreErrorKind::Unreachable, "{error:?}"),
        other => panic!("{other:?}"),
    })
    .await;
}

#[tokio::test]
async fn a_body_that_ends_early_is_the_stores_fault() {
    each_case(Fault::Short, |_, error| match error {
        StoredError::Store(StoreError::Corrupt { kind: Corruption::Length { .. }, .. }) => {}
        other => panic!("{other:?}"),
    })
    .await;
}

const REPLACEMENT: Bytes = Bytes::from_static(b"put there by somebody else");

#[tokio::test]
async fn a_replacement_while_reading_is_noticed() {
    for fault in [Fault::Meanwhile(Some(REPLACEMENT)), Fault::Meanwhile(None), Fault::Notice] {
        each_case(fault, |_, error| match error {
            StoredError::Changed { uri } => assert!(uri.starts_with("memory:"), "{uri}"),
            other => panic!("{other:?}"),
        })
        .await;
    }
}

#[tokio::test]
async fn a_replacement_between_asking_and_reading_is_noticed() {
    each_case(Fault::Before(Some(REPLACEMENT)), |case, error| match (error, &case.packing) {
        (StoredError::Changed { .. }, Packing::AsIs | Packing::PackedOnDisk | Packing::ObjectPerFile)
        // Nothing is asked before an archive is read.
        | (StoredError::Mismatch { .. }, Packing::Repacked(..)) => {}
        (other, _) => panic!("{other:?}"),
    })
    .await;
    each_case(Fault::Before(None), |_, error| match error {
        StoredError::NotThere { .. } => {}
        other => panic!("{other:?}"),
    })
    .await;
}

/// The same bytes written again are another version: which of the two is meant
/// must be clear.
#[tokio::test]
async fn a_rewrite_of_the_same_bytes_is_noticed() {
    let bytes = Bytes::from_static(b"the same");
    for fault in [Fault::Before(Some(bytes.clone())), Fault::Meanwhile(Some(bytes.clone()))] {
        let store = Double::failing(Shown::Nothing, fault, &one("x", b"the same"));
        match check_bytes(&store, &key("x"), &written(&bytes)).await {
            Err(StoredError::Changed { .. }) => {}
            other => panic!("{other:?}"),
        }
        let again = check_bytes(&store.inner, &key("x"), &written(&bytes)).await.unwrap();
        assert_eq!(again.version_id(), Some("2"));
    }
}

#[tokio::test]
async fn a_wrong_checksum_is_never_a_match() {
    for case in case::all() {
        let store: Arc<dyn Store> = Arc::new(Double::failing(Shown::Wrong, Fault::None, &case.objects));
        match (case.check(&store).await, &case.packing) {
            // Its bytes are those that were written, and the store says otherwise.
            (
                Err(StoredError::Store(StoreError::Corrupt { kind: Corruption::Checksum, .. })),
                Packing::Repacked(..),
            )
            | (Err(StoredError::Mismatch { .. }), _) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn each_check_asks_for_no_more_than_it_needs() {
    let objects = one("x", b"12345");
    let asked = async |shown, bytes: &[u8]| {
        let store = Double::failing(shown, Fault::None, &objects);
        let found = check_bytes(&store, &key("x"), &written(bytes)).await;
        (found.ok().map(|object| object.check()), store.asked().join(", "))
    };
    let told = |check, requests: &str| (check, requests.to_owned());
    assert_eq!(asked(Shown::Both, b"12345").await, told(Some(Check::Sha256Checksum), "HEAD x"));
    assert_eq!(asked(Shown::Crc64Nvme, b"12345").await, told(Some(Check::Crc64NvmeChecksum), "HEAD x"));
    assert_eq!(asked(Shown::Crc64Nvme, b"12346").await, told(None, "HEAD x"));
    assert_eq!(asked(Shown::Nothing, b"12345").await, told(Some(Check::ReadBack), "HEAD x, GET x, HEAD x"));
    assert_eq!(asked(Shown::Nothing, b"12346").await, told(None, "HEAD x, GET x"));
    assert_eq!(asked(Shown::Nothing, b"123456").await, told(None, "HEAD x"));

    let without_crc = argo_attest::stored_match::Written { crc64nvme: None, ..written(b"12345") };
    let store = Double::failing(Shown::Crc64Nvme, Fault::None, &objects);
    let found = check_bytes(&store, &key("x"), &without_crc).await.unwrap();
    assert_eq!((found.check(), store.asked().len()), (Check::ReadBack, 3));
}

#[tokio::test]
async fn says_how_bytes_differ() {
    let said = async |shown, found: &'static [u8], was: &[u8]| {
        let store = Double::failing(shown, Fault::None, &one("x", found));
        check_bytes(&store, &key("x"), &written(was)).await.unwrap_err().to_string()
    };
    assert_eq!(
        said(Shown::Both, b"12345", b"1234").await,
        "memory:x is not what was written: it has 5 bytes, and 4 were written"
    );
    let (upper, lower) = (Sha256Digest::of(b"A"), Sha256Digest::of(b"a"));
    for shown in [Shown::Both, Shown::Nothing] {
        assert_eq!(
            said(shown, b"A", b"a").await,
            format!(
                "memory:x is not what was written: \
                 its SHA-256 is {upper}, and that of what was written is {lower}"
            )
        );
    }
    let crc = said(Shown::Crc64Nvme, b"A", b"a").await;
    assert!(crc.starts_with("memory:x is not what was written: its CRC-64/NVME is "), "{crc}");
    let missing = check_bytes(&MemoryStore::new(), &key("x"), &written(b"")).await.unwrap_err();
    assert_eq!(missing.to_string(), "memory:x is not in the store");
}

/// What is no archive from its first bytes on is not fetched to its end.
#[tokio::test]
async fn a_verdict_waits_for_no_more_bytes() {
    for case in case::all() {
        let Packing::Repacked(..) = case.packing else { continue };
        let garbage = [(case.objects[0].0.clone(), Bytes::from(vec![b'x'; 1 << 20]))];
        let store: Arc<dyn Store> = Arc::new(Double::failing(Shown::Nothing, Fault::Stall, &garbage));
        match tokio::time::timeout(Duration::from_secs(30), case.check(&store)).await.unwrap() {
            Err(StoredError::Mismatch { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// A deadline that drops a check leaves no thread behind that waits for bytes:
/// it would keep the process from ending.
#[test]
fn a_dropped_check_ends() {
    for case in case::all() {
        let (ended, end) = mpsc::channel();
        std::thread::spawn(move || {
            let store: Arc<dyn Store> =
                Arc::new(Double::failing(Shown::Nothing, Fault::Stall, &case.objects));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let outcome = runtime.block_on(async {
                tokio::time::timeout(Duration::from_millis(50), case.check(&store)).await
            });
            // Waits for all of its threads.
            drop(runtime);
            ended.send(outcome.is_err()).unwrap();
        });
        assert!(end.recv_timeout(Duration::from_secs(30)).unwrap(), "nothing ends a stalled check but time");
    }
}
