//! Our attestations through verifiers that others wrote: sigstore-go, securesystemslib
//! with in-toto-attestation, and Sigstore's library for JavaScript.
//!
//! `tests/interop/install` installs them. Skipped with a word where one is missing; in
//! CI that is a failure.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use argo_attest::signer::create_pair;
use argo_attest_core::bundle::{Bundle, lines};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::Envelope;
use argo_attest_core::keys::{KeyType, PrivateKey};
use tempfile::TempDir;

use crate::installed::installed;
use crate::signing::Sign as _;
use crate::skip::skip;

const ARTIFACT: &[u8] = b"what was built\n";

/// Where `tests/interop/install` put a program, if it did.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let found = installed(name);
    if found.is_none() {
        skip(&format!("tests/interop/install {name}"));
    }
    found
}

/// One attestation in both forms, with its key and artifact, as files.
struct Attested {
    dir: TempDir,
    key: PrivateKey,
    statement: String,
}

impl Attested {
    fn new(key_type: KeyType) -> Self {
        let dir = TempDir::new().unwrap();
        let key = create_pair(&dir.path().join("attest.key"), key_type).unwrap();
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a","digest":{{"sha256":"{}"}}}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{{"buildDefinition":{{"buildType":"https://example.com/b","externalParameters":{{"a":"b"}}}},"runDetails":{{"builder":{{"id":"https://example.com/c"}}}}}}}}"#,
            Sha256Digest::of(ARTIFACT)
        );
        let attested = Self { dir, key, statement };
        fs::write(attested.path("artifact"), ARTIFACT).unwrap();
        let envelope = Envelope::sign(attested.statement.clone().into_bytes(), &attested.key).unwrap();
        attested.write(&envelope);
        attested
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes an envelope in the form that each program reads.
    fn write(&self, envelope: &Envelope) {
        let lines = lines::append(b"", envelope, NonZeroUsize::MIN).unwrap();
        fs::write(self.path("lines"), lines).unwrap();
        fs::write(self.path("bundle"), Bundle::new(envelope.clone()).unwrap().to_json()).unwrap();
    }

    /// An envelope with one field changed, such that our own reader still parses it.
    fn altered(&self, field: &str, change: fn(&str) -> String) -> Envelope {
        let envelope = Envelope::sign(self.statement.clone().into_bytes(), &self.key).unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(&envelope.to_json()).unwrap();
        if let Some(serde_json::Value::String(text)) = json.pointer_mut(field) {
            *text = change(text);
        }
        Envelope::from_json(json.to_string().as_bytes()).unwrap()
    }
}

/// Another character of base64 in the middle.
fn exchange_a_character(text: &str) -> String {
    let (head, tail) = text.split_at(text.len() / 2);
    let other = if tail.starts_with('A') { 'B' } else { 'A' };
    head.chars().chain([other]).chain(tail.chars().skip(1)).collect()
}

/// Exit code 0 or 1, and what was said.
fn ask(program: &Path, public: &Path, attestation: &Path, artifact: &[&str]) -> (bool, String) {
    let mut command = Command::new(program);
    command.arg(public).arg(attestation).args(artifact).stdin(Stdio::null());
    let output = command.output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match output.status.code() {
        Some(0) if said.starts_with("accepted:") => (true, said),
        Some(1) if said.starts_with("refused:") => (false, said),
        other => panic!("{}: {other:?}: {said}", program.display()),
    }
}

fn accepts_ours_and_refuses_the_rest(name: &str, form: &str) {
    let Some(program) = program(name) else { return };
    for key_type in KeyType::ALL {
        let attested = Attested::new(key_type);
        let [artifact, public] = ["artifact", "attest.pub"].map(|name| attested.path(name));
        let artifact = artifact.to_str().unwrap();
        let digest = format!("sha256:{}", Sha256Digest::of(ARTIFACT));
        let verdict =
            |public: &Path, artifact: &[&str]| ask(&program, public, &attested.path(form), artifact);

        for good in [&[artifact][..], &["--digest", &digest]] {
            let (accepted, said) = verdict(&public, good);
            assert!(accepted, "{key_type}: {said}");
            assert!(said.contains("https://slsa.dev/provenance/v1"), "{said}");
        }
        let refused = |what: &str, (accepted, said): (bool, String)| {
            assert!(!accepted, "{key_type}, {what}: {said}");
        };
        let other = attested.path("other");
        fs::write(&other, [ARTIFACT, b"!"].concat()).unwrap();
        refused("another artifact", verdict(&public, &[other.to_str().unwrap()]));
        let digest = format!("sha256:{}", Sha256Digest::of(b"other"));
        refused("another digest", verdict(&public, &["--digest", &digest]));
        for other_type in KeyType::ALL {
            let path = attested.path(&format!("{other_type}.key"));
            create_pair(&path, other_type).unwrap();
            refused("another key", verdict(&path.with_extension("pub"), &[artifact]));
        }

        let unchanged = attested.altered("", str::to_owned);
        for (what, field) in [("payload", "/payload"), ("signature", "/signatures/0/sig")] {
            let altered = attested.altered(field, exchange_a_character);
            assert_ne!(altered, unchanged);
            attested.write(&altered);
            refused(&format!("a changed {what}"), verdict(&public, &[artifact]));
        }
        attested.write(&unchanged);
        let (accepted, said) = verdict(&public, &[artifact]);
        assert!(accepted, "{key_type}, put back: {said}");
    }
}

#[test]
fn sigstore_go() {
    accepts_ours_and_refuses_the_rest("go", "bundle");
}

#[test]
fn securesystemslib_and_in_toto_attestation() {
    accepts_ours_and_refuses_the_rest("python", "lines");
}

#[test]
fn sigstore_for_javascript() {
    accepts_ours_and_refuses_the_rest("js", "bundle");
}
