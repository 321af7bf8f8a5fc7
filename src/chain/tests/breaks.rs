//! Links that do not hold.

use super::*;

fn name(key: &str) -> ObjectKey {
    ObjectKey::new(key).unwrap()
}

#[tokio::test]
async fn the_failing_link_is_named_and_the_others_are_walked() {
    let shelf = Shelf::new();
    let base = shelf.attest("base", vec![root("source")]).await;
    let lib = shelf.attest("lib", vec![base, root("containers/main")]).await;
    let other = shelf.attest("other", Vec::new()).await;
    for gone in ["base.sigstore.json", "base.intoto.jsonl"] {
        shelf.store.remove(&name(gone));
    }
    let chain = shelf.walk(vec![lib, other]).await;
    let expected = [
        ("inputs/lib", "verified"),
        ("inputs/lib inputs/base", "broken"),
        ("inputs/lib containers/main", "root"),
        ("inputs/other", "verified"),
    ];
    assert_eq!(told(&chain), expected.map(|(path, word)| (path.to_owned(), word)));
    let (path, why) = broken(&chain);
    assert_eq!(path, "inputs/lib inputs/base");
    assert_eq!(why, "its attestation cannot be read: memory:base.sigstore.json is not there");
}

#[tokio::test]
async fn other_bytes_are_another_attestation() {
    for (bundle, lines) in [(b"".as_slice(), b"".as_slice()), (b"{}", b"{}\n"), (b"not what was signed", b"")]
    {
        let shelf = Shelf::new();
        let input = shelf.attest("lib", Vec::new()).await;
        shelf.store.overwrite(&name("lib.sigstore.json"), Bytes::copy_from_slice(bundle));
        shelf.store.overwrite(&name("lib.intoto.jsonl"), Bytes::copy_from_slice(lines));
        let (path, why) = broken(&shelf.walk(vec![input]).await);
        assert_eq!(path, "inputs/lib");
        assert!(
            why.contains("malformed") || why.contains("not the attestation that its statement names"),
            "{why}"
        );
    }
    // Another attestation, just as good, of the same object by the same key.
    let shelf = Shelf::new();
    let input = shelf.attest("lib", Vec::new()).await;
    shelf.store.remove(&name("lib.intoto.jsonl"));
    shelf.attest("lib", vec![root("other")]).await;
    let (_, why) = broken(&shelf.walk(vec![input]).await);
    assert!(
        why.contains("memory:lib.sigstore.json is not the attestation that its statement names"),
        "{why}"
    );
}

#[tokio::test]
async fn every_changed_byte_breaks_the_link() {
    let shelf = Shelf::new();
    let input = shelf.attest("lib", Vec::new()).await;
    shelf.store.remove(&name("lib.intoto.jsonl"));
    let whole = shelf.store.get(&name("lib.sigstore.json"), MAX_ATTESTATION).await.unwrap().bytes;
    for at in 0..whole.len() {
        let mut changed = whole.to_vec();
        changed[at] ^= 1;
        shelf.store.overwrite(&name("lib.sigstore.json"), changed.into());
        broken(&shelf.walk(vec![input.clone()]).await);
    }
    shelf.store.overwrite(&name("lib.sigstore.json"), whole);
    assert!(shelf.walk(vec![input]).await.broken().is_none());
}

#[tokio::test]
async fn a_statement_about_something_else_is_no_link() {
    let shelf = Shelf::new();
    let mut input = shelf.attest("lib", vec![root("source")]).await;
    input.digest = Sha256Digest::of(b"not lib").into();
    let chain = shelf.walk(vec![input.clone()]).await;
    assert_eq!(told(&chain), [("inputs/lib".to_owned(), "broken")], "nothing stands beneath it");
    assert!(broken(&chain).1.contains("not one that is attested; the attestation is about lib"));

    // Nor where that attestation is known already.
    let good = shelf.attest("lib", vec![root("source")]).await;
    let mut bad = good.clone();
    bad.digest = Sha256Digest::of(b"not lib").into();
    let chain = shelf.walk(vec![good, bad]).await;
    assert_eq!(told(&chain).last().unwrap().1, "broken", "{chain:?}");
}

#[tokio::test]
async fn a_reference_that_is_not_whole_breaks_the_chain() {
    let shelf = Shelf::new();
    let mut input = shelf.attest("lib", Vec::new()).await;
    input.annotations["attestation"]["sha256"] = json!("00");
    let (path, why) = broken(&shelf.walk(vec![input]).await);
    assert_eq!(
        (path.as_str(), why.as_str()),
        ("inputs/lib", "the statement's reference to its attestation has no sha256")
    );
    assert!(shelf.asked().is_empty());
}

/// Of two, the one that is known not to hold is told.
#[tokio::test]
async fn a_no_comes_before_what_could_not_be_found_out() {
    struct Away(Shelf);
    #[async_trait]
    impl Source for Away {
        async fn fetch(&self, uri: &str, limit: u64) -> Result<Bytes, FetchError> {
            if uri.contains("away") {
                let source = "no route".into();
                let (uri, attempts, remedy) = (uri.to_owned(), 3, None);
                let server = "the store".into();
                return Err(FetchError::Store(StoreError::Unreachable {
                    uri,
                    server,
                    attempts,
                    source,
                    remedy,
                }));
            }
            self.0.fetch(uri, limit).await
        }

        async fn with_image(
            &self,
            at: &Repository,
            digest: Sha256Digest,
            limit: usize,
        ) -> Result<Bytes, FetchError> {
            self.0.with_image(at, digest, limit).await
        }
    }
    let shelf = Shelf::new();
    let missing = reference("missing", "memory:missing.sigstore.json", b"");
    let away = reference("away", "memory:away.sigstore.json", b"");
    let after = shelf.attest("after", Vec::new()).await;
    let policy = shelf.policy();
    let source = Away(shelf);
    let run = |inputs| {
        let (source, policy) = (&source, &policy);
        async move { walk(&provenance(inputs), policy, Timestamp::now(), source, Limits::default()).await }
    };
    let chain = run(vec![away.clone(), after]).await;
    assert_eq!(told(&chain), [("inputs/away".to_owned(), "broken")], "nobody waits for it twice");
    assert!(chain.broken().unwrap().1.unknown().is_some());
    let chain = run(vec![missing, away]).await;
    assert_eq!(broken(&chain).0, "inputs/missing");
    assert!(chain.broken().unwrap().1.unknown().is_none());
}

/// What a statement says is only where to ask, never whom.
#[tokio::test]
async fn a_statement_chooses_no_host_and_reads_no_file() {
    let opened = Mutex::new(Vec::new());
    let buckets = Buckets::new(|location: &crate::store::Location| {
        opened.lock().unwrap().push(location.to_string());
        Ok(Box::new(MemoryStore::new()) as Box<dyn crate::store::Store>)
    });
    for uri in [
        "file:///etc/passwd",
        "https://evil.example.com/x.sigstore.json",
        "http://169.254.169.254/latest",
        "s3://evil@example.com/x",
        "s3://bucket",
        "s3:///x",
        "//bucket/x",
        "",
        "/etc/passwd",
    ] {
        let error = buckets.fetch(uri, 1).await.unwrap_err();
        assert!(matches!(error, FetchError::NotFollowed { .. }), "{uri}: {error:?}");
    }
    assert!(opened.lock().unwrap().is_empty());
    for uri in ["s3://one/x", "s3://one/y", "s3://two/x"] {
        let error = buckets.fetch(uri, 1).await.unwrap_err();
        assert!(matches!(error, FetchError::Missing { .. }), "{uri}: {error:?}");
    }
    assert_eq!(*opened.lock().unwrap(), ["s3://one", "s3://two"]);
}

/// What was taken from another store, or from another place, is not what the attestation
/// that it names is about, though all of that is right by itself.
#[tokio::test]
async fn a_splice_is_no_link() {
    let shelf = Shelf::new();
    let input = shelf.attest("lib", vec![root("source")]).await;
    let other = shelf.attest("dir/lib", Vec::new()).await;
    let with = |change: &dyn Fn(&mut ResourceDescriptor)| {
        let mut changed = input.clone();
        change(&mut changed);
        changed
    };
    let cases: [(ResourceDescriptor, &str); 9] = [
        (
            with(&|i| i.annotations["endpoint"] = json!("https://evil.example")),
            "in the store https://s3.example.com, and the artifact is in https://evil.example",
        ),
        (
            with(&|i| i.annotations["endpoint"] = json!("http://s3.example.com")),
            "in the store https://s3.example.com",
        ),
        (with(&|i| drop(i.annotations.remove("endpoint"))), "does not say in which store it was"),
        (with(&|i| i.annotations["endpoint"] = json!([STORE])), "does not say in which store it was"),
        (with(&|i| i.uri = "memory:lib2".into()), "is not one beside memory:lib2"),
        (with(&|i| i.uri = "memory:lib/".into()), "is not one beside memory:lib/"),
        (with(&|i| i.uri = "memory:./lib".into()), "is not one beside memory:./lib"),
        (with(&|i| i.uri = String::new()), "is not one beside"),
        (
            with(&|i| {
                i.annotations["attestation"] = other.annotations["attestation"].clone();
                i.digest = other.digest.clone();
            }),
            "is not one beside memory:lib",
        ),
    ];
    for (changed, why) in cases {
        let (path, said) = broken(&shelf.walk(vec![changed.clone()]).await);
        assert!(path == "inputs/lib" && said.contains(why), "{changed:?}: {said}");
        // Nor where that attestation is known already.
        let chain = shelf.walk(vec![input.clone(), changed]).await;
        assert_eq!(told(&chain).last().unwrap().1, "broken", "{chain:?}");
    }
    // Bytes and attestation that were moved together: nothing but the statement knows.
    let moved = Contents::file("lib", Sha256Digest::of(b"moved"));
    let mut elsewhere = provenance(Vec::new());
    elsewhere.run_details.byproducts.push(place_byproduct("memory:lib", &STORE.parse().unwrap()));
    let input = shelf.attest_at("moved", moved.clone(), &elsewhere).await;
    assert!(broken(&shelf.walk(vec![input]).await).1.contains("both were moved here"));
    let input = shelf.attest_at("moved", moved, &provenance(Vec::new())).await;
    assert!(broken(&shelf.walk(vec![input]).await).1.contains("does not say where its artifact is stored"));
}

#[tokio::test]
async fn a_policy_knows_which_stores_are_one() {
    let shelf = Shelf::new();
    let mut input = shelf.attest("lib", Vec::new()).await;
    input.annotations["endpoint"] = json!("http://minio.argo:9000");
    broken(&shelf.walk(vec![input.clone()]).await);
    let addresses = [STORE, "http://minio.argo:9000"].map(|text| text.parse().unwrap()).to_vec();
    let stores = argo_attest_core::policy::Stores::new(vec![argo_attest_core::policy::KnownStore {
        name: "ours".into(),
        addresses,
    }]);
    let policy = shelf.policy().with_stores(stores);
    assert!(shelf.walk_with(vec![input], &policy, Limits::default()).await.broken().is_none());
}
