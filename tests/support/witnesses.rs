//! Logs and timestamp authorities on this machine, true and false: what they say is signed with keys that
//! a trusted root names.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::keys::{KeyType, PrivateKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::openssl_command::{certificate, openssl};
use crate::scripted::{Act, Plain, Scripted, reply};

/// Since when they are believed.
const SINCE: &str = "2026-01-01T00:00:00Z";

fn b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|half| char::from_digit(half.into(), 16))
        .collect()
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    *Sha256Digest::of(&parts.concat()).as_bytes()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A log of two leaves, of which what is posted is the second.
pub(crate) struct Log {
    pub(crate) name: &'static str,
    key: PrivateKey,
}

/// In what a log's answer is another than it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogLie {
    None,
    /// It is of another signature of the same key over the same.
    OtherSignature,
    /// Its checkpoint is signed by somebody else.
    OtherCheckpoint,
    /// The proof leads elsewhere.
    OtherProof,
    /// The promise is somebody else's.
    OtherPromise,
    /// It is in a log that nobody knows.
    OtherLog,
    /// It was there before it was made.
    LongAgo,
    /// It will be there.
    ToCome,
}

impl Log {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, key: PrivateKey::generate(KeyType::EcdsaP256).unwrap() }
    }

    fn id(&self) -> [u8; 32] {
        sha256(&[&self.key.public().to_spki_der()])
    }

    /// As a trusted root has it.
    pub(crate) fn root(&self) -> Value {
        json!({
            "baseUrl": format!("https://{}", self.name),
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": b64(&self.key.public().to_spki_der()),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": {"start": SINCE},
            },
            "logId": {"keyId": b64(&self.id())},
        })
    }

    /// The leaf's sibling, the root, the checkpoint, of a tree that holds it.
    fn proof(&self, body: &str, lie: LogLie) -> ([u8; 32], [u8; 32], String) {
        let sibling = sha256(&[b"\0", b"the first"]);
        let root = sha256(&[b"\x01", &sibling, &sha256(&[b"\0", body.as_bytes()])]);
        let note = format!("{} - 12345\n2\n{}\n", self.name, b64(&root));
        let other = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let by = if lie == LogLie::OtherCheckpoint { &other } else { &self.key };
        let signed = [&self.id()[..4], by.sign(note.as_bytes()).as_bytes()].concat();
        let checkpoint = format!("{note}\n\u{2014} {} {}\n", self.name, b64(&signed));
        let sibling = if lie == LogLie::OtherProof { root } else { sibling };
        (sibling, root, checkpoint)
    }

    /// The name of an entry, and what Rekor 1 answers when it took it.
    pub(crate) fn rekor1(&self, request: &[u8], lie: LogLie) -> (String, Value) {
        let request: Value = serde_json::from_slice(request).unwrap();
        assert_eq!((&request["kind"], &request["apiVersion"]), (&json!("dsse"), &json!("0.0.1")));
        let content = &request["spec"]["proposedContent"];
        let envelope = content["envelope"].as_str().unwrap();
        let parsed: Value = serde_json::from_str(envelope).unwrap();
        let payload = STANDARD.decode(parsed["payload"].as_str().unwrap()).unwrap();
        let mut signature = parsed["signatures"][0]["sig"].as_str().unwrap().to_owned();
        if lie == LogLie::OtherSignature {
            signature = b64(b"another");
        }
        let hash =
            |bytes: &[u8]| json!({"algorithm": "sha256", "value": Sha256Digest::of(bytes).to_string()});
        let body = json!({"apiVersion": "0.0.1", "kind": "dsse", "spec": {
            "envelopeHash": hash(envelope.as_bytes()),
            "payloadHash": hash(&payload),
            "signatures": [{"signature": signature, "verifier": content["verifiers"][0]}],
        }});
        let body = body.to_string();
        let time = match lie {
            LogLie::LongAgo => 1_772_323_200,
            LogLie::ToCome => now() + 3600,
            _ => now(),
        };
        let id = if lie == LogLie::OtherLog { "ab".repeat(32) } else { hex(&self.id()) };
        let promise = format!(
            r#"{{"body":"{}","integratedTime":{time},"logID":"{id}","logIndex":7001}}"#,
            b64(body.as_bytes())
        );
        let other = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let by = if lie == LogLie::OtherPromise { &other } else { &self.key };
        let (sibling, root, checkpoint) = self.proof(&body, lie);
        let name = format!("{:016x}{}", 12345, hex(&sha256(&[b"\0", body.as_bytes()])));
        let entry = json!({
            "body": b64(body.as_bytes()),
            "integratedTime": time,
            "logID": id,
            "logIndex": 7001,
            "verification": {
                "inclusionProof": {
                    "checkpoint": checkpoint, "hashes": [hex(&sibling)], "logIndex": 1, "rootHash": hex(&root),
                    "treeSize": 2,
                },
                "signedEntryTimestamp": b64(by.sign(promise.as_bytes()).as_bytes()),
            },
        });
        (name.clone(), json!({name: entry}))
    }

    /// What Rekor 2 answers when it took it.
    pub(crate) fn rekor2(&self, request: &[u8], lie: LogLie) -> Value {
        let request: Value = serde_json::from_slice(request).unwrap();
        let record = &request["hashedRekordRequestV002"];
        let mut signature = record["signature"].clone();
        if lie == LogLie::OtherSignature {
            signature["content"] = json!(b64(b"another"));
        }
        let body = json!({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": {
            "data": {"algorithm": "SHA2_256", "digest": record["digest"]},
            "signature": signature,
        }}});
        let body = body.to_string();
        let (sibling, root, checkpoint) = self.proof(&body, lie);
        let id = if lie == LogLie::OtherLog { [7; 32] } else { self.id() };
        json!({
            "logIndex": "1", "logId": {"keyId": b64(&id)},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
            "integratedTime": "0", "inclusionPromise": null,
            "inclusionProof": {
                "logIndex": "1", "rootHash": b64(&root), "treeSize": "2", "hashes": [b64(&sibling)],
                "checkpoint": {"envelope": checkpoint},
            },
            "canonicalizedBody": b64(body.as_bytes()),
        })
    }

    /// A server of Rekor 1 that answers so.
    pub(crate) fn serve1(self: &Arc<Self>, lie: LogLie) -> Scripted {
        let log = Arc::clone(self);
        Scripted::choosing(Plain, move |request| {
            assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/api/v1/log/entries"));
            Some(Act::Reply(created(&log.rekor1(&request.body, lie).1)))
        })
    }

    /// A server of Rekor 2 that answers so.
    pub(crate) fn serve2(self: &Arc<Self>, lie: LogLie) -> Scripted {
        let log = Arc::clone(self);
        Scripted::choosing(Plain, move |request| {
            assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/api/v2/log/entries"));
            Some(Act::Reply(created(&log.rekor2(&request.body, lie))))
        })
    }
}

pub(crate) fn created(answer: &Value) -> Vec<u8> {
    reply(201, &[("Content-Type", "application/json")], answer.to_string().as_bytes())
}

/// A timestamp authority: openssl's, with a chain of its own.
pub(crate) struct Authority {
    dir: tempfile::TempDir,
}

/// In what an authority's answer is another than it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeLie {
    None,
    /// It is of another signature.
    OtherImprint,
    /// It answers another question.
    OtherNonce,
    /// It leaves its certificate out.
    NoCertificate,
    /// It refuses.
    Refuses,
    /// It is not whole.
    Cut,
}

const CONFIG: &str = "[ca]
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign
subjectKeyIdentifier=hash
[tsa]
extendedKeyUsage=critical,timeStamping
keyUsage=critical,digitalSignature
subjectKeyIdentifier=hash
[req]
distinguished_name=name
[name]
[ts]
serial=serial
default_policy=1.2.3.4
digests=sha256
signer_digest=sha256
ess_cert_id_alg=sha256
";

impl Authority {
    pub(crate) fn new() -> Self {
        let authority = Self { dir: tempfile::tempdir().unwrap() };
        fs::write(authority.path("ts.cnf"), CONFIG).unwrap();
        fs::write(authority.path("serial"), "01\n").unwrap();
        for command in [
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=root -config ts.cnf \
             -extensions ca -keyout ca.key -out ca.pem",
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=time -config ts.cnf -keyout tsa.key \
             -out tsa.csr",
            "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3649 -extfile ts.cnf \
             -extensions tsa -out tsa.pem",
        ] {
            authority.openssl(command);
        }
        authority
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn openssl(&self, command: &str) -> Vec<u8> {
        openssl(self.dir.path(), command)
    }

    /// As a trusted root has it.
    pub(crate) fn root(&self) -> Value {
        let der = |name: &str| b64(&certificate(&self.path(name)));
        json!({
            "subject": {"organization": "example.com", "commonName": "time"},
            "uri": "https://time.example.com/api",
            "certChain": {"certificates": [{"rawBytes": der("tsa.pem")}, {"rawBytes": der("ca.pem")}]},
            "validFor": {"start": SINCE},
        })
    }

    /// What it answers to a question.
    pub(crate) fn answer(&self, query: &[u8], lie: TimeLie) -> Vec<u8> {
        // The number is the last but one thing in it, and the wish for a certificate the last.
        let mut query = query.to_vec();
        let end = query.len();
        match lie {
            TimeLie::OtherNonce => query[end - 4] ^= 1,
            TimeLie::OtherImprint => query[end - 3 - 10 - 1] ^= 1,
            TimeLie::NoCertificate => {
                query.truncate(end - 3);
                query[1] -= 3;
            }
            TimeLie::Refuses => return vec![0x30, 5, 0x30, 3, 2, 1, 2],
            TimeLie::None | TimeLie::Cut => {}
        }
        fs::write(self.path("q.tsq"), query).unwrap();
        self.openssl(
            "ts -reply -config ts.cnf -section ts -queryfile q.tsq -signer tsa.pem -inkey tsa.key -out r.tsr",
        );
        let mut answer = fs::read(self.path("r.tsr")).unwrap();
        if lie == TimeLie::Cut {
            answer.truncate(answer.len() - 1);
        }
        answer
    }

    /// A server that answers so.
    pub(crate) fn serve(self: &Arc<Self>, lie: TimeLie) -> Scripted {
        let authority = Arc::clone(self);
        Scripted::choosing(Plain, move |request| {
            assert_eq!(request.header("content-type"), "application/timestamp-query");
            let answer = authority.answer(&request.body, lie);
            Some(Act::Reply(reply(200, &[("Content-Type", "application/timestamp-reply")], &answer)))
        })
    }
}

/// Writes a trusted root that names these.
pub(crate) fn write_root(path: &Path, logs: &[Value], authorities: &[Value]) {
    let root = json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": logs,
        "timestampAuthorities": authorities,
    });
    fs::write(path, root.to_string()).unwrap();
}
