//! One output of each packing, with the objects that Argo makes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use argo_attest::store::{ObjectKey, Store};
use argo_attest::stored_match::{
    AT_ONCE, StoredError, StoredObject, Written, check_archive, check_bytes, check_each,
};
use argo_attest_core::archive::{Expected, ExpectedFile, Format, Naming, Passed};
use argo_attest_core::argo::Packing;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::links::Links;
use argo_attest_core::relpath::RelPath;
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, checksum};

const OUT_TGZ: &[u8] = include_bytes!("../../fixtures/argo/archives/out.tgz");
const OUT_ZIP: &[u8] = include_bytes!("../../fixtures/argo/archives/out.zip");
const FILE_TGZ: &[u8] = include_bytes!("../../fixtures/argo/archives/file.tgz");
const FILE_ZIP: &[u8] = include_bytes!("../../fixtures/argo/archives/file.zip");
const OUT: &str = include_str!("../../fixtures/argo/archives/out.json");

pub(crate) struct Case {
    pub(crate) packing: Packing,
    /// What an honest upload leaves in the store.
    pub(crate) objects: Vec<(ObjectKey, Bytes)>,
    /// What was digested in a re-packed output.
    expected: Option<Expected>,
}

impl Case {
    /// Checks the output as its packing demands.
    pub(crate) async fn check(&self, store: &Arc<dyn Store>) -> Result<Vec<StoredObject>, StoredError> {
        let (key, bytes) = &self.objects[0];
        let one = match (&self.packing, &self.expected) {
            (Packing::AsIs | Packing::PackedOnDisk, _) => check_bytes(&**store, key, &written(bytes)).await?,
            (Packing::ObjectPerFile, _) => {
                let files = self.objects.iter().map(|(key, bytes)| (key.clone(), written(bytes)));
                return check_each(store, files, AT_ONCE, usize::MAX).await;
            }
            (Packing::Repacked(format, _), Some(expected)) => {
                check_archive(&**store, key, *format, expected.clone()).await?
            }
            other => panic!("{other:?}"),
        };
        Ok(vec![one])
    }
}

/// What the observer of a volume says of such a file.
pub(crate) fn written(bytes: &[u8]) -> Written {
    Written {
        digest: Sha256Digest::of(bytes),
        crc64nvme: Some(checksum(CrcAlgorithm::Crc64Nvme, bytes)),
        size: bytes.len() as u64,
    }
}

pub(crate) fn key(name: &str) -> ObjectKey {
    ObjectKey::new(name).unwrap()
}

pub(crate) fn file(content: &[u8]) -> ExpectedFile {
    ExpectedFile { digest: Sha256Digest::of(content), size: content.len() as u64 }
}

pub(crate) fn expected(naming: Naming, files: &[(&str, &[u8])]) -> Expected {
    let path = |name: &str| RelPath::from_bytes(name.as_bytes()).unwrap();
    Expected {
        naming,
        files: files.iter().map(|(name, content)| (path(name), file(content))).collect(),
        links: Links::default(),
        refused: BTreeMap::new(),
        directories: 0,
    }
}

pub(crate) fn beneath(name: &str) -> Naming {
    Naming::Beneath(name.as_bytes().to_vec())
}

fn one_file(name: &str) -> Expected {
    let mut one = expected(Naming::Single(name.as_bytes().to_vec()), &[]);
    one.files.insert(RelPath::root(), file(b"one line\n"));
    one
}

/// The directory of the archives that Argo's own code made.
fn out() -> Expected {
    #[derive(serde::Deserialize)]
    struct Row {
        path: String,
        sha256: Option<Sha256Digest>,
        size: u64,
    }
    let mut all = expected(beneath("out"), &[]);
    for Row { path, sha256, size } in serde_json::from_str::<Vec<Row>>(OUT).unwrap() {
        let (pairs, _) = path.as_bytes().as_chunks::<2>();
        let bytes: Vec<u8> = pairs
            .iter()
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let path = RelPath::from_bytes(&bytes).unwrap();
        match sha256 {
            Some(digest) => drop(all.files.insert(path, ExpectedFile { digest, size })),
            None => drop(all.refused.insert(path, Passed::Special)),
        }
    }
    all
}

/// A tar of so much that two threads read it.
fn large() -> (Bytes, Expected) {
    let content: Vec<u8> =
        std::iter::successors(Some(1_u32), |n| Some(n.wrapping_mul(1_664_525).wrapping_add(1)))
            .map(|n| n.to_be_bytes()[0])
            .take(1 << 20)
            .collect();
    let packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(packed);
    let mut entry = |name, kind, content: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        tar.append_data(&mut header, name, content).unwrap();
    };
    entry("out", tar::EntryType::Directory, b"");
    entry("out/large", tar::EntryType::Regular, &content);
    let packed = tar.into_inner().unwrap().finish().unwrap();
    (packed.into(), expected(beneath("out"), &[("large", &content)]))
}

/// Every packing that Argo stores.
pub(crate) fn all() -> Vec<Case> {
    let one = |packing, name, bytes, expected| Case {
        packing,
        objects: vec![(key(name), Bytes::from_static(bytes))],
        expected,
    };
    let archive = |format, name, bytes, expected: Expected| {
        one(Packing::Repacked(format, expected.naming.clone()), name, bytes, Some(expected))
    };
    let (large, in_large) = large();
    let files: [(&str, &'static [u8]); 4] =
        [("dir/a", b"one"), ("dir/b/c", b"two"), ("dir/empty", b""), ("dir/grün", OUT_ZIP)];
    vec![
        one(Packing::AsIs, "as-is/model.bin", b"weights, byte for byte", None),
        one(Packing::PackedOnDisk, "packed/out.tgz", OUT_TGZ, None),
        Case {
            packing: Packing::ObjectPerFile,
            objects: files.map(|(name, bytes)| (key(name), Bytes::from_static(bytes))).into(),
            expected: None,
        },
        archive(Format::TarGz, "tar-file/out.tgz", FILE_TGZ, one_file("text.txt")),
        archive(Format::TarGz, "tar-dir/out.tgz", OUT_TGZ, out()),
        Case {
            packing: Packing::Repacked(Format::TarGz, in_large.naming.clone()),
            objects: vec![(key("tar-large/out.tgz"), large)],
            expected: Some(in_large),
        },
        archive(Format::Zip, "zip-file/out.zip", FILE_ZIP, one_file("/tmp/argo-fixture.txt")),
        archive(Format::Zip, "zip-dir/out.zip", OUT_ZIP, out()),
    ]
}
