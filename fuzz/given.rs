//! A bundle whose signer, log and authorities nobody has the keys of: nothing else can be proven of it
//! than what is.
#![allow(dead_code, reason = "each target has a use for some of it")]

use argo_attest_core::bundle::Bundle;
use argo_attest_core::dsse::{Effort, SignatureValid};
use argo_attest_core::keys::PublicKey;
use argo_attest_core::proof::asking::{self, Fresh, Fulcio, IdentityToken, TimestampQuery, Word};
use argo_attest_core::proof::{self, Claim, FalseEvidence, Leaf, Proof, TrustedRoot};
use serde_json::Value;

pub const LOGGED: &str = include_str!("../tests/fixtures/sigstore/own/all.sigstore.json");
const ROOT: &[u8] = include_bytes!("../tests/fixtures/sigstore/own/trusted_root.json");
const KEY: &[u8] = include_bytes!("../tests/fixtures/sigstore/own/key.pub");
pub const CERTIFIED: &str =
    include_str!("../tests/fixtures/sigstore/conformance/rekor2-dsse-happy-path/bundle.sigstore.json");
const CERTIFIED_ROOT: &[u8] =
    include_bytes!("../tests/fixtures/sigstore/conformance/rekor2-dsse-happy-path/trusted_root.json");

/// For whom its certificate is, and what whoever asked for it showed.
const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const TOKEN: &str = "eyJhbGciOiAiUlMyNTYifQ.eyJpc3MiOiAiaHR0cHM6Ly90b2tlbi5hY3Rpb25zLmdpdGh1YnVzZXJjb250ZW50LmNvbSIsICJzdWIiOiAicmVwbzpvL3IiLCAiam9iX3dvcmtmbG93X3JlZiI6ICJzaWdzdG9yZS1jb25mb3JtYW5jZS9leHRyZW1lbHktZGFuZ2Vyb3VzLXB1YmxpYy1vaWRjLWJlYWNvbi8uZ2l0aHViL3dvcmtmbG93cy9leHRyZW1lbHktZGFuZ2Vyb3VzLW9pZGMtYmVhY29uLnltbEByZWZzL2hlYWRzL21haW4ifQ.c2lnbmVk";

/// The bundle with other evidence; `None` if that makes it none.
pub fn bundle(text: &str, change: impl FnOnce(&mut Value)) -> Option<Bundle> {
    let mut json: Value = serde_json::from_str(text).unwrap();
    change(&mut json["verificationMaterial"]);
    Bundle::whole(json.to_string().as_bytes()).ok()
}

/// What is proven of it, by the key that signed it.
pub fn judged(bundle: &Bundle) -> Result<Proof, FalseEvidence> {
    let (root, key) = (TrustedRoot::read(ROOT).unwrap(), PublicKey::from_spki_pem(KEY).unwrap());
    let keys = [&key];
    let valid: SignatureValid<'_> = bundle.envelope().verify(&keys).unwrap();
    let claim = Claim::of(&valid);
    proof::judge(
        bundle.evidence(),
        &claim,
        &root,
        "2026-11-30T00:00:00Z".parse().unwrap(),
        &mut Effort::default(),
    )
}

/// What is proven of it by its certificate, if that has the key that signed it.
pub fn certified(bundle: &Bundle) -> Option<Result<Proof, FalseEvidence>> {
    let root = TrustedRoot::read(CERTIFIED_ROOT).unwrap();
    let leaf = Leaf::of(bundle.evidence().certificate()?).ok()?;
    let keys = [leaf.key()];
    let valid = bundle.envelope().verify(&keys).ok()?;
    let claim = Claim::certified(&valid, &leaf);
    Some(proof::judge(
        bundle.evidence(),
        &claim,
        &root,
        "2026-11-30T00:00:00Z".parse().unwrap(),
        &mut Effort::default(),
    ))
}

/// That nothing is proven but what is.
pub fn only_what_is(proof: &Proof) {
    for logged in proof.logged() {
        assert_eq!(logged.log(), "log.example.com");
        match logged.time() {
            Some(time) => {
                assert_eq!((logged.index(), time.get().as_second()), (7001, 1_772_323_200));
            }
            None => assert_eq!(logged.index(), 1),
        }
    }
    let whole = bundle(LOGGED, |_| ()).and_then(|bundle| judged(&bundle).ok()).unwrap();
    assert!(proof.stamped().iter().all(|stamped| whole.stamped().contains(stamped)));
}

/// That what a log answered is believed only if it is what the log said.
pub fn only_if_so(word: Word) {
    let (bundle, root) = (bundle(LOGGED, |_| ()).unwrap(), TrustedRoot::read(ROOT).unwrap());
    let (key, now) = (PublicKey::from_spki_pem(KEY).unwrap(), "2026-11-30T00:00:00Z".parse().unwrap());
    let fresh = Fresh::new(bundle.envelope(), &key, "2026-03-01T00:00:00Z".parse().unwrap()).unwrap();
    let Ok(vouched) = fresh.believe(word, Some(&root), now) else { return };
    let evidence = fresh.evidence(vec![vouched], Some(&root), now).unwrap();
    let bundle = asking::bundle(bundle.envelope().clone(), evidence).unwrap();
    only_what_is(&judged(&bundle).unwrap());
}

/// That nobody answers a question that was never asked.
pub fn never_an_answer(bytes: &[u8]) {
    let (bundle, key) = (bundle(LOGGED, |_| ()).unwrap(), PublicKey::from_spki_pem(KEY).unwrap());
    let fresh = Fresh::new(bundle.envelope(), &key, "2026-03-01T00:00:00Z".parse().unwrap()).unwrap();
    assert!(TimestampQuery::new(&fresh, *b"a number").answer(bytes).is_err());
}

/// Base64.
pub fn encoded(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let at = bits >> (18 - 6 * digit) & 63;
            text.push(if digit <= three.len() { char::from(DIGITS[at as usize]) } else { '=' });
        }
    }
    text
}

/// That a certificate is taken only if it is the one that was issued, for whom it is.
pub fn only_what_was_issued(answer: &[u8]) {
    let root = TrustedRoot::read(CERTIFIED_ROOT).unwrap();
    let bundle = bundle(CERTIFIED, |_| ()).unwrap();
    let leaf = Leaf::of(bundle.evidence().certificate().unwrap()).unwrap();
    let token = IdentityToken::read(TOKEN).unwrap();
    let issued = Fulcio::answer(answer, leaf.key(), &token, &root, "2026-05-13T19:25:00Z".parse().unwrap());
    if let Ok(issued) = issued {
        assert_eq!((issued.name(), issued.key()), (IDENTITY, leaf.key()));
    }
}
