//! Keys in Vault's transit engine: the real `OpenBao`, and a server that plays a bad one.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use argo_attest::signer::{KeyError, Opening, ServiceError, SigningKey};
use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::conformance::{conforms, refuses};
use super::{open, soon};
use crate::interop::program;
use crate::nobody::Nobody;
use crate::scripted::{Act, Plain, Request, Scripted, Wrap, reply};
use crate::tls::Authority;

const ROOT: &str = "root-token-of-a-test";

/// A server of `OpenBao`'s that keeps all in memory; stopped when dropped.
struct Bao {
    binary: PathBuf,
    process: Child,
    address: String,
    home: TempDir,
}

impl Bao {
    /// `None`, with a word about it, where it is not installed. In CI it must be.
    fn start() -> Option<Self> {
        let binary = program("bao")?;
        let home = TempDir::new().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new(&binary)
            .args(["server", "-dev", "-dev-no-store-token"])
            .arg(format!("-dev-root-token-id={ROOT}"))
            .arg(format!("-dev-listen-address={free}"))
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let bao = Self { binary, process, address: format!("http://{free}"), home };
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(free).is_err() || !bao.try_say(&["secrets", "list"]).0 {
            assert!(Instant::now() < deadline, "bao does not answer at {free}");
            std::thread::sleep(Duration::from_millis(50));
        }
        bao.say(&["secrets", "enable", "transit"]);
        Some(bao)
    }

    fn try_say(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env("VAULT_ADDR", &self.address).env("VAULT_TOKEN", ROOT);
        command.env("BAO_ADDR", &self.address).env("BAO_TOKEN", ROOT).env("HOME", self.home.path());
        let done = command.stdin(Stdio::null()).output().unwrap();
        let said = [done.stdout, done.stderr].concat();
        (done.status.success(), String::from_utf8(said).unwrap())
    }

    #[track_caller]
    fn say(&self, arguments: &[&str]) -> String {
        let (done, said) = self.try_say(arguments);
        assert!(done, "bao {arguments:?}: {said}");
        said
    }

    /// A token that may do with the key what signing takes.
    fn token(&self, key: &str) -> String {
        let rules = format!(
            "path \"transit/keys/{key}\" {{ capabilities = [\"read\"] }}\n\
             path \"transit/sign/{key}\" {{ capabilities = [\"update\"] }}\n\
             path \"transit/sign/{key}/*\" {{ capabilities = [\"update\"] }}\n"
        );
        let file = self.home.path().join("policy.hcl");
        fs::write(&file, rules).unwrap();
        self.say(&["policy", "write", key, file.to_str().unwrap()]);
        let said = self.say(&["token", "create", "-field=token", &format!("-policy={key}")]);
        said.trim().to_owned()
    }
}

impl Drop for Bao {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_key_of_vaults_signs() {
    let Some(bao) = Bao::start() else { return };
    for key_type in KeyType::ALL {
        let name = format!("ci-{key_type}");
        bao.say(&["write", "-f", &format!("transit/keys/{name}"), &format!("type={key_type}")]);
        let token = bao.token(&name);
        let given = [("VAULT_ADDR", bao.address.as_str()), ("VAULT_TOKEN", &token)];
        let signer = open(&format!("hashivault://{name}"), &given).await.unwrap();
        assert_eq!(signer.public_key().key_type(), Some(key_type));
        conforms(signer.as_ref()).await;
        assert!(!format!("{signer:?}").contains(&token));

        // In mid-step: what was opened signs on, by its own version.
        bao.say(&["write", "-f", &format!("transit/keys/{name}/rotate")]);
        conforms(signer.as_ref()).await;
        let newer = open(&format!("hashivault://{name}"), &given).await.unwrap();
        assert_ne!(newer.public_key(), signer.public_key());
        conforms(newer.as_ref()).await;
        // Until it is withdrawn: then nothing is signed in its name.
        bao.say(&["write", &format!("transit/keys/{name}/config"), "min_encryption_version=2"]);
        let error = refuses(signer.as_ref(), &[&token]).await;
        assert!(!error.is_passing() && causes(&error).contains("version"), "{}", causes(&error));
        conforms(newer.as_ref()).await;
        // A token that is revoked is told, and not repeated.
        bao.say(&["token", "revoke", &token]);
        let error = refuses(newer.as_ref(), &[&token]).await;
        assert!(!error.is_passing() && causes(&error).contains("403"), "{}", causes(&error));
    }
}

#[tokio::test]
async fn what_vault_has_no_use_for_is_told_when_the_key_is_opened() {
    let Some(bao) = Bao::start() else { return };
    for (name, of) in [
        ("rsa", "type=rsa-2048"),
        ("p384", "type=ecdsa-p384"),
        ("aes", "type=aes256-gcm96"),
        ("good", "type=ed25519"),
    ] {
        bao.say(&["write", "-f", &format!("transit/keys/{name}"), of]);
    }
    bao.say(&["write", "-f", "transit/keys/derived", "type=ed25519", "derived=true"]);
    let nobody = bao.token("another");
    let address = bao.address.as_str();
    for (name, token, mount, why) in [
        ("rsa", ROOT, "", "the key is of type rsa-2048; ed25519 and ecdsa-p256 are supported"),
        ("p384", ROOT, "", "the key is of type ecdsa-p384; ed25519 and ecdsa-p256 are supported"),
        ("aes", ROOT, "", "the key is of type aes256-gcm96; ed25519 and ecdsa-p256 are supported"),
        ("derived", ROOT, "", "the key is derived, and each context has another"),
        ("none", ROOT, "", "it refused: 404"),
        ("good", ROOT, "elsewhere", "it refused: 404 (no handler for route"),
        ("good", &nobody, "", "permission denied"),
        ("good", "no-token-of-its-own", "", "permission denied"),
    ] {
        let given = [("VAULT_ADDR", address), ("VAULT_TOKEN", token), ("TRANSIT_SECRET_ENGINE_PATH", mount)];
        let error = open(&format!("hashivault://{name}"), &given).await.map(drop).unwrap_err();
        let said = causes(&error);
        assert!(said.contains(why) && said.starts_with(&format!("hashivault://{name} ")), "{said}");
        assert!(!said.contains(token) && !error.remedy().unwrap().is_empty(), "{said}");
    }
    // Another key than the platform says.
    let name = SigningKey::try_from(std::ffi::OsString::from("hashivault://good")).unwrap();
    let env = |variable: &str| match variable {
        "VAULT_ADDR" => Some(address.into()),
        "VAULT_TOKEN" => Some(ROOT.into()),
        _ => None,
    };
    let other = PrivateKey::generate(KeyType::Ed25519).unwrap().public().key_id();
    let error = name.signer(&Opening::new(&env).expecting(Some(other))).await.map(drop).unwrap_err();
    assert!(matches!(error, KeyError::Unexpected { .. }), "{error:?}");
}

/// A service account's token, as a kubelet mounts it.
fn pod_token(dir: &TempDir) -> (PathBuf, String) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "iss": "https://kubernetes.default.svc.cluster.local",
        "sub": "system:serviceaccount:ci:attestor",
        "aud": ["vault"],
        "iat": now - 60,
        "nbf": now - 60,
        "exp": now + 3600,
        "kubernetes.io": {"namespace": "ci", "serviceaccount": {"name": "attestor", "uid": "u1"}},
    });
    let token = format!(
        "{}.{}.{}",
        part(json!({"alg": "RS256", "typ": "JWT"})),
        part(claims),
        URL_SAFE_NO_PAD.encode([7; 64])
    );
    let file = dir.path().join("token");
    fs::write(&file, &token).unwrap();
    (file, token)
}

#[tokio::test]
async fn a_pod_signs_in_by_the_token_of_its_service_account() {
    let Some(bao) = Bao::start() else { return };
    let reviewed = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
        "status": {"authenticated": true, "audiences": ["vault"],
                   "user": {"username": "system:serviceaccount:ci:attestor", "uid": "u1",
                            "groups": ["system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated"]}},
    });
    let body = reviewed.to_string();
    let api = Scripted::choosing(Plain, move |_| {
        Some(Act::Reply(reply(201, &[("Content-Type", "application/json")], body.as_bytes())))
    });
    bao.say(&["auth", "enable", "kubernetes"]);
    // Its certificate is not looked at over plain HTTP; the auth method wants one all the same.
    let Some(authority) = Authority::new() else { return };
    let host = format!("kubernetes_host={}", api.endpoint());
    let ca = format!("kubernetes_ca_cert=@{}", authority.bundle().display());
    let config = ["write", "auth/kubernetes/config", &host, &ca, "token_reviewer_jwt=reviewer"];
    bao.say(&[&config[..], &["disable_local_ca_jwt=true"]].concat());
    bao.say(&["write", "-f", "transit/keys/ci", "type=ed25519"]);
    drop(bao.token("ci"));
    bao.say(&[
        "write",
        "auth/kubernetes/role/attestor",
        "bound_service_account_names=attestor",
        "bound_service_account_namespaces=ci",
        "audience=vault",
        "policies=ci",
        "ttl=60s",
    ]);
    let dir = TempDir::new().unwrap();
    let (file, token) = pod_token(&dir);
    let file = file.to_str().unwrap();
    let address = bao.address.as_str();
    let given = [("VAULT_ADDR", address), ("VAULT_AUTH_ROLE", "attestor"), ("VAULT_AUTH_TOKEN_FILE", file)];
    let signer = open("hashivault://ci", &given).await.unwrap();
    conforms(signer.as_ref()).await;
    let reviews = api.requests().len();
    assert!(reviews == 1, "{:?}", api.asked());
    // A token of Vault's that is gone is had anew, once.
    bao.say(&["lease", "revoke", "-prefix", "-force", "auth/kubernetes"]);
    let again = signer.sign(b"again").await.unwrap();
    again.key.verify(b"again", again.signature.as_bytes()).unwrap();

    let given = [("VAULT_ADDR", address), ("VAULT_AUTH_ROLE", "another"), ("VAULT_AUTH_TOKEN_FILE", file)];
    let error = open("hashivault://ci", &given).await.map(drop).unwrap_err();
    let said = causes(&error);
    assert!(said.contains("no login: ") && !said.contains(&token), "{said}");
}

/// Vault as whoever plays it wants it: a key of this kind, and what it answers to be asked for a
/// signature.
fn played(key: &PrivateKey, signs: impl Fn(&Request, &PrivateKey) -> Act + Send + 'static) -> Scripted {
    played_over(Plain, key, signs)
}

fn played_over<W: Wrap>(
    wrap: W,
    key: &PrivateKey,
    signs: impl Fn(&Request, &PrivateKey) -> Act + Send + 'static,
) -> Scripted {
    let again = PrivateKey::from_pem(key.to_pkcs8_pem().as_bytes()).unwrap();
    Scripted::choosing(wrap, move |request| {
        Some(if request.method == "GET" { described(&again) } else { signs(request, &again) })
    })
}

fn ok(body: &Value) -> Act {
    Act::Reply(reply(200, &[("Content-Type", "application/json")], body.to_string().as_bytes()))
}

fn described(key: &PrivateKey) -> Act {
    let public = match key.key_type() {
        KeyType::EcdsaP256 => key.public().to_spki_pem(),
        KeyType::Ed25519 => STANDARD.encode(&key.public().to_spki_der()[12..]),
    };
    ok(&json!({"data": {
        "type": key.key_type().as_str(), "latest_version": 3, "derived": false,
        "keys": {"3": {"public_key": public}, "2": {"public_key": "older"}},
    }}))
}

/// What was to be signed, of an Ed25519 key.
fn input(request: &Request) -> Vec<u8> {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["key_version"], 3);
    STANDARD.decode(body["input"].as_str().unwrap()).unwrap()
}

fn signature(bytes: &[u8], version: u64) -> Value {
    json!({"data": {"signature": format!("vault:v{version}:{}", STANDARD.encode(bytes)), "key_version": version}})
}

/// What is done with a request for a signature.
type Answer = fn(&Request, &PrivateKey) -> Act;

const TOKEN: &str = "hvs.a-token-that-is-nobodys";

async fn opened(vault: &Scripted) -> Result<Box<dyn argo_attest::signer::Signer>, KeyError> {
    open("hashivault://ci", &[("VAULT_ADDR", &vault.endpoint()), ("VAULT_TOKEN", TOKEN)]).await
}

#[tokio::test]
async fn a_signature_that_is_none_is_not_given_out() {
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let lies: [Answer; 9] = [
        // By another key, of other bytes, by another algorithm.
        |request, _| {
            ok(&signature(
                PrivateKey::generate(KeyType::Ed25519).unwrap().sign(&input(request)).as_bytes(),
                3,
            ))
        },
        |_, key| ok(&signature(key.sign(b"other").as_bytes(), 3)),
        |request, _| {
            ok(&signature(
                PrivateKey::generate(KeyType::EcdsaP256).unwrap().sign(&input(request)).as_bytes(),
                3,
            ))
        },
        // By a version that was not asked for.
        |request, key| ok(&signature(key.sign(&input(request)).as_bytes(), 4)),
        |request, key| {
            let mut answer = signature(key.sign(&input(request)).as_bytes(), 3);
            answer["data"]["key_version"] = 4.into();
            ok(&answer)
        },
        // And what is none at all.
        |_, _| ok(&json!({"data": {"signature": "vault:v3:%%%"}})),
        |_, _| ok(&json!({"data": {"signature": ["vault:v3:AAAA"]}})),
        |_, _| Act::Reply(reply(200, &[], b"<html>")),
        |_, _| Act::Reply(reply(307, &[("Location", "http://127.0.0.1:1/")], b"")),
    ];
    for (at, lie) in lies.into_iter().enumerate() {
        let vault = played(&key, lie);
        let signer = opened(&vault).await.unwrap();
        assert_eq!(&signer.public_key(), key.public());
        let error = refuses(signer.as_ref(), &[TOKEN]).await;
        assert!(!error.is_passing(), "{at}: {error:?}");
    }
    let vault = played(&key, |request, key| ok(&signature(key.sign(&input(request)).as_bytes(), 3)));
    conforms(opened(&vault).await.unwrap().as_ref()).await;
}

#[tokio::test]
async fn a_vault_that_is_slow_down_or_endless_is_given_up_in_time() {
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let bad: [(Answer, bool); 6] = [
        (|_, _| Act::Hang, true),
        (|_, _| Act::Close, true),
        (|_, _| Act::Drip(crate::scripted::head(200, &[], 100_000), Duration::from_millis(100)), true),
        (|_, _| Act::Flood(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec()), false),
        (|_, _| Act::Reply(reply(503, &[], br#"{"errors":["Vault is sealed"]}"#)), true),
        (
            |_, _| Act::Reply(reply(403, &[], format!("{{\"errors\":[\"no {TOKEN} here\"]}}").as_bytes())),
            false,
        ),
    ];
    for (at, (answer, passing)) in bad.into_iter().enumerate() {
        let vault = played(&key, answer);
        let signer = opened(&vault).await.unwrap();
        let began = Instant::now();
        let error = refuses(signer.as_ref(), &[TOKEN]).await;
        assert!(began.elapsed() < soon().total + Duration::from_secs(3), "{at}: {:?}", began.elapsed());
        assert_eq!(error.is_passing(), passing, "{at}: {error:?}");
    }
    // Nobody at all, when the key is opened.
    let nobody = Nobody::new();
    let given = [("VAULT_ADDR", format!("http://{}", nobody.address())), ("VAULT_TOKEN", TOKEN.to_owned())];
    let given: Vec<_> = given.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let error = open("hashivault://ci", &given).await.map(drop).unwrap_err();
    assert!(matches!(&error, KeyError::Service { source: ServiceError::Unreachable(_), .. }), "{error:?}");
}

#[tokio::test]
async fn only_the_statements_encoding_leaves_and_it_is_told_to_nobody_else() {
    for key_type in KeyType::ALL {
        let key = PrivateKey::generate(key_type).unwrap();
        let vault = played(&key, |_, _| Act::Reply(reply(400, &[], br#"{"errors":["no"]}"#)));
        let signer = open(
            "hashivault://ci",
            &[("VAULT_ADDR", &vault.endpoint()), ("VAULT_TOKEN", TOKEN), ("VAULT_NAMESPACE", "team/a")],
        )
        .await
        .unwrap();
        refuses(signer.as_ref(), &[TOKEN]).await;
        let asked = vault.requests();
        let path = match key_type {
            KeyType::Ed25519 => "/v1/transit/sign/ci",
            KeyType::EcdsaP256 => "/v1/transit/sign/ci/sha2-256",
        };
        assert_eq!(vault.asked(), ["GET /v1/transit/keys/ci".to_owned(), format!("POST {path}")]);
        for request in &asked {
            assert_eq!(request.header("x-vault-token"), TOKEN);
            assert_eq!(request.header("x-vault-namespace"), "team/a");
            assert_eq!(request.header("x-vault-request"), "true");
        }
        let body: Value = serde_json::from_slice(&asked[1].body).unwrap();
        let names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        let sent = STANDARD.decode(body["input"].as_str().unwrap()).unwrap();
        match key_type {
            KeyType::Ed25519 => {
                assert_eq!(names, ["input", "key_version"]);
                assert_eq!(sent, b"DSSEv1 1 a 1 b");
            }
            KeyType::EcdsaP256 => {
                assert_eq!(names, ["input", "key_version", "marshaling_algorithm", "prehashed"]);
                assert_eq!(sent, argo_attest_core::digest::Sha256Digest::of(b"DSSEv1 1 a 1 b").as_bytes());
            }
        }
    }
}

/// Over TLS the server has to be vouched for by whom `VAULT_CACERT` says, and is told nothing before.
#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_told_no_token() {
    let (Some(ours), Some(other)) = (Authority::new(), Authority::new()) else { return };
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    for (name, authority, good) in
        [("IP:127.0.0.1", &ours, true), ("IP:127.0.0.1", &other, false), ("DNS:vault", &ours, false)]
    {
        let vault = played_over(ours.server(name, "2"), &key, |request, key| {
            ok(&signature(key.sign(&input(request)).as_bytes(), 3))
        });
        let address = vault.endpoint().replace("http://", "https://");
        let bundle = authority.bundle();
        let given = [
            ("VAULT_ADDR", address.as_str()),
            ("VAULT_TOKEN", TOKEN),
            ("VAULT_CACERT", bundle.to_str().unwrap()),
        ];
        let opened = open("hashivault://ci", &given).await;
        if good {
            conforms(opened.unwrap().as_ref()).await;
        } else {
            let error = opened.map(drop).unwrap_err();
            assert!(
                matches!(&error, KeyError::Service { source: ServiceError::Unreachable(_), .. }),
                "{error:?}"
            );
            assert!(vault.requests().is_empty(), "{:?}", vault.requests());
        }
    }
}
