//! An S3 store before a scripted server, and what its errors must be like.

use std::time::Duration;

use argo_attest::store::s3::{Credentials, KeyPair, Limits, S3Config};
use argo_attest::store::{
    BucketName, ObjectKey, PutMode, PutOutcome, S3Store, Store as _, StoreError, StoreErrorKind,
};
use argo_attest_core::trouble::Trouble as _;
use bytes::Bytes;

use crate::scripted::{Act, Scripted};

const SECRET: &str = "canary-secret-key";

pub(crate) fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(2),
        attempt: Duration::from_secs(10),
        stall: Duration::from_secs(10),
        min_rate: 1024 * 1024,
        sign_in: Duration::from_millis(300),
        total: Duration::from_secs(20),
        unreached: Duration::from_secs(20),
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(10),
        page: 1000,
    }
}

/// Limits so short that what hangs ends soon.
pub(crate) fn impatient() -> Limits {
    let short = Duration::from_millis(300);
    Limits { attempt: short, stall: short, total: Duration::from_secs(1), ..limits() }
}

pub(crate) fn store_with(server: &Scripted, limits: Limits) -> S3Store {
    let credentials = Credentials::Static(KeyPair {
        access_key_id: "id".to_owned(),
        secret_access_key: SECRET.to_owned().into(),
        session_token: Some("canary-session-token".to_owned().into()),
    });
    let mut config = S3Config::new(BucketName::new("bucket").unwrap(), None, credentials);
    config.endpoint = Some(server.endpoint().parse().unwrap());
    config.limits = limits;
    S3Store::new(config).unwrap()
}

pub(crate) fn store(server: &Scripted) -> S3Store {
    store_with(server, limits())
}

pub(crate) fn key() -> ObjectKey {
    ObjectKey::new("a/b.sigstore.json").unwrap()
}

pub(crate) async fn put(store: &S3Store, mode: PutMode) -> Result<PutOutcome, StoreError> {
    store.put(&key(), Bytes::from_static(b"ours"), mode).await
}

pub(crate) async fn create(store: &S3Store) -> Result<PutOutcome, StoreError> {
    put(store, PutMode::Create).await
}

/// An error must say what it is about and what to do, and no secret.
pub(crate) fn checked(error: &StoreError, kind: StoreErrorKind) -> String {
    let mut text = format!("{error} | {error:?} | {}", error.remedy().unwrap());
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.extend([" | ".to_owned(), cause.to_string()]);
        source = cause.source();
    }
    assert_eq!(error.kind(), kind, "{text}");
    assert_eq!(error.uri(), "s3://bucket/a/b.sigstore.json");
    assert!(error.to_string().contains("s3://bucket/a/b.sigstore.json"), "{text}");
    assert!(!text.contains("canary"), "{text}");
    assert!(!error.to_string().contains('\n'), "{text}");
    text
}

pub(crate) fn replies(all: impl IntoIterator<Item = Vec<u8>>) -> Vec<Act> {
    all.into_iter().map(Act::Reply).collect()
}
