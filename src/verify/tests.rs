//! Objects under names that are not quite their own.

mod asked;

use std::collections::BTreeMap;

use argo_attest_core::argo::Placement;
use argo_attest_core::contents::Contents;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::policy::TrustedKey;
use argo_attest_core::relpath::RelPath;
use argo_attest_core::slsa::{CommandParameters, CommandRun, place_byproduct};
use argo_attest_core::store_address::StoreAddress;
use bytes::Bytes;
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::attest::Attestor;
use crate::attestations::{MAX_ATTESTATION, ObjectAttestations};
use crate::document::Document;
use crate::observe::NoProgress;
use crate::store::{Listed, Listing, MemoryStore, ObjectKey, PageSource, Store as _};

struct Bucket {
    store: MemoryStore,
    key: PrivateKey,
}

impl Bucket {
    fn new() -> Self {
        let store = MemoryStore::at(address());
        Self { store, key: PrivateKey::generate(KeyType::Ed25519).unwrap() }
    }

    fn put(&self, key: &str, bytes: &str) {
        self.store.overwrite(&ObjectKey::new(key).unwrap(), Bytes::from(bytes.to_owned()));
    }

    /// Attests beside this key; with a place, as what is stored there.
    async fn attest(&self, key: &str, contents: &Contents, place: Option<&str>) {
        self.attest_at(Placement::Beside, key, contents, place).await;
    }

    async fn attest_at(&self, at: Placement, key: &str, contents: &Contents, place: Option<&str>) {
        let byproducts: Vec<ResourceDescriptor> =
            place.map(|key| place_byproduct(&format!("memory:{key}"), &address())).into_iter().collect();
        let run = CommandRun {
            parameters: CommandParameters { command: vec!["make".into()], outputs: Vec::new() },
            builder_id: "https://ci.example.com".into(),
            invocation_id: "i".into(),
            started_on: Timestamp::now(),
            finished_on: Timestamp::now(),
            source: None,
            files_digested: (0, 0),
            bytes_digested: (0, 0),
        };
        let place = ObjectAttestations::new(&self.store, &ObjectKey::new(key).unwrap()).put_at(at);
        let attestor = Attestor::new(&self.key);
        attestor.attest(contents, &place, &run.provenance(byproducts)).await.unwrap();
    }

    fn checker(&self) -> Checker {
        Checker {
            policy: Policy::of_keys(vec![TrustedKey::new("k", self.key.public().clone())]),
            now: Timestamp::now(),
            bundle: None,
            wanted: Wanted::default(),
            largest: MAX_ATTESTATION,
        }
    }

    async fn check(&self, key: &str) -> Result<Checked, CheckError> {
        self.check_with(key, None).await
    }

    async fn check_with(&self, key: &str, bundle: Option<NamedAttestation>) -> Result<Checked, CheckError> {
        let checker = Checker { bundle, ..self.checker() };
        check_object(&checker, &self.store, &ObjectKey::new(key).unwrap(), &NoProgress).await
    }

    /// Why it is not accepted; `None` if it is.
    async fn refusal(&self, key: &str) -> Option<String> {
        self.check(key).await.err().map(|error| argo_attest_core::text::causes(&error))
    }
}

fn address() -> StoreAddress {
    "https://s3.example.com".parse().unwrap()
}

fn directory() -> Contents {
    let file = |(path, text): (&str, &str)| {
        (RelPath::from_bytes(path.as_bytes()).unwrap(), Sha256Digest::of(text.as_bytes()))
    };
    let files: BTreeMap<_, _> =
        [("a", "a"), ("sub/b", "b"), ("caf\u{e9}", "e")].into_iter().map(file).collect();
    Contents::directory("dir", &files)
}

/// Other spellings of a key, each of which is another object for S3.
fn spellings(key: &str) -> Vec<String> {
    let (dir, rest) = key.split_once('/').unwrap();
    let mut all = vec![
        format!("{key}/"),
        format!("{key}//"),
        format!("{key}/."),
        format!("{key}/.."),
        format!("{key}/../a"),
        format!("/{key}"),
        format!("./{key}"),
        format!("x/../{key}"),
        format!("{dir}//{rest}"),
        format!("{dir}/./{rest}"),
        format!("{dir}/../{dir}/{rest}"),
        format!("{dir}/x/../{rest}"),
        format!("{dir}/{rest} "),
        format!("{dir}/%{:02X}{}", rest.as_bytes()[0], &rest[1..]),
        format!("{dir}%2F{rest}"),
        format!("{dir}/{}", rest.to_uppercase()),
        format!("{}/{rest}", dir.to_uppercase()),
        format!("{dir}\\{rest}"),
        format!("{dir}/{rest}\u{0}").replace('\u{0}', "\u{200b}"),
        key.replace('\u{e9}', "e\u{301}"),
    ];
    all.retain(|spelling| spelling != key);
    all
}

/// Whether the directory's attestation says where it is or not: what has other bytes for
/// a key has another name, and the object there is none of the directory's.
#[tokio::test]
async fn a_member_goes_by_its_own_key_and_by_no_other_spelling() {
    for place in [Some("dir"), None] {
        let bucket = Bucket::new();
        bucket.attest("dir", &directory(), place).await;
        for (key, bytes) in [("dir/a", "a"), ("dir/sub/b", "b"), ("dir/caf\u{e9}", "e")] {
            bucket.put(key, bytes);
            let found = bucket.check(key).await.unwrap();
            assert_eq!(found.placed, Some(place.is_some()));
            for other in spellings(key) {
                bucket.put(&other, bytes);
                let why = bucket.refusal(&other).await;
                assert!(why.is_some(), "{other:?} passes for {key:?}");
                // With the directory's attestation, or that of all there is, put beside it.
                for suffix in [".sigstore.json", ".intoto.jsonl"] {
                    let own =
                        bucket.store.get(&ObjectKey::new(&format!("dir{suffix}")).unwrap(), u64::MAX).await;
                    let planted = ObjectKey::new(&format!("{other}{suffix}")).unwrap();
                    bucket.store.overwrite(&planted, own.unwrap().bytes);
                    assert!(bucket.refusal(&other).await.is_some(), "{other:?}, planted, passes for {key:?}");
                    bucket.store.remove(&planted);
                }
            }
        }
        // Bytes of one under the key of another.
        bucket.put("dir/sub/b", "a");
        assert!(bucket.refusal("dir/sub/b").await.unwrap().contains("not one that is attested"));
        bucket.put("dir/a2", "a");
        assert!(bucket.refusal("dir/a2").await.unwrap().contains("does not list a2"));
    }
}

#[tokio::test]
async fn a_key_that_is_no_path_is_told_so() {
    let bucket = Bucket::new();
    bucket.attest("dir", &directory(), Some("dir")).await;
    for key in ["dir/./a", "dir//a", "dir/a/", "/dir/a"] {
        bucket.put(key, "a");
        let why = bucket.refusal(key).await.unwrap();
        assert!(
            why.contains("has no attestation of its own, and an empty, `.` or `..` part"),
            "{key}: {why}"
        );
    }
    // It may have one of its own: in S3 that is an honest name.
    bucket.put("x//y", "y");
    bucket.attest("x//y", &Contents::file("y", Sha256Digest::of(b"y")), Some("x//y")).await;
    assert_eq!(bucket.check("x//y").await.unwrap().placed, Some(true));
}

#[tokio::test]
async fn an_object_goes_by_the_name_that_its_attestation_has() {
    let bucket = Bucket::new();
    let file = |name: &str| Contents::file(name, Sha256Digest::of(b"bytes"));
    bucket.put("in/app", "bytes");
    // What says where it is is there or nowhere, whatever it is called.
    bucket.attest("in/app", &file("other"), Some("in/app")).await;
    assert_eq!(bucket.check("in/app").await.unwrap().placed, Some(true));
    bucket.attest("in/app", &file("app"), Some("in/other")).await;
    assert!(bucket.refusal("in/app").await.unwrap().contains("both were moved here"));
    // What says of no place is at least called so.
    bucket.attest("in/app", &file("out/app"), None).await;
    assert_eq!(bucket.check("in/app").await.unwrap().placed, Some(false));
    for name in ["other", "app/x", "App", "app "] {
        bucket.attest("in/app", &file(name), None).await;
        assert!(bucket.refusal("in/app").await.unwrap().contains("and not under the name"), "{name}");
    }
}

/// The caller's word for which attestation it is is no word for where the object is.
#[tokio::test]
async fn a_named_attestation_is_about_the_place_that_it_names() {
    for place in [Some("x/dir"), None] {
        let bucket = Bucket::new();
        bucket.attest("x/dir", &directory(), place).await;
        let file = tempfile::NamedTempFile::new().unwrap();
        let bundle = ObjectKey::new("x/dir.sigstore.json").unwrap();
        std::fs::write(file.path(), bucket.store.get(&bundle, u64::MAX).await.unwrap().bytes).unwrap();
        let named = NamedAttestation::read(Document::File(file.path().to_owned())).await.unwrap();
        // Which member, where it is, and whether it is there only if no place is named.
        for (key, bytes, anywhere) in [
            ("x/dir/a", "a", true),
            ("x/dir/sub/b", "b", true),
            ("x/a", "a", false),
            ("dir/a", "a", false),
            ("x/dir/sub/a", "a", false),
            ("x/dir/y/a", "a", false),
            ("x/dir/y/sub/b", "b", false),
            ("x/dir/b", "b", false),
            ("y/x/dir/a", "a", false),
            ("x/dir//a", "a", false),
            ("x/dir/./a", "a", false),
        ] {
            bucket.put(key, bytes);
            let found = bucket.check_with(key, Some(named.clone())).await;
            match place {
                Some(_) => assert_eq!(found.is_ok_and(|found| found.placed == Some(true)), anywhere, "{key}"),
                None => {
                    assert!(found.is_ok_and(|found| found.placed == Some(false)), "{key}: by its name alone");
                }
            }
        }
        bucket.put("x/dir/other", "a");
        let found = bucket.check_with("x/dir/other", Some(named)).await;
        assert!(found.is_err(), "{found:?}");
    }
}

/// What Argo stages for a key that ends in `/` are the objects beneath it.
#[tokio::test]
async fn a_directory_of_objects_may_be_asked_for_with_its_slash() {
    let bucket = Bucket::new();
    bucket.attest("x/dir", &directory(), Some("x/dir")).await;
    let policy = Policy::of_keys(vec![TrustedKey::new("k", bucket.key.public().clone())]);
    let checker = Checker {
        policy,
        now: Timestamp::now(),
        bundle: None,
        wanted: Wanted::default(),
        largest: MAX_ATTESTATION,
    };
    let find = |key: &str| ObjectKey::new(key).unwrap();
    for (key, holds) in
        [("x/dir", true), ("x/dir/", true), ("x/dir//", false), ("x/./dir", false), ("x/dir/.", false)]
    {
        let found = Attestable::new(&checker, &bucket.store, &find(key)).next().await;
        assert_eq!(found.as_ref().is_some_and(|(_, found)| found.is_ok()), holds, "{key}: {found:?}");
    }
    // No single object has that key.
    bucket.attest("x/file", &Contents::file("file", Sha256Digest::of(b"f")), Some("x/file")).await;
    let mut attestable = Attestable::new(&checker, &bucket.store, &find("x/file/"));
    let content = argo_attest_core::verify::Content::File(Sha256Digest::of(b"f"));
    attestable.next().await.unwrap().1.unwrap().accept(content.into()).await.unwrap_err();
}

/// Advice that cannot help is worse than none.
#[test]
fn what_is_too_large_is_not_blamed_on_permissions() {
    let io = |kind: io::ErrorKind| CheckError::Io { name: "f".into(), source: kind.into() }.remedy().unwrap();
    assert!(io(io::ErrorKind::PermissionDenied).contains("may read it"));
    assert!(io(io::ErrorKind::FileTooLarge).contains("fetch the attestation again"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Of all keys that are made of such parts, one is the member.
    #[test]
    fn one_key_is_the_member(key in "(/|\\./|\\.\\./)?(dir|Dir|x|\\.|\\.\\.|)(/{1,2}|/\\./|/\\.\\./dir/|/x/\\.\\./|%2F)(a|A|%61|a\\.|\\.a)(/|/\\.|)") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let bucket = Bucket::new();
            bucket.attest("dir", &directory(), Some("dir")).await;
            bucket.put(&key, "a");
            let accepted = bucket.check(&key).await.is_ok();
            prop_assert_eq!(accepted, key == "dir/a", "{}", key);
            Ok(())
        })?;
    }
}

/// The artifact `in/app`, as stored there.
fn app(bytes: &str) -> Contents {
    Contents::file("app", Sha256Digest::of(bytes.as_bytes()))
}

#[tokio::test]
async fn an_attestation_apart_is_found_without_being_told() {
    let bucket = Bucket::new();
    bucket.put("in/app", "new");
    bucket.attest_at(Placement::Apart, "in/app", &app("new"), Some("in/app")).await;
    let found = bucket.check("in/app").await.unwrap();
    assert_eq!(found.origin, "memory:.attestations/in/app.sigstore.json");
    assert!(found.placed == Some(true) && found.passed_over.told().is_none());

    // Of a directory, too, and of each file in it.
    bucket.attest_at(Placement::Apart, "dir/", &directory(), Some("dir/")).await;
    bucket.put("dir/sub/b", "b");
    bucket.put("dir/sub/a", "a");
    assert_eq!(bucket.check("dir/sub/b").await.unwrap().placed, Some(true));
    bucket.refusal("dir/sub/a").await.unwrap();
}

/// What lies beside and what lies apart are tried in this order, and each is held to all that
/// an only one is held to.
#[tokio::test]
async fn what_does_not_do_in_one_place_does_not_hide_the_other() {
    let beside = ObjectKey::new("in/app.sigstore.json").unwrap();
    let lines = ObjectKey::new("in/app.intoto.jsonl").unwrap();
    // Older, foreign, of another key, or no attestation at all.
    for old in [None, Some("{}"), Some("")] {
        let bucket = Bucket::new();
        bucket.put("in/app", "new");
        match old {
            None => bucket.attest("in/app", &app("old"), Some("in/app")).await,
            Some(bytes) => bucket.store.overwrite(&beside, Bytes::from(bytes)),
        }
        // Nothing better: refused, for the reason of what is there.
        let alone = bucket.refusal("in/app").await.unwrap();
        assert!(!alone.contains("was passed over"), "{alone}");
        bucket.attest_at(Placement::Apart, "in/app", &app("new"), Some("in/app")).await;
        let found = bucket.check("in/app").await.unwrap();
        assert!(found.origin.contains(".attestations/"), "{}", found.origin);
        let told = found.passed_over.told().unwrap();
        assert!(told.starts_with("memory:in/app.sigstore.json was passed over: "), "{told}");
        // Neither: both reasons, or the one that they have in common.
        bucket.put("in/app", "other");
        let why = bucket.refusal("in/app").await.unwrap();
        assert!(why.starts_with(&alone[..11]), "{why}");
        assert_eq!(why.contains("and memory:.attestations/in/app"), old.is_some(), "{why}");
        // The good one beside is not touched by an older one apart.
        bucket.store.remove(&beside);
        bucket.store.remove(&lines);
        bucket.attest("in/app", &app("other"), Some("in/app")).await;
        let found = bucket.check("in/app").await.unwrap();
        assert!(found.origin == "memory:in/app.sigstore.json" && found.passed_over.told().is_none());
    }
}

/// What was put in the other place by somebody who cannot sign is as little use there as here.
#[tokio::test]
async fn nothing_planted_apart_is_accepted() {
    let bucket = Bucket::new();
    bucket.attest("dir", &directory(), Some("dir")).await;
    bucket.attest("in/app", &app("app"), Some("in/app")).await;
    bucket.attest("loose/app", &app("app"), None).await;
    let read = |key: &str| ObjectKey::new(key).unwrap();
    let plant = async |from: &str, to: &str| {
        let object = bucket.store.get(&read(&format!("{from}.sigstore.json")), u64::MAX).await.unwrap();
        bucket.store.overwrite(&read(&format!("{to}.sigstore.json")), object.bytes);
    };
    // A member's bytes under another member's name, with the directory's attestation as its own.
    bucket.put("dir/a2", "a");
    plant("dir", ".attestations/dir/a2").await;
    bucket.refusal("dir/a2").await.unwrap();
    // Another place's attestation.
    bucket.put("in/other", "app");
    plant("in/app", ".attestations/in/other").await;
    assert!(bucket.refusal("in/other").await.unwrap().contains("both were moved here"));
    // One that names no place, within an attested directory that does not know it: neither in
    // the one place nor in the other.
    bucket.put("dir/app", "app");
    plant("loose/app", ".attestations/dir/app").await;
    assert!(bucket.refusal("dir/app").await.unwrap().contains("does not list app"));
    let other = Bucket { store: MemoryStore::at(address()), key: bucket.key };
    other.attest_at(Placement::Apart, "dir", &directory(), Some("dir")).await;
    other.put("dir/app", "app");
    other.attest("dir/app", &app("app"), None).await;
    assert!(other.refusal("dir/app").await.unwrap().contains("does not list app"));
}

/// An attestation of the member decides before one of the directory, wherever it lies.
#[tokio::test]
async fn what_is_nearer_counts_more_in_either_place() {
    for (own, of_directory) in [(Placement::Apart, Placement::Beside), (Placement::Beside, Placement::Apart)]
    {
        let bucket = Bucket::new();
        bucket.attest_at(of_directory, "dir", &directory(), Some("dir")).await;
        bucket.attest_at(own, "dir/a", &Contents::file("a", Sha256Digest::of(b"new")), Some("dir/a")).await;
        bucket.put("dir/a", "new");
        assert_eq!(bucket.check("dir/a").await.unwrap().placed, Some(true));
        // As the directory's attestation has it, before it was written again.
        bucket.put("dir/a", "a");
        assert!(bucket.refusal("dir/a").await.unwrap().contains("not one that is attested"));
    }
}

/// A store whose listing is not what is there.
#[derive(Debug)]
struct Lying {
    store: MemoryStore,
    hides: &'static str,
}

#[async_trait::async_trait]
impl crate::store::Store for Lying {
    fn uri(&self, key: &ObjectKey) -> String {
        self.store.uri(key)
    }

    async fn get(&self, key: &ObjectKey, limit: u64) -> Result<crate::store::Object, StoreError> {
        self.store.get(key, limit).await
    }

    async fn stream(&self, key: &ObjectKey) -> Result<crate::store::ObjectStream, StoreError> {
        self.store.stream(key).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<crate::store::ObjectInfo, StoreError> {
        self.store.head(key).await
    }

    /// All keys twice, in two pages, but those that are hidden.
    fn list(&self, prefix: &str) -> Listing {
        let keys = self.store.keys().into_iter();
        let keys = keys.filter(|key| key.as_str().starts_with(prefix) && !key.as_str().contains(self.hides));
        let page: Vec<_> = keys.map(|key| Listed { key, size: 1, md5: None, modified: None }).collect();
        Listing::new(Box::new(Pages(vec![page.clone(), Vec::new(), page])))
    }

    async fn write(
        &self,
        key: &ObjectKey,
        content: crate::store::NewObject,
        mode: crate::store::PutMode,
    ) -> Result<crate::store::PutOutcome, StoreError> {
        self.store.write(key, content, mode).await
    }

    fn address(&self) -> Option<StoreAddress> {
        self.store.address()
    }
}

struct Pages(Vec<Vec<Listed>>);

#[async_trait::async_trait]
impl PageSource for Pages {
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        Ok(self.0.pop())
    }
}

/// What each artifact is found to be.
async fn checked(artifacts: &mut Artifacts, lanes: &Lanes, checker: &Checker) -> Vec<(String, String)> {
    let mut all = Vec::new();
    loop {
        let next = artifacts.next(lanes).await;
        if next.is_empty() {
            return all;
        }
        for FoundArtifact { artifact, .. } in next {
            let found_out = artifact.check(checker, std::num::NonZeroUsize::MIN, &NoProgress).await;
            let reason = found_out.map_or_else(|e| e.reason().code(), |_| "attested");
            all.push((artifact.name().to_str().unwrap().to_owned(), reason.to_owned()));
        }
    }
}

impl Bucket {
    /// What each artifact beneath a prefix is found to be, where the listing hides some keys.
    async fn beneath(&self, under: &str, hides: &'static str) -> Vec<(String, String)> {
        let store = MemoryStore::at(address());
        for key in self.store.keys() {
            store.overwrite(&key, self.store.get(&key, u64::MAX).await.unwrap().bytes);
        }
        let checker = self.checker();
        let lanes = Lanes::default();
        let mut found = prefix(&lanes, std::sync::Arc::new(Lying { store, hides }), under).await.unwrap();
        let mut all = checked(&mut found.artifacts, &lanes, &checker).await;
        all.extend(found.orphans.into_iter().map(|orphan| (orphan.name(), "orphan".to_owned())));
        all
    }
}

fn told(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, reason)| (format!("memory:{name}"), (*reason).to_owned())).collect()
}

const NOTHING: &str = "\n";

#[tokio::test]
async fn a_directory_of_objects_is_compared_as_a_whole() {
    let bucket = Bucket::new();
    bucket.attest("p/dir", &directory(), Some("p/dir")).await;
    for (key, bytes) in [("p/dir/a", "a"), ("p/dir/sub/b", "b"), ("p/dir/caf\u{e9}", "e")] {
        bucket.put(key, bytes);
    }
    for under in ["p/", "", "p/dir/"] {
        assert_eq!(bucket.beneath(under, NOTHING).await, told(&[("p/dir/", "attested")]), "{under}");
    }
    // What is hidden is missing.
    assert_eq!(bucket.beneath("p/", "/sub/").await, told(&[("p/dir/", "altered")]));
    for added in ["p/dir/new", "p/dir/a.sigstore.json"] {
        bucket.put(added, "x");
        assert_eq!(bucket.beneath("p/", NOTHING).await, told(&[("p/dir/", "altered")]), "{added}");
        bucket.store.remove(&ObjectKey::new(added).unwrap());
    }
    bucket.put("p/dir//a", "a");
    assert_eq!(bucket.beneath("p/", NOTHING).await, told(&[("p/dir/", "unverifiable")]));
}

/// Whatever a listing leaves out or says twice, it makes nothing attested that is not.
#[tokio::test]
async fn what_a_listing_hides_is_refused() {
    let bucket = Bucket::new();
    let file = |name: &str, bytes: &str| Contents::file(name, Sha256Digest::of(bytes.as_bytes()));
    for key in ["p/a", "p/b"] {
        bucket.put(key, key);
        bucket.attest(key, &file(key, key), Some(key)).await;
    }
    bucket.attest("p/gone", &file("p/gone", "x"), Some("p/gone")).await;
    let orphans = [("p/gone.intoto.jsonl", "orphan"), ("p/gone.sigstore.json", "orphan")];
    let all = [&[("p/a", "attested"), ("p/b", "attested")][..], &orphans].concat();
    assert_eq!(bucket.beneath("p/", NOTHING).await, told(&all), "each once");
    let hidden = [&[("p/a", "unattested"), ("p/b", "attested")][..], &orphans].concat();
    assert_eq!(bucket.beneath("p/", "a.").await, told(&hidden));
    // The newest counts, also where only older lines are shown.
    bucket.put("p/b.sigstore.json", "{}");
    let mut shown = bucket.beneath("p/", NOTHING).await;
    let junk = ("memory:p/b.sigstore.json".to_owned(), "unattested".to_owned());
    assert!(shown.contains(&junk));
    shown.retain(|told| *told != junk);
    assert_eq!(bucket.beneath("p/", "b.sigstore").await, shown, "it is asked for all the same");
}
