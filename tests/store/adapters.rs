//! One suite for all stores.

use crate::conformance::{Leave, conformance};
use crate::servers::{SECRET_KEY, VersityGw, config};
use argo_attest::store::s3::{Requests, S3Config};
use argo_attest::store::{FileStore, MemoryStore, S3Store, Store as _, StoreErrorKind};
use argo_attest_core::trouble::Trouble as _;

/// Whose requests are sent, and under which prefix.
const BOTH: [(Requests, &str); 2] = [(Requests::Plain, "plain"), (Requests::BySdk, "by the sdk")];

#[tokio::test]
async fn memory() {
    conformance(&MemoryStore::new(), "suite", Leave::default()).await;
}

#[tokio::test]
async fn file() {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::open(dir.path()).unwrap();
    conformance(&store, "suite", Leave::default()).await;
    // What is no object is not listed.
    std::fs::create_dir_all(dir.path().join("again/listed")).unwrap();
    std::os::unix::fs::symlink("../../suite/listed", dir.path().join("again/listed/link")).unwrap();
    conformance(&store, "again", Leave::default()).await;
}

#[tokio::test]
async fn s3_over_s3s_fs() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = crate::servers::s3s_fs(dir.path()).await;
    for (requests, prefix) in BOTH {
        let store = S3Store::new(S3Config { requests, ..config(&endpoint, SECRET_KEY) }).unwrap();
        conformance(&store, prefix, Leave { encoded: true, ..Leave::default() }).await;
        assert_eq!(store.retries(), 0, "a healthy store needs no second attempt");
    }
}

#[tokio::test]
async fn s3_over_s3s_fs_with_a_wrong_secret() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = crate::servers::s3s_fs(dir.path()).await;
    let store = S3Store::new(config(&endpoint, "not-the-secret")).unwrap();
    let key = argo_attest::store::ObjectKey::new("x").unwrap();
    let error = store.get(&key, 10).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Denied, "{error:?}");
    assert_eq!(error.remedy().unwrap(), "check AWS_SECRET_ACCESS_KEY");
}

#[tokio::test]
async fn s3_over_versitygw() {
    let Some(gateway) = VersityGw::start().await else { return };
    for (requests, prefix) in BOTH {
        let store = S3Store::new(S3Config { requests, ..config(&gateway.endpoint, SECRET_KEY) }).unwrap();
        conformance(&store, prefix, Leave::default()).await;
    }
}
