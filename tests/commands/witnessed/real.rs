//! Real logs and a real timestamp authority on this machine, and what others say of what we wrote of theirs.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use argo_attest::environment::ProcessEnv;
use argo_attest::witness::{LogSettings, LogVersion, OnFailure, PATIENCE, WitnessSettings};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::{Envelope, Unsigned};
use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::text::causes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Signer;
use crate::installed::installed;
use crate::program::{Desk, until};
use crate::witnesses::write_root;

/// A server, stopped when dropped.
pub(super) struct Server {
    process: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    pub(super) fn start(
        program: &Path,
        desk: &Desk,
        arguments: impl FnOnce(SocketAddr) -> Vec<String>,
    ) -> Self {
        let address = free();
        let log = std::fs::File::create(desk.path(format!("server-{}.log", address.port()))).unwrap();
        let process = Command::new(program)
            .args(arguments(address))
            .env_clear()
            .env("HOME", desk.path("."))
            .current_dir(desk.path("."))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self { process, address };
        until("the server listens", || TcpStream::connect(address).is_ok());
        server
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub(super) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

pub(super) fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// Two of them want the same port for their measurements, and one ends if it does not get it.
static TURN: Mutex<()> = Mutex::new(());

/// All three, and a trusted root that names them.
pub(super) struct Servers {
    _turn: MutexGuard<'static, ()>,
    pub(super) rekor1: Server,
    pub(super) rekor2: Server,
    time: Server,
    pub(super) signer: Signer,
}

impl Servers {
    /// `None` where they are not installed.
    pub(super) fn start() -> Option<Self> {
        let Some(program) = installed("witnesses") else {
            eprintln!("skipped: needs tests/interop/install witnesses (make interop)");
            return None;
        };
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let signer = Signer::new();
        let desk = &signer.desk;
        let (key1, key2) = (
            PrivateKey::generate(KeyType::EcdsaP256).unwrap(),
            PrivateKey::generate(KeyType::Ed25519).unwrap(),
        );
        desk.write("rekor1.key", key1.to_pkcs8_pem().as_bytes());
        desk.write("rekor2.key", key2.to_pkcs8_pem().as_bytes());
        let time = Server::start(&program, desk, |at| {
            words(&format!(
                "timestamp-server serve --host 127.0.0.1 --port {} --timestamp-signer memory --disable-ntp-monitoring",
                at.port()
            ))
        });
        let rekor1 = Server::start(&program, desk, |at| {
            words(&format!(
                "rekor1 serve --port {} --rekor_server.address 127.0.0.1 --rekor_server.hostname rekor1.local \
                 --rekor_server.signer rekor1.key",
                at.port()
            ))
        });
        let (grpc, metrics) = (free().port(), free().port());
        let rekor2 = Server::start(&program, desk, |at| {
            words(&format!(
                "rekor2 serve --hostname rekor2.local --storage-dir tiles --signer-filepath rekor2.key \
                 --http-address 127.0.0.1 --http-port {} --grpc-address 127.0.0.1 --grpc-port {grpc} \
                 --http-metrics-port {metrics} --checkpoint-interval 1s --batch-max-age 100ms",
                at.port()
            ))
        });
        let of_log = |host: &str, key: &PrivateKey, details: &str, id: &[u8]| {
            json!({
                "baseUrl": format!("https://{host}"), "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(key.public().to_spki_der()), "keyDetails": details,
                    "validFor": {"start": "2026-01-01T00:00:00Z"},
                },
                "logId": {"keyId": STANDARD.encode(id)},
            })
        };
        let spki = key2.public().to_spki_der();
        // The name of a key in a signed note: its last 32 bytes are the key itself.
        let id2 = [&b"rekor2.local\n\x01"[..], &spki[spki.len() - 32..]].concat();
        let logs = [
            of_log(
                "rekor1.local",
                &key1,
                "PKIX_ECDSA_P256_SHA_256",
                Sha256Digest::of(&key1.public().to_spki_der()).as_bytes(),
            ),
            of_log("rekor2.local", &key2, "PKIX_ED25519", Sha256Digest::of(&id2).as_bytes()),
        ];
        let chain = get(time.address, "/api/v1/timestamp/certchain");
        let certificates: Vec<Value> = chain
            .split("-----BEGIN CERTIFICATE-----")
            .skip(1)
            .map(|pem| pem.split("-----END").next().unwrap().split_whitespace().collect::<String>())
            .map(|der| json!({"rawBytes": der}))
            .collect();
        assert!(certificates.len() > 1, "{chain}");
        let authority = json!({
            "subject": {"organization": "local", "commonName": "time"}, "uri": "https://time.local",
            "certChain": {"certificates": certificates}, "validFor": {"start": "2026-01-01T00:00:00Z"},
        });
        write_root(&desk.path("root.json"), &logs, &[authority]);
        Some(Self { _turn: turn, rekor1, rekor2, time, signer })
    }

    pub(super) fn timestamps(&self) -> String {
        format!("{}/api/v1/timestamp", self.time.url())
    }
}

#[test]
#[ignore = "servers that take minutes to build: make interop"]
fn what_they_say_is_accepted_by_all_who_verify() {
    let Some(servers) = Servers::start() else { return };
    let (signer, time) = (&servers.signer, servers.timestamps());
    let (one, two) = (servers.rekor1.url(), servers.rekor2.url());
    let stamped = ["--timestamp-url", time.as_str()];
    let logged = |url, version| ["--rekor-url", url, "--rekor-version", version];
    for (key, asked, logs, times) in [
        ("ed", logged(&one, "1").to_vec(), 1, 0),
        ("p256", logged(&one, "1").to_vec(), 1, 0),
        ("ed", [&logged(&one, "1")[..], &stamped].concat(), 1, 1),
        ("p256", [&logged(&two, "2")[..], &stamped].concat(), 1, 1),
        ("ed", stamped.to_vec(), 0, 1),
        ("p256", stamped.to_vec(), 0, 1),
    ] {
        signer.run_judged(key, &asked).with(0);
        let verified = signer.verified(key);
        let proven = |what: &str| verified["proven"][what].as_array().map_or(0, Vec::len);
        assert_eq!((proven("log"), proven("timestamps")), (logs, times), "{asked:?}: {verified}");
        assert_eq!(verified.get("notJudged"), None, "{asked:?}: {verified}");
        by_sigstore_go(signer, key, logs, times);
        by_cosign(signer, key, logs, times);
    }
}

/// sigstore-go, with the same trusted root: it counts, too.
fn by_sigstore_go(signer: &Signer, key: &str, logs: usize, times: usize) {
    let Some(program) = installed("proven") else {
        eprintln!("skipped: needs tests/interop/install proven (make interop)");
        return;
    };
    let run = |logs: usize, times: usize| {
        Command::new(&program)
            .args([&format!("{key}/attest.pub"), "out.sigstore.json", "out", "root.json"])
            .args([logs.to_string(), times.to_string()])
            .current_dir(signer.desk.path("."))
            .output()
            .unwrap()
    };
    let accepted = run(logs, times);
    assert!(accepted.status.success(), "{key} {logs} {times}: {accepted:?}");
    for (logs, times) in [(logs + 1, times), (logs, times + 1)] {
        let refused = run(logs, times);
        assert_eq!(refused.status.code(), Some(1), "{key} {logs} {times}: {refused:?}");
    }
}

/// cosign, with the same trusted root.
fn by_cosign(signer: &Signer, key: &str, logs: usize, times: usize) {
    let mut command = Command::new("cosign");
    command
        .args(["verify-blob-attestation", "--key", &format!("{key}/attest.pub")])
        .args(["--bundle", "out.sigstore.json", "--trusted-root", "root.json", "--type", "slsaprovenance1"])
        .current_dir(signer.desk.path("."));
    if logs == 0 {
        command.arg("--insecure-ignore-tlog");
    }
    if times > 0 {
        command.arg("--use-signed-timestamps");
    }
    match command.arg("out").output() {
        Ok(ran) => assert!(ran.status.success(), "{key} {logs} {times}: {ran:?}"),
        Err(_) => crate::skip::skip("cosign (make tools)"),
    }
}

/// What was logged once: Rekor 1 gives the entry again, and Rekor 2 does not.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "servers that take minutes to build: make interop"]
async fn the_same_signature_is_logged_once() {
    let Some(servers) = tokio::task::block_in_place(Servers::start) else { return };
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let unsigned = Unsigned::new(br#"{"_type":"https://in-toto.io/Statement/v1"}"#.to_vec()).unwrap();
    let signature = key.sign(unsigned.pae());
    let envelope = Envelope::assemble(unsigned, signature, key.public()).unwrap();
    for (server, version) in [(&servers.rekor1, LogVersion::One), (&servers.rekor2, LogVersion::Two)] {
        let settings = WitnessSettings {
            timestamp_url: Some(servers.timestamps().parse().unwrap()),
            log: Some(LogSettings { url: server.url().parse().unwrap(), version }),
            on_failure: OnFailure::Fail,
            trusted_root: Some(servers.signer.desk.path("root.json")),
        };
        let witnesses = settings.open(key.public(), None, &ProcessEnv, PATIENCE).unwrap();
        let entry = async || {
            let given = witnesses.vouch(envelope.clone(), key.public(), None).await?;
            Ok::<_, argo_attest::witness::WitnessError>(
                given.bundle.evidence().log_entries()[0].as_json().to_owned(),
            )
        };
        let first: Value = serde_json::from_str(&entry().await.unwrap()).unwrap();
        match (version, entry().await) {
            (LogVersion::One, Ok(again)) => {
                let again: Value = serde_json::from_str(&again).unwrap();
                assert_eq!(again["canonicalizedBody"], first["canonicalizedBody"]);
                assert_eq!(again["integratedTime"], first["integratedTime"]);
            }
            (LogVersion::Two, Err(error)) => {
                let told = causes(&error);
                assert!(told.contains("an identical statement was logged before"), "{told}");
            }
            (version, other) => panic!("{version}: {other:?}"),
        }
    }
}
