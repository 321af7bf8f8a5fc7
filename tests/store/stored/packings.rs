//! Every packing: left alone, and tampered with in every way.

use std::sync::Arc;

use argo_attest::store::{MemoryStore, ObjectKey, S3Store, Store, StoreError};
use argo_attest::stored_match::{Check, StoredError};
use argo_attest_core::argo::Packing;
use argo_attest_core::digest::Sha256Digest;
use async_trait::async_trait;
use aws_sdk_s3::types::ChecksumAlgorithm;
use bytes::Bytes;

use super::case::{self, Case};
use super::double::{Double, Shown};
use crate::servers::{BUCKET, SECRET_KEY, VersityGw, config};

/// Somebody else with access to the store.
#[async_trait]
trait Intruder {
    async fn overwrite(&self, key: &ObjectKey, bytes: Bytes);
    async fn remove(&self, key: &ObjectKey);
}

#[async_trait]
impl Intruder for MemoryStore {
    async fn overwrite(&self, key: &ObjectKey, bytes: Bytes) {
        Self::overwrite(self, key, bytes);
    }

    async fn remove(&self, key: &ObjectKey) {
        Self::remove(self, key);
    }
}

#[async_trait]
impl Intruder for Double {
    async fn overwrite(&self, key: &ObjectKey, bytes: Bytes) {
        self.inner.overwrite(key, bytes);
    }

    async fn remove(&self, key: &ObjectKey) {
        self.inner.remove(key);
    }
}

/// Uploads with a checksum of some algorithm, as Argo's S3 library does.
struct Uploader {
    s3: aws_sdk_s3::Client,
    algorithm: ChecksumAlgorithm,
}

#[async_trait]
impl Intruder for Uploader {
    async fn overwrite(&self, key: &ObjectKey, bytes: Bytes) {
        let put = self.s3.put_object().bucket(BUCKET).key(format!("pre fix/{}", key.as_str()));
        put.checksum_algorithm(self.algorithm.clone()).body(bytes.into()).send().await.unwrap();
    }

    async fn remove(&self, key: &ObjectKey) {
        let name = format!("pre fix/{}", key.as_str());
        self.s3.delete_object().bucket(BUCKET).key(name).send().await.unwrap();
    }
}

fn tampered(honest: &Bytes) -> Vec<(&'static str, Bytes)> {
    let mut all = vec![("longer", [honest, &b"\0"[..]].concat()), ("other", b"something else".to_vec())];
    if let Some(last) = honest.len().checked_sub(1) {
        let mut changed = honest.to_vec();
        changed[last / 2] ^= 1;
        all.push(("one bit changed", changed));
        all.push(("truncated", honest[..last].to_vec()));
        all.push(("emptied", Vec::new()));
        all.push(("zeroed", vec![0; honest.len()]));
    }
    all.into_iter().map(|(how, bytes)| (how, bytes.into())).collect()
}

async fn assert_holds(case: &Case, store: &Arc<dyn Store>, check: Check) {
    let found = case.check(store).await.unwrap();
    assert_eq!(found.len(), case.objects.len());
    for ((key, bytes), object) in case.objects.iter().zip(found) {
        let head = store.head(key).await.unwrap();
        let repacked = matches!(case.packing, Packing::Repacked(..));
        assert_eq!(object.check(), if repacked { Check::Entries } else { check }, "{key}");
        assert_eq!((object.digest(), object.size()), (Sha256Digest::of(bytes), bytes.len() as u64), "{key}");
        assert_eq!(object.uri(), store.uri(key));
        assert_eq!(
            (object.etag(), object.version_id()),
            (head.revision.as_str(), head.version_id.as_deref())
        );
    }
}

async fn every_packing(intruder: &dyn Intruder, store: Arc<dyn Store>, check: Check) {
    for case in case::all() {
        for (key, bytes) in &case.objects {
            intruder.overwrite(key, bytes.clone()).await;
        }
        assert_holds(&case, &store, check).await;
        for (key, honest) in &case.objects {
            for (how, bytes) in tampered(honest) {
                intruder.overwrite(key, bytes).await;
                let current = store.head(key).await.unwrap().revision;
                match case.check(&store).await {
                    Err(StoredError::Mismatch { uri, reason, revision }) => {
                        assert_eq!((uri, revision), (store.uri(key), current), "{how}");
                        assert!(!reason.is_empty() && !reason.contains('\n'), "{reason}");
                    }
                    other => panic!("{key} {how}: {other:?}"),
                }
            }
            intruder.remove(key).await;
            match case.check(&store).await {
                Err(StoredError::NotThere { uri }) => assert_eq!(uri, store.uri(key)),
                other => panic!("{key} removed: {other:?}"),
            }
            intruder.overwrite(key, honest.clone()).await;
        }
        assert_holds(&case, &store, check).await;
    }
}

#[tokio::test]
async fn in_memory() {
    let store = Arc::new(MemoryStore::new());
    every_packing(&*store, Arc::<MemoryStore>::clone(&store), Check::Sha256Checksum).await;
}

#[tokio::test]
async fn with_every_sort_of_checksum() {
    for (shown, check) in [
        (Shown::Both, Check::Sha256Checksum),
        (Shown::Crc64Nvme, Check::Crc64NvmeChecksum),
        (Shown::Nothing, Check::ReadBack),
    ] {
        let store = Arc::new(Double::new(shown));
        every_packing(&*store, Arc::<Double>::clone(&store), check).await;
    }
}

#[tokio::test]
async fn over_versitygw() {
    let Some(gateway) = VersityGw::start().await else { return };
    for (algorithm, check) in [
        (ChecksumAlgorithm::Crc64Nvme, Check::Crc64NvmeChecksum),
        (ChecksumAlgorithm::Sha256, Check::Sha256Checksum),
        (ChecksumAlgorithm::Crc32, Check::ReadBack),
    ] {
        let uploader = Uploader { s3: gateway.sdk(), algorithm };
        let store = S3Store::new(config(&gateway.endpoint, SECRET_KEY)).unwrap();
        every_packing(&uploader, Arc::new(store), check).await;
    }
}

#[tokio::test]
async fn a_missing_bucket_is_no_missing_object() {
    let Some(gateway) = VersityGw::start().await else { return };
    let mut config = config(&gateway.endpoint, SECRET_KEY);
    config.bucket = argo_attest::store::BucketName::new("no-such-bucket").unwrap();
    let store: Arc<dyn Store> = Arc::new(S3Store::new(config).unwrap());
    for case in case::all() {
        let error = case.check(&store).await.unwrap_err();
        match error {
            StoredError::Store(StoreError::NoBucket { .. }) => {}
            // A reply to HEAD has no code: which of the two is missing cannot be told.
            StoredError::NotThere { .. } if !matches!(case.packing, Packing::Repacked(..)) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Argo's library uploads what is longer than 16 MiB in parts. SHA-256 is then a
/// checksum of checksums; CRC-64/NVME is still one of the full object.
#[tokio::test]
async fn uploads_in_parts_have_a_checksum_of_the_whole() {
    use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
    let Some(gateway) = VersityGw::start().await else { return };
    let s3 = gateway.sdk();
    let store: Arc<dyn Store> = Arc::new(S3Store::new(config(&gateway.endpoint, SECRET_KEY)).unwrap());
    let whole: Vec<u8> = (0..6 << 20).map(|i: u32| i.to_le_bytes()[1] ^ i.to_le_bytes()[2]).collect();
    for (algorithm, check) in [
        (ChecksumAlgorithm::Crc64Nvme, Check::Crc64NvmeChecksum),
        (ChecksumAlgorithm::Sha256, Check::ReadBack),
    ] {
        let name = format!("pre fix/parts/{}", algorithm.as_str());
        let upload = s3.create_multipart_upload().bucket(BUCKET).key(&name);
        let upload = upload.checksum_algorithm(algorithm.clone()).send().await.unwrap();
        let id = upload.upload_id().unwrap();
        let mut done = CompletedMultipartUpload::builder();
        for (number, part) in (1..).zip(whole.chunks(5 << 20)) {
            let put = s3.upload_part().bucket(BUCKET).key(&name).upload_id(id).part_number(number);
            let put = put.checksum_algorithm(algorithm.clone()).body(Bytes::copy_from_slice(part).into());
            let put = put.send().await.unwrap();
            let part = CompletedPart::builder().part_number(number).set_e_tag(put.e_tag);
            let part = part.set_checksum_sha256(put.checksum_sha256);
            done = done.parts(part.set_checksum_crc64_nvme(put.checksum_crc64_nvme).build());
        }
        let complete = s3.complete_multipart_upload().bucket(BUCKET).key(&name).upload_id(id);
        complete.multipart_upload(done.build()).send().await.unwrap();

        let key = case::key(&format!("parts/{}", algorithm.as_str()));
        let found =
            argo_attest::stored_match::check_bytes(&*store, &key, &case::written(&whole)).await.unwrap();
        assert_eq!((found.check(), found.size()), (check, whole.len() as u64));
        assert!(found.etag().ends_with("-2\""), "{}", found.etag());
    }
}
