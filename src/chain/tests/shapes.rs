//! Chains that hold.

use proptest::prelude::*;

use super::*;
use crate::attestations::AttestationNames;
use crate::store::PutMode;

#[tokio::test]
async fn a_chain_is_walked_to_its_roots() {
    let shelf = Shelf::new();
    let base = shelf.attest("base", vec![root("source")]).await;
    let lib = shelf.attest("lib", vec![root("containers/main"), base.clone()]).await;
    let chain = shelf.walk(vec![root("containers/main"), lib, base]).await;
    let expected = [
        ("containers/main", "root"),
        ("inputs/lib", "verified"),
        ("inputs/lib containers/main", "root"),
        ("inputs/lib inputs/base", "verified"),
        ("inputs/lib inputs/base source", "root"),
        // What is beneath it stands above.
        ("inputs/base", "again"),
    ];
    assert_eq!(told(&chain), expected.map(|(path, word)| (path.to_owned(), word)));
    assert!(chain.broken().is_none());
    assert_eq!(shelf.asked(), ["memory:lib.sigstore.json", "memory:base.sigstore.json"]);
    let Standing::Verified(upstream) = chain.links()[1].standing() else { panic!("{chain:?}") };
    assert_eq!((upstream.subject.as_str(), upstream.signer.name.as_str()), ("lib", "ci"));
    assert_eq!(upstream.builder_id, BUILDER);
}

#[tokio::test]
async fn what_was_not_judged_of_a_link_is_told_of_it() {
    let shelf = Shelf::new();
    shelf.attest("lib", Vec::new()).await;
    let names = AttestationNames::beside("lib").unwrap();
    let stored = shelf.store.get(&names.bundle, MAX_ATTESTATION).await.unwrap();
    let mut bundle: serde_json::Value = serde_json::from_slice(&stored.bytes).unwrap();
    bundle["verificationMaterial"]["tlogEntries"] = json!([{"logIndex": "1"}]);
    let bytes = bytes::Bytes::from(bundle.to_string());
    let replace = PutMode::Replace(stored.info.revision);
    shelf.store.put(&names.bundle, bytes.clone(), replace).await.unwrap();
    let lib = reference("lib", &shelf.store.uri(&names.bundle), &bytes);
    let chain = shelf.walk(vec![lib.clone(), lib]).await;
    assert!(chain.broken().is_none());
    let text = crate::report::chain_text(&chain);
    assert_eq!(text.lines().filter(|line| line.ends_with(", not judged: 1 log entry")).count(), 1, "{text}");
    let links = serde_json::to_value(crate::report::ChainJson::from(&chain)).unwrap()["links"].take();
    for (link, standing) in links.as_array().unwrap().iter().zip(["verified", "again"]) {
        assert_eq!((&link["standing"], &link["notJudged"]), (&json!(standing), &json!({"logEntries": 1})));
    }
}

#[tokio::test]
async fn no_inputs_no_links() {
    let shelf = Shelf::new();
    let chain = shelf.walk(Vec::new()).await;
    assert!(chain.links().is_empty() && chain.broken().is_none());
    assert!(shelf.asked().is_empty());
}

#[tokio::test]
async fn what_a_newer_attempt_replaced_is_found_among_the_lines() {
    let shelf = Shelf::new();
    let older = shelf.attest("lib", vec![root("old")]).await;
    let newer = shelf.attest("lib", vec![root("new")]).await;
    for (input, beneath) in [(older, "inputs/lib old"), (newer, "inputs/lib new")] {
        let chain = shelf.walk(vec![input.clone()]).await;
        let expected = [("inputs/lib", "verified"), (beneath, "root")];
        assert_eq!(told(&chain), expected.map(|(path, word)| (path.to_owned(), word)));

        // Named by its lines, or with the bundle gone: the lines alone will do.
        let mut by_lines = input.clone();
        by_lines.annotations["attestation"]["uri"] = json!("memory:lib.intoto.jsonl");
        assert!(shelf.walk(vec![by_lines]).await.broken().is_none());
    }
    let again = shelf.attest("lib", vec![root("new")]).await;
    shelf.store.remove(&ObjectKey::new("lib.sigstore.json").unwrap());
    assert!(shelf.walk(vec![again]).await.broken().is_none());
}

/// A directory of so many files, half of them in `sub`; and what depends on it.
async fn directory(shelf: &Shelf, count: usize) -> (BTreeMap<RelPath, Sha256Digest>, ResourceDescriptor) {
    let name = |n: usize| if n.is_multiple_of(2) { format!("sub/{n}") } else { n.to_string() };
    let file = |n: usize| {
        (RelPath::from_bytes(name(n).as_bytes()).unwrap(), Sha256Digest::of(n.to_string().as_bytes()))
    };
    let files: BTreeMap<_, _> = (0..count).map(file).collect();
    let contents = Contents::directory("out", &files);
    let whole = contents.subjects()[0].digest.clone();
    let mut input = shelf.attest_as("out", contents, &provenance(Vec::new())).await;
    input.digest = whole;
    (files, input)
}

#[tokio::test]
async fn a_part_of_a_directory_is_followed_under_its_own_name() {
    for count in [4, 1100] {
        let shelf = Shelf::new();
        let (files, whole) = directory(&shelf, count).await;
        let part = |path: &str, digest: argo_attest_core::intoto::DigestSet| ResourceDescriptor {
            uri: format!("memory:out/{path}"),
            digest,
            ..whole.clone()
        };
        let sub = RelPath::from_bytes(b"sub").unwrap();
        let beneath: BTreeMap<_, _> =
            files.iter().filter_map(|(path, digest)| Some((path.strip_prefix(&sub)?, *digest))).collect();
        let (sub, one, two) = (
            argo_attest_core::digest::DirHash::of_files(&beneath),
            Sha256Digest::of(b"1"),
            Sha256Digest::of(b"2"),
        );
        let good = [whole.clone(), part("sub", sub.into()), part("1", one.into()), part("sub/2", two.into())];
        let chain = shelf.walk(good.to_vec()).await;
        assert!(chain.broken().is_none(), "{chain:?}");
        // Files that changed places, a part for another, a part for the whole.
        let bad = [
            part("1", two.into()),
            part("sub/1", one.into()),
            part("sub/3", sub.into()),
            part("sub", whole.digest.clone()),
            part("none", argo_attest_core::digest::DirHash::of_files(&BTreeMap::new()).into()),
            ResourceDescriptor { digest: sub.into(), ..whole.clone() },
            ResourceDescriptor { digest: Sha256Digest::of(b"none of them").into(), ..whole.clone() },
        ];
        for input in bad {
            let (_, why) = broken(&shelf.walk(vec![input.clone()]).await);
            assert!(
                ["not one that is attested", "does not list", "is about the directory"]
                    .iter()
                    .any(|w| why.contains(w)),
                "{input:?}: {why}"
            );
        }
    }
}

#[tokio::test]
async fn a_manifest_that_was_changed_is_not_believed() {
    let shelf = Shelf::new();
    let (_, whole) = directory(&shelf, 1100).await;
    let uri = "memory:out/7".to_owned();
    let file = ResourceDescriptor { digest: Sha256Digest::of(b"7").into(), uri, ..whole.clone() };
    let key = ObjectKey::new("out.manifest.sha256").unwrap();
    shelf.store.overwrite(&key, Bytes::from_static(b""));
    let (_, why) = broken(&shelf.walk(vec![file.clone()]).await);
    assert!(why.contains("is not the one that was attested"), "{why}");
    shelf.store.remove(&key);
    let (_, why) = broken(&shelf.walk(vec![file]).await);
    assert!(why.contains("the manifest that lists the attested files is not there"), "{why}");
    assert!(shelf.walk(vec![whole]).await.broken().is_none(), "its hash is in the statement");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever the shape: everything that can be reached is verified, and asked for once.
    #[test]
    fn each_attestation_is_asked_for_once(inputs in proptest::collection::vec(proptest::collection::vec(any::<prop::sample::Index>(), 0..4), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (chain, asked) = runtime.block_on(async {
            let shelf = Shelf::new();
            let mut made: Vec<ResourceDescriptor> = Vec::new();
            for (number, uses) in inputs.iter().enumerate() {
                let uses = uses.iter().filter(|_| !made.is_empty()).map(|n| n.get(&made).clone()).collect();
                let one = shelf.attest(&number.to_string(), uses).await;
                made.push(one);
            }
            let chain = shelf.walk(vec![made.pop().unwrap()]).await;
            (chain, shelf.asked())
        });
        prop_assert!(chain.broken().is_none());
        let verified = told(&chain).iter().filter(|(_, word)| *word == "verified").count();
        let mut once = asked.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(verified, asked.len());
        prop_assert_eq!(once.len(), asked.len());
    }
}

/// An attestation that is kept apart from its artifact leads to it all the same; a newer one
/// took its place, and the first is among the lines there.
#[tokio::test]
async fn an_attestation_apart_is_a_link() {
    let shelf = Shelf::new();
    let base = shelf.attest("base", vec![root("source")]).await;
    let lib = shelf.attest_apart("x/lib", vec![base]).await;
    shelf.attest_apart("x/lib", Vec::new()).await;
    let chain = shelf.walk(vec![lib.clone()]).await;
    assert!(chain.broken().is_none(), "{chain:?}");
    assert_eq!(told(&chain).len(), 3);
    assert!(shelf.asked().contains(&"memory:.attestations/x/lib.intoto.jsonl".to_owned()));
    // Of another artifact it is none: one may not be given another's place.
    let mut other = lib;
    other.uri = "memory:.attestations/x/lib".into();
    assert!(shelf.walk(vec![other]).await.broken().is_some());
}
