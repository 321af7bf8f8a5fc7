//! What a store is asked for, and what not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use md5::{Digest as _, Md5};

use super::*;
use crate::store::{NewObject, Object, ObjectInfo, ObjectStream, PutMode, PutOutcome, Store};

/// A store that lists MD5s, and remembers which objects it was asked to give.
#[derive(Debug)]
struct Asked {
    store: MemoryStore,
    told: BTreeMap<ObjectKey, (u64, [u8; 16])>,
    gets: Mutex<Vec<String>>,
}

impl Asked {
    async fn of(bucket: &Bucket) -> Arc<Self> {
        let store = MemoryStore::at(address());
        let mut told = BTreeMap::new();
        for key in bucket.store.keys() {
            let bytes = bucket.store.get(&key, u64::MAX).await.unwrap().bytes;
            told.insert(key.clone(), (bytes.len() as u64, Md5::digest(&bytes).into()));
            store.overwrite(&key, bytes);
        }
        Arc::new(Self { store, told, gets: Mutex::default() })
    }

    /// How often each was asked for, since this was asked last.
    fn asked(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for key in std::mem::take(&mut *self.gets.lock().unwrap()) {
            *times.entry(key).or_default() += 1;
        }
        times
    }

    fn note(&self, key: &ObjectKey) {
        self.gets.lock().unwrap().push(key.as_str().to_owned());
    }
}

#[async_trait::async_trait]
impl Store for Asked {
    fn uri(&self, key: &ObjectKey) -> String {
        self.store.uri(key)
    }

    async fn get(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        self.note(key);
        self.store.get(key, limit).await
    }

    async fn stream(&self, key: &ObjectKey) -> Result<ObjectStream, StoreError> {
        self.note(key);
        self.store.stream(key).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectInfo, StoreError> {
        self.store.head(key).await
    }

    fn list(&self, prefix: &str) -> Listing {
        let keys = self.store.keys().into_iter().filter(|key| key.as_str().starts_with(prefix));
        let listed = |key: ObjectKey| {
            let (size, md5) = self.told[&key];
            Listed { key, size, md5: Some(md5), modified: None }
        };
        Listing::new(Box::new(Pages(vec![keys.map(listed).collect()])))
    }

    async fn write(
        &self,
        key: &ObjectKey,
        content: NewObject,
        mode: PutMode,
    ) -> Result<PutOutcome, StoreError> {
        self.store.write(key, content, mode).await
    }

    fn address(&self) -> Option<StoreAddress> {
        self.store.address()
    }
}

impl Bucket {
    async fn attested(&self, key: &str) {
        self.put(key, key);
        let contents = Contents::file(key, Sha256Digest::of(key.as_bytes()));
        self.attest(key, &contents, Some(key)).await;
    }

    /// What each artifact is found to be, and what was asked for.
    async fn audit(&self, under: &str) -> (Vec<(String, String)>, BTreeMap<String, usize>) {
        let store = Asked::of(self).await;
        let lanes = Lanes::default();
        let mut found = prefix(&lanes, Arc::clone(&store) as _, under).await.unwrap();
        let checker = self.checker();
        (checked(&mut found.artifacts, &lanes, &checker).await, store.asked())
    }
}

#[tokio::test]
async fn lines_that_the_listing_tells_of_are_not_read() {
    let bucket = Bucket::new();
    for key in ["p/a", "p/b"] {
        bucket.attested(key).await;
    }
    let (found, asked) = bucket.audit("p/").await;
    assert_eq!(found, told(&[("p/a", "attested"), ("p/b", "attested")]));
    for key in ["p/a", "p/b"] {
        assert_eq!(asked[key], 1);
        assert_eq!(asked[&format!("{key}.sigstore.json")], 1, "once for both");
        assert!(!asked.contains_key(&format!("{key}.intoto.jsonl")), "{asked:?}");
    }
    // Nor is anything else asked for but what may be about the whole prefix.
    assert_eq!(asked.keys().filter(|key| key.starts_with("p/")).count(), 4, "{asked:?}");
}

/// However many there are: some are looked at and checked after the others.
#[tokio::test]
async fn attestations_of_many_are_read_once() {
    const MANY: usize = 900;
    let bucket = Bucket::new();
    for number in 0..MANY {
        bucket.attested(&format!("p/{number:04}")).await;
    }
    let (found, asked) = bucket.audit("p/").await;
    assert!(found.len() == MANY && found.iter().all(|(_, reason)| reason == "attested"), "{found:?}");
    let read = |end: &str| {
        let of = asked.iter().filter(|(key, _)| key.starts_with("p/") && key.ends_with(end));
        of.map(|(_, times)| times).sum::<usize>()
    };
    // Where some end and the others begin, an artifact may be here and its attestation there.
    assert!((MANY..MANY + 8).contains(&read(".sigstore.json")), "{}", read(".sigstore.json"));
    assert!(read(".intoto.jsonl") < 8, "{}", read(".intoto.jsonl"));
}

#[tokio::test]
async fn lines_of_other_bytes_are_read() {
    let bucket = Bucket::new();
    bucket.attested("p/a").await;
    let lines = ObjectKey::new("p/a.intoto.jsonl").unwrap();
    let own = bucket.store.get(&lines, u64::MAX).await.unwrap().bytes;
    // Of the same length, and of another; an attestation all the same, and none.
    let script = format!("{:1$}", "#!/bin/sh", own.len());
    let twice = [own.as_ref(), own.as_ref()].concat();
    for (bytes, is) in [(script.as_bytes(), false), (b"#!/bin/sh", false), (&twice, true)] {
        bucket.put("p/a.intoto.jsonl", std::str::from_utf8(bytes).unwrap());
        let (found, asked) = bucket.audit("p/").await;
        assert!(asked["p/a.intoto.jsonl"] >= 1);
        let lines = (!is).then_some(("p/a.intoto.jsonl", "unattested"));
        let all: Vec<_> = [("p/a", "attested")].into_iter().chain(lines).collect();
        assert_eq!(found, told(&all));
    }
    // What the bundle does not hold it tells nothing of.
    bucket.put("p/a.intoto.jsonl", std::str::from_utf8(&own).unwrap());
    bucket.put("p/a.sigstore.json", "{}");
    let (found, asked) = bucket.audit("p/").await;
    assert!(asked["p/a.intoto.jsonl"] >= 1);
    assert_eq!(found, told(&[("p/a", "attested"), ("p/a.sigstore.json", "unattested")]));
}

/// Whoever may write an object chooses in how many directories it is.
#[tokio::test]
async fn directories_without_attestations_are_not_walked() {
    let bucket = Bucket::new();
    let deep = format!("p/{}x", "d/".repeat(500));
    bucket.put(&deep, "x");
    bucket.attested("p/a").await;
    let (found, asked) = bucket.audit("p/").await;
    assert_eq!(found, told(&[("p/a", "attested"), (&deep, "unattested")]));
    let looks: usize = asked.values().sum();
    // Three times what may be about the whole prefix, and an object with its attestation.
    assert_eq!(looks, 3 * 4 + 2, "{asked:?}");
}

#[tokio::test]
async fn a_store_is_asked_of_so_many_directories() {
    let bucket = Bucket::new();
    let within = |directories: usize| format!("{}x", "d/".repeat(directories));
    let check = async |key: &str| {
        let store = Asked::of(&bucket).await;
        let checker = bucket.checker();
        let key = ObjectKey::new(key).unwrap();
        let found = check_object(&checker, store.as_ref(), &key, &NoProgress).await;
        let looks: usize = store.asked().values().sum();
        (found.map_or_else(|error| error.reason().code(), |_| "attested"), looks)
    };
    bucket.put(&within(64), "x");
    assert_eq!(check(&within(64)).await, ("unattested", 4 * 65));
    // What is not looked for may be there.
    bucket.put(&within(400), "x");
    assert_eq!(check(&within(400)).await, ("unverifiable", 4 * 65));
    let own = within(300);
    bucket.attested(&own).await;
    assert_eq!(check(&own).await, ("attested", 2));
    // An attestation that names no place is held to those of all directories.
    let contents = Contents::file(&own, Sha256Digest::of(own.as_bytes()));
    bucket.store.remove(&ObjectKey::new(&format!("{own}.intoto.jsonl")).unwrap());
    bucket.store.remove(&ObjectKey::new(&format!("{own}.sigstore.json")).unwrap());
    bucket.attest(&own, &contents, None).await;
    assert_eq!(check(&own).await.0, "unverifiable");
}
