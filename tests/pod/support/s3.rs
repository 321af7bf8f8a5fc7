//! The object store, and what Argo and others do to it.

use std::path::Path;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;

use crate::servers::{self, BUCKET, VersityGw};

/// A server and a client of its own.
pub(crate) struct S3 {
    runtime: tokio::runtime::Runtime,
    pub(crate) endpoint: String,
    sdk: aws_sdk_s3::Client,
    /// Whether uploads carry a checksum.
    checksums: bool,
    _gateway: Option<VersityGw>,
    _dir: Option<tempfile::TempDir>,
}

impl S3 {
    /// In this process.
    pub(crate) fn new() -> Self {
        let runtime = runtime();
        let dir = tempfile::tempdir().unwrap();
        let endpoint = runtime.block_on(servers::s3s_fs(dir.path()));
        let sdk = servers::sdk(&endpoint);
        Self { runtime, endpoint, sdk, checksums: true, _gateway: None, _dir: Some(dir) }
    }

    /// A process of its own, if it is installed.
    pub(crate) fn versitygw() -> Option<Self> {
        let runtime = runtime();
        let gateway = runtime.block_on(VersityGw::start())?;
        let (endpoint, sdk) = (gateway.endpoint.clone(), gateway.sdk());
        Some(Self { runtime, endpoint, sdk, checksums: true, _gateway: Some(gateway), _dir: None })
    }

    /// One that somebody else started, with the bucket in it.
    pub(crate) fn at(endpoint: &str, sdk: aws_sdk_s3::Client) -> Self {
        Self {
            runtime: runtime(),
            endpoint: endpoint.to_owned(),
            sdk,
            checksums: true,
            _gateway: None,
            _dir: None,
        }
    }

    /// Whose server takes none.
    pub(crate) fn without_checksums(self) -> Self {
        Self { checksums: false, ..self }
    }

    pub(crate) fn address(&self) -> &str {
        self.endpoint.strip_prefix("http://").unwrap()
    }

    pub(crate) fn make_bucket(&self, name: &str) {
        self.runtime.block_on(self.sdk.create_bucket().bucket(name).send()).unwrap();
    }

    /// As Argo's client uploads: with a CRC-64/NVME.
    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        self.put_in(BUCKET, key, bytes);
    }

    pub(crate) fn put_in(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let put = self.sdk.put_object().bucket(bucket).key(key);
        let checksum = self.checksums.then_some(ChecksumAlgorithm::Crc64Nvme);
        let put = put.set_checksum_algorithm(checksum).body(ByteStream::from(bytes.to_vec()));
        self.runtime.block_on(put.send()).unwrap();
    }

    pub(crate) fn delete(&self, key: &str) {
        self.runtime.block_on(self.sdk.delete_object().bucket(BUCKET).key(key).send()).unwrap();
    }

    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.runtime.block_on(async {
            let object = self.sdk.get_object().bucket(BUCKET).key(key).send().await.ok()?;
            Some(object.body.collect().await.unwrap().to_vec())
        })
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        let listed = self.runtime.block_on(self.sdk.list_objects_v2().bucket(BUCKET).send()).unwrap();
        listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }

    /// The Secret's files, as Argo mounts them.
    pub(crate) fn write_secret(directory: &Path) {
        let secret = directory.join("s3-cred");
        std::fs::create_dir_all(&secret).unwrap();
        std::fs::write(secret.join("accesskey"), servers::ACCESS_KEY).unwrap();
        std::fs::write(secret.join("secretkey"), servers::SECRET_KEY).unwrap();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}
