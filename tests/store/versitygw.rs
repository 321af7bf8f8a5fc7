//! What only a store with versions, and one that refuses, can show.

use crate::servers::{BUCKET, SECRET_KEY, VersityGw, config};
use argo_attest::store::{ObjectKey, PutMode, PutOutcome, S3Store, Store as _, StoreError, StoreErrorKind};
use argo_attest_core::digest::Sha256Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

fn key(name: &str) -> ObjectKey {
    ObjectKey::new(name).unwrap()
}

fn store(gateway: &VersityGw, secret: &str) -> S3Store {
    S3Store::new(config(&gateway.endpoint, secret)).unwrap()
}

async fn versions(gateway: &VersityGw, name: &str) -> usize {
    let prefix = format!("pre fix/{name}");
    let listed = gateway.sdk().list_object_versions().bucket(BUCKET).prefix(prefix).send().await.unwrap();
    listed.versions().len()
}

#[tokio::test]
async fn a_write_makes_one_version_however_often_it_is_made() {
    let Some(gateway) = VersityGw::start().await else { return };
    let store = store(&gateway, SECRET_KEY);
    let key = key("versions");
    let put = |bytes: &'static [u8], mode| store.put(&key, Bytes::from_static(bytes), mode);

    let first = put(b"one", PutMode::Create).await.unwrap();
    let again = put(b"one", PutMode::Create).await.unwrap();
    assert!(matches!((&first, &again), (PutOutcome::Written(_), PutOutcome::AlreadyThere(_))));
    let version = first.info().version_id.clone().unwrap();
    assert_eq!(again.info().version_id.as_ref(), Some(&version));
    assert_eq!(versions(&gateway, "versions").await, 1);

    let head = store.head(&key).await.unwrap();
    assert_eq!(head.version_id, Some(version));
    assert_eq!(head.checksums.sha256, Some(Sha256Digest::of(b"one")));

    put(b"two", PutMode::Create).await.unwrap_err();
    assert_eq!(versions(&gateway, "versions").await, 1, "a refused write leaves none");
    put(b"two", PutMode::Replace(head.revision.clone())).await.unwrap();
    put(b"two", PutMode::Replace(head.revision.clone())).await.unwrap();
    assert_eq!(versions(&gateway, "versions").await, 2);
    let error = put(b"three", PutMode::Replace(head.revision)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Conflict, "{error:?}");
    assert_eq!(versions(&gateway, "versions").await, 2);
}

#[tokio::test]
async fn the_store_itself_refuses_other_bytes() {
    let Some(gateway) = VersityGw::start().await else { return };
    let wrong = STANDARD.encode(Sha256Digest::of(b"other").as_bytes());
    gateway
        .sdk()
        .put_object()
        .bucket(BUCKET)
        .key("pre fix/refused")
        .checksum_sha256(wrong)
        .body(Bytes::from_static(b"ours").into())
        .send()
        .await
        .unwrap_err();
    let error = store(&gateway, SECRET_KEY).head(&key("refused")).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NotFound, "nothing is stored: {error:?}");
}

#[tokio::test]
async fn checksums_of_other_writers_are_seen() {
    let Some(gateway) = VersityGw::start().await else { return };
    let put =
        gateway.sdk().put_object().bucket(BUCKET).key("pre fix/crc").body(Bytes::from_static(b"x").into());
    put.checksum_algorithm(aws_sdk_s3::types::ChecksumAlgorithm::Crc64Nvme).send().await.unwrap();
    let head = store(&gateway, SECRET_KEY).head(&key("crc")).await.unwrap();
    assert!(head.checksums.crc64nvme.is_some(), "{head:?}");
    assert_eq!(head.checksums.sha256, None);
}

#[tokio::test]
async fn a_wrong_secret_is_denied_and_a_wrong_region_put_right() {
    let Some(gateway) = VersityGw::start().await else { return };
    let store = store(&gateway, "not-the-secret");
    for error in [
        store.get(&key("x"), 10).await.unwrap_err(),
        store.put(&key("x"), Bytes::new(), PutMode::Create).await.unwrap_err(),
        store.head(&key("x")).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Denied, "{error:?}");
        assert!(!format!("{error:?}").contains("not-the-secret"));
    }
    let mut config = config(&gateway.endpoint, SECRET_KEY);
    config.region = Some("eu-west-1".to_owned());
    let error = S3Store::new(config).unwrap().get(&key("x"), 10).await.unwrap_err();
    assert_eq!(
        error.kind(),
        StoreErrorKind::NotFound,
        "the server says which, and is asked again: {error:?}"
    );
}

#[tokio::test]
async fn a_missing_bucket_is_named() {
    let Some(gateway) = VersityGw::start().await else { return };
    let mut config = config(&gateway.endpoint, SECRET_KEY);
    config.bucket = argo_attest::store::BucketName::new("no-such-bucket").unwrap();
    let store = S3Store::new(config).unwrap();
    match store.get(&key("x"), 10).await {
        Err(StoreError::NoBucket { uri }) => assert_eq!(uri, "s3://no-such-bucket/pre fix/x"),
        other => panic!("{other:?}"),
    }
    match store.head(&key("x")).await {
        Err(StoreError::NoBucket { .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_beneath_an_object_is_refused_without_end() {
    let Some(gateway) = VersityGw::start().await else { return };
    let store = store(&gateway, SECRET_KEY);
    store.put(&key("file"), Bytes::from_static(b"x"), PutMode::Create).await.unwrap();
    // A limit of this store, not of S3; what matters is that it ends, and is no success.
    let error = store.put(&key("file/below"), Bytes::from_static(b"y"), PutMode::Create).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Rejected, "{error:?}");
    assert_eq!(store.retries(), 0);
}
