//! What the tests are given: Sigstore's own cases.

use std::path::PathBuf;

use serde_json::Value;

use super::super::claim::SignedWith;
use super::super::*;
use crate::bundle::Certificate;
use crate::dsse::Envelope;
use crate::json::Opaque;
use crate::keys::PublicKey;

/// When all of this is looked at.
const NOW: &str = "2026-11-26T12:00:00Z";
/// Who signs them where nothing else is said.
const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/\
                        extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// One of Sigstore's cases.
pub(super) struct Case {
    pub(super) name: String,
    folder: PathBuf,
}

/// A bundle, as far as the tests have a use for it: of a file, too.
pub(super) struct Given {
    pub(super) json: Value,
    pub(super) root: TrustedRoot,
    key: Option<PublicKey>,
    artifact: Vec<u8>,
    expected: (String, String),
}

pub(super) fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/sigstore"))
}

pub(super) fn cases() -> Vec<Case> {
    let entries = std::fs::read_dir(folder().join("conformance")).unwrap();
    let folders = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let mut cases: Vec<_> = folders
        .map(|folder| Case { name: folder.file_name().unwrap().to_str().unwrap().to_owned(), folder })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

impl Case {
    pub(super) fn named(name: &str) -> Self {
        cases().into_iter().find(|case| case.name == name).unwrap()
    }

    /// Errors: why it cannot even be read.
    pub(super) fn given(&self) -> Result<Given, String> {
        let read = |name: &str| std::fs::read(self.folder.join(name)).ok();
        let text = |name: &str| read(name).map(|bytes| String::from_utf8(bytes).unwrap().trim().to_owned());
        let root = read("trusted_root.json")
            .unwrap_or_else(|| std::fs::read(folder().join("trusted_root.json")).unwrap());
        let json =
            serde_json::from_slice(&read("bundle.sigstore.json").unwrap()).map_err(|e| e.to_string())?;
        let key = read("key.pub").map(|pem| PublicKey::from_spki_pem(&pem).map_err(|e| e.to_string()));
        let key = key.transpose()?;
        let artifact = read("artifact")
            .unwrap_or_else(|| std::fs::read(self.folder.parent().unwrap().join("a.txt")).unwrap());
        let expected = (
            text("identity").unwrap_or_else(|| IDENTITY.to_owned()),
            text("issuer").unwrap_or_else(|| ISSUER.to_owned()),
        );
        let root = TrustedRoot::read(&root).map_err(|e| e.to_string())?;
        Ok(Given { json, root, key, artifact, expected })
    }
}

impl Given {
    /// All that is proven of it, by whom it has to be and of what it has to be.
    pub(super) fn verified(&self) -> Result<Proof, String> {
        self.at(NOW)
    }

    /// The same at another time.
    pub(super) fn at(&self, now: &str) -> Result<Proof, String> {
        self.with(now, &mut Effort::default())
    }

    /// The same within so much effort.
    pub(super) fn with(&self, now: &str, effort: &mut Effort) -> Result<Proof, String> {
        let media_type = self.json["mediaType"].as_str().unwrap_or_default();
        let is_known = ["0.1", "0.2", "0.3"].iter().any(|version| media_type.contains(version));
        if !is_known {
            return Err("its version is not known".to_owned());
        }
        let evidence = self.evidence();
        let leaf = evidence.certificate().map(Leaf::of).transpose().map_err(|e| e.to_string())?;
        let (key, with) = match (&self.key, &leaf) {
            (Some(key), None) => (key, SignedWith::Key(key)),
            (None, Some(leaf)) => (leaf.key(), SignedWith::Certificate(leaf)),
            _ => return Err("it is signed in another way than is asked for".to_owned()),
        };
        let proof = if let Some(envelope) = self.json.get("dsseEnvelope") {
            let envelope = Envelope::from_json(lenient(envelope).as_bytes()).map_err(|e| e.to_string())?;
            let keys = [key];
            let valid = envelope.verify(&keys).map_err(|e| e.to_string())?;
            let statement: Value = serde_json::from_slice(valid.payload()).unwrap();
            let digest = crate::digest::Sha256Digest::of(&self.artifact).to_string();
            let subjects = statement["subject"].as_array().unwrap();
            if !subjects.iter().any(|subject| subject["digest"]["sha256"] == digest.as_str()) {
                return Err("it is about something else".to_owned());
            }
            let claim = match with {
                SignedWith::Certificate(leaf) => Claim::certified(&valid, leaf),
                SignedWith::Key(_) => Claim::of(&valid),
            };
            judge(&evidence, &claim, &self.root, now.parse().unwrap(), effort).map_err(|e| e.to_string())?
        } else {
            let signed = &self.json["messageSignature"];
            let bytes = |value: &Value| base64(value.as_str()?);
            let signature = bytes(&signed["signature"]).ok_or("its signature is no base64")?;
            let digest = crate::digest::Sha256Digest::of(&self.artifact).to_string();
            if bytes(&signed["messageDigest"]["digest"]).map(|digest| body::hex(&digest)) != Some(digest) {
                return Err("its digest is that of something else".to_owned());
            }
            key.verify(&self.artifact, &signature).map_err(|e| e.to_string())?;
            let claim = Claim::of_file(&self.artifact, &signature, with);
            judge(&evidence, &claim, &self.root, now.parse().unwrap(), effort).map_err(|e| e.to_string())?
        };
        let identity =
            proof.identity().map(|identity| (identity.name().to_owned(), identity.issuer().to_owned()));
        if identity.is_some_and(|identity| identity != self.expected) {
            return Err("it is somebody else's".to_owned());
        }
        // What a policy with `log: required` asks of what a key signed, too.
        if proof.logged().is_empty() { Err("no log holds it".to_owned()) } else { Ok(proof) }
    }

    /// The certificate that it is signed with.
    pub(super) fn leaf(&self) -> Option<Leaf> {
        self.evidence().certificate().map(|certificate| Leaf::of(certificate).unwrap())
    }

    fn evidence(&self) -> Evidence {
        let material = &self.json["verificationMaterial"];
        let opaque = |value: &Value| serde_json::from_value::<Opaque>(value.clone()).unwrap();
        let carried = |member| material.get(member).map(|value| Certificate::carried(member, opaque(value)));
        let entries = material["tlogEntries"].as_array().into_iter().flatten().map(opaque).collect();
        let timestamps = material.get("timestampVerificationData").map(opaque);
        let certificate = carried("certificate").or_else(|| carried("x509CertificateChain"));
        Evidence::new(entries, timestamps, certificate).unwrap()
    }
}

/// The envelope with what this program's own reader of envelopes asks for.
fn lenient(envelope: &Value) -> String {
    let mut envelope = envelope.clone();
    for signature in envelope["signatures"].as_array_mut().unwrap() {
        signature.as_object_mut().unwrap().remove("keyid");
    }
    envelope.to_string()
}
