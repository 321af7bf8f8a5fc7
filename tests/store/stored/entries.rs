//! What is said of an archive whose entries are not those that were written.

use argo_attest::store::MemoryStore;
use argo_attest::stored_match::{StoredError, check_archive};
use argo_attest_core::archive::{Expected, Format};
use argo_attest_core::digest::Sha256Digest;

use super::case::{beneath, expected, key};
use crate::tarball::Tarball;
use crate::zipball::Zipball;

type Files<'a> = &'a [(&'a str, &'a [u8])];

fn pack(format: Format, files: Files<'_>) -> Vec<u8> {
    let named = |name: &str| format!("out/{name}");
    match format {
        Format::TarGz => files
            .iter()
            .fold(Tarball::default().directory("out"), |tar, (name, content)| tar.file(&named(name), content))
            .finish(),
        Format::Zip => files
            .iter()
            .fold(Zipball::default(), |zip, (name, content)| zip.file(named(name).as_bytes(), content))
            .finish(),
    }
}

fn out(files: Files<'_>) -> Expected {
    expected(beneath("out"), files)
}

async fn verdict(format: Format, archive: Vec<u8>, files: Files<'_>) -> Result<Sha256Digest, String> {
    let store = MemoryStore::new();
    store.overwrite(&key("out"), archive.into());
    match check_archive(&store, &key("out"), format, out(files)).await {
        Ok(object) => Ok(object.digest()),
        Err(error @ StoredError::Mismatch { .. }) => Err(error.to_string()),
        Err(error) => panic!("{error:?}"),
    }
}

const WRITTEN: Files<'static> = &[("a", b"one"), ("b/c", b"two"), ("d", b"")];

#[tokio::test]
async fn the_entry_is_named() {
    for format in [Format::TarGz, Format::Zip] {
        let honest = pack(format, WRITTEN);
        assert_eq!(verdict(format, honest.clone(), WRITTEN).await, Ok(Sha256Digest::of(&honest)));

        let said = |files| verdict(format, pack(format, files), WRITTEN);
        let differs = said(&[("a", b"One"), ("b/c", b"two"), ("d", b"")]).await.unwrap_err();
        let start = "memory:out is not what was written: `a` has 3 bytes with SHA-256 ";
        assert!(differs.starts_with(start), "{differs}");
        assert_eq!(
            said(&[("a", b"one"), ("b/c", b"two"), ("d", b""), ("e", b"?")]).await.unwrap_err(),
            "memory:out is not what was written: `e` was not digested"
        );
        assert_eq!(
            said(&[("a", b"one"), ("d", b"")]).await.unwrap_err(),
            "memory:out is not what was written: `b/c` is not in the archive"
        );
        assert_eq!(
            said(&[("a", b"one"), ("b/C", b"two"), ("d", b"")]).await.unwrap_err(),
            "memory:out is not what was written: `b/C` was not digested (and 1 more)"
        );
        assert_eq!(
            said(&[("a", b"one"), ("a", b"one"), ("b/c", b"two"), ("d", b"")]).await.unwrap_err(),
            "memory:out is not what was written: `out/a`: it occurs twice"
        );
    }
}

#[tokio::test]
async fn the_other_format_is_no_archive() {
    for (format, other) in [(Format::TarGz, Format::Zip), (Format::Zip, Format::TarGz)] {
        verdict(format, pack(other, WRITTEN), WRITTEN).await.unwrap_err();
    }
}

/// A bomb is given up on soon after where an honest archive would have ended.
#[tokio::test]
async fn a_bomb_is_a_mismatch() {
    let zeros = vec![0; 80 << 20];
    for format in [Format::TarGz, Format::Zip] {
        let bomb = pack(format, &[("a", &zeros)]);
        let said = verdict(format, bomb, WRITTEN).await.unwrap_err();
        assert!(said.contains("bytes when decompressed"), "{said}");
    }
}
