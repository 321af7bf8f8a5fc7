//! Keys in AWS KMS: a server that plays it, well and badly, and moto's, which others wrote.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use argo_attest::signer::{KeyError, Opening, ServiceError, SigningKey};
use argo_attest_core::keys::{KeyType, PrivateKey, PublicKey};
use argo_attest_core::text::causes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use serde_json::{Value, json};

use super::conformance::{conforms, refuses};
use super::{open, soon};
use crate::moto::Moto;
use crate::scripted::{Act, Plain, Request, Scripted, head, reply};

const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ALIAS: &str = "awskms:///alias/ci";
const SECRET: &str = "a-secret-access-key";
const SESSION: &str = "a-session-token";

/// What is done with a request for a signature.
type Answer = fn(&Request, &p256::ecdsa::SigningKey) -> Act;

/// The key that the service has.
fn key() -> p256::ecdsa::SigningKey {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    p256::ecdsa::SigningKey::from_pkcs8_pem(&key.to_pkcs8_pem()).unwrap()
}

fn public(key: &p256::ecdsa::SigningKey) -> PublicKey {
    PublicKey::from_spki_der(key.verifying_key().to_public_key_der().unwrap().as_bytes()).unwrap()
}

fn ok(body: &Value) -> Act {
    Act::Reply(reply(200, &[("Content-Type", "application/x-amz-json-1.1")], body.to_string().as_bytes()))
}

fn no(status: u16, kind: &str, message: &str) -> Act {
    let body = json!({"__type": kind, "message": message}).to_string();
    Act::Reply(reply(status, &[("Content-Type", "application/x-amz-json-1.1")], body.as_bytes()))
}

fn described(key: &PublicKey) -> Act {
    ok(&json!({
        "KeyId": ARN, "PublicKey": STANDARD.encode(key.to_spki_der()), "KeyUsage": "SIGN_VERIFY",
        "KeySpec": "ECC_NIST_P256", "SigningAlgorithms": ["ECDSA_SHA_256"],
    }))
}

/// What `Sign` is answered with.
fn signed(request: &Request, key: &p256::ecdsa::SigningKey) -> Value {
    let asked: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        (asked["MessageType"].as_str(), asked["SigningAlgorithm"].as_str()),
        (Some("DIGEST"), Some("ECDSA_SHA_256"))
    );
    let digest = STANDARD.decode(asked["Message"].as_str().unwrap()).unwrap();
    assert_eq!(digest.len(), 32);
    let signature: p256::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
    json!({"KeyId": asked["KeyId"], "Signature": STANDARD.encode(signature.to_der()), "SigningAlgorithm": "ECDSA_SHA_256"})
}

/// The service as whoever plays it wants it to sign.
fn played(
    key: &p256::ecdsa::SigningKey,
    mut signs: impl FnMut(&Request, &p256::ecdsa::SigningKey) -> Act + Send + 'static,
) -> Scripted {
    let key = key.clone();
    Scripted::choosing(Plain, move |request| {
        Some(match request.header("x-amz-target") {
            "TrentService.GetPublicKey" => described(&public(&key)),
            "TrentService.Sign" => signs(request, &key),
            other => panic!("{other}"),
        })
    })
}

async fn opened(name: &str, kms: &Scripted) -> Result<Box<dyn argo_attest::signer::Signer>, KeyError> {
    let given = [
        ("AWS_ENDPOINT_URL_KMS", kms.endpoint()),
        ("AWS_REGION", "eu-west-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ("AWS_SESSION_TOKEN", SESSION.to_owned()),
    ];
    let given: Vec<_> = given.iter().map(|(name, value)| (*name, value.as_str())).collect();
    open(name, &given).await
}

#[tokio::test]
async fn a_key_of_kms_signs_digests_by_its_arn() {
    let key = key();
    let kms = played(&key, |request, key| ok(&signed(request, key)));
    for name in [
        ALIAS.to_owned(),
        format!("awskms:///{ARN}"),
        "awskms:///1234abcd-12ab-34cd-56ef-1234567890ab".to_owned(),
    ] {
        let signer = opened(&name, &kms).await.unwrap();
        assert_eq!(signer.public_key(), public(&key));
        conforms(signer.as_ref()).await;
        assert!(!format!("{signer:?}").contains(SECRET));
    }
    for request in kms.requests() {
        let authorization = request.header("authorization");
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{authorization}");
        assert!(authorization.contains("/eu-west-1/kms/aws4_request, SignedHeaders="), "{authorization}");
        for name in ["content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"] {
            assert!(authorization.contains(name), "{name}: {authorization}");
        }
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/"));
        assert_eq!(request.header("content-type"), "application/x-amz-json-1.1");
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        if request.header("x-amz-target") == "TrentService.Sign" {
            // Whatever the alias stands for by then.
            assert_eq!(body["KeyId"], ARN);
            assert!(request.body.len() < 300, "a digest, and not what it is of: {body}");
        }
    }
}

#[tokio::test]
async fn a_signature_that_is_none_is_not_given_out() {
    let key = key();
    let lies: [Answer; 6] = [
        |request, _| ok(&signed(request, &self::key())),
        |_, key| {
            let signature: p256::ecdsa::Signature = key.sign_prehash(&[7; 32]).unwrap();
            ok(
                &json!({"KeyId": ARN, "Signature": STANDARD.encode(signature.to_der()), "SigningAlgorithm": "ECDSA_SHA_256"}),
            )
        },
        |request, key| {
            let mut answer = signed(request, key);
            answer["KeyId"] = "arn:aws:kms:eu-west-1:111122223333:key/another".into();
            ok(&answer)
        },
        |request, key| {
            let mut answer = signed(request, key);
            answer["SigningAlgorithm"] = "ECDSA_SHA_384".into();
            ok(&answer)
        },
        |_, _| ok(&json!({"KeyId": ARN, "Signature": "%", "SigningAlgorithm": "ECDSA_SHA_256"})),
        |_, _| Act::Reply(reply(200, &[], b"<html>")),
    ];
    for (at, lie) in lies.into_iter().enumerate() {
        let kms = played(&key, lie);
        let signer = opened(ALIAS, &kms).await.unwrap();
        let error = refuses(signer.as_ref(), &[SECRET, SESSION]).await;
        assert!(!error.is_passing(), "{at}: {error:?}");
    }
}

#[tokio::test]
async fn refusals_are_told_and_what_passes_is_asked_again() {
    let key = key();
    for (kind, remedy) in [
        ("AccessDeniedException", "grant kms:GetPublicKey and kms:Sign"),
        ("NotFoundException", "the region, which is eu-west-1"),
        ("DisabledException", "enable-key"),
        ("KMSInvalidStateException", "cancel-key-deletion"),
        ("InvalidSignatureException", "clock"),
    ] {
        let kms = played(&key, move |_, _| no(400, kind, "the service's own words"));
        let signer = opened(ALIAS, &kms).await.unwrap();
        let error = refuses(signer.as_ref(), &[SECRET, SESSION]).await;
        let said = causes(&error);
        assert!(
            !error.is_passing() && said.contains(&format!("400 {kind}")) && !said.contains("own words"),
            "{said}"
        );
        let told = argo_attest_core::trouble::Trouble::remedy(&error).unwrap();
        assert!(told.contains(remedy), "{told}");
        assert_eq!(kms.requests().len(), 2, "{kind}");
    }
    // Throttled twice, and then not.
    let mut left = 2;
    let kms = played(&key, move |request, key| {
        if left == 0 {
            return ok(&signed(request, key));
        }
        left -= 1;
        no(400, "ThrottlingException", "Rate exceeded")
    });
    conforms(opened(ALIAS, &kms).await.unwrap().as_ref()).await;
}

#[tokio::test]
async fn a_service_that_is_slow_down_or_endless_is_given_up_in_time() {
    let key = key();
    let bad: [(Answer, bool); 5] = [
        (|_, _| Act::Hang, true),
        (|_, _| Act::Close, true),
        (|_, _| Act::Drip(head(200, &[], 100_000), Duration::from_millis(100)), true),
        (|_, _| Act::Flood(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec()), false),
        (|_, _| no(400, "ThrottlingException", "Rate exceeded"), true),
    ];
    for (at, (answer, passing)) in bad.into_iter().enumerate() {
        let kms = played(&key, answer);
        let signer = opened(ALIAS, &kms).await.unwrap();
        let began = Instant::now();
        let error = refuses(signer.as_ref(), &[SECRET, SESSION]).await;
        assert!(began.elapsed() < soon().total + Duration::from_secs(3), "{at}: {:?}", began.elapsed());
        assert_eq!(error.is_passing(), passing, "{at}: {error:?}");
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_told_when_it_is_opened() {
    let ed25519 = PrivateKey::generate(KeyType::Ed25519).unwrap();
    for (answer, why) in [
        (described(ed25519.public()), "with which AWS KMS signs at most 4096 bytes"),
        (ok(&json!({"KeyId": ARN, "PublicKey": "AAAA", "KeyUsage": "SIGN_VERIFY"})), "a key of another kind"),
        (
            ok(
                &json!({"KeyId": ARN, "PublicKey": STANDARD.encode(public(&key()).to_spki_der()), "KeyUsage": "KEY_AGREEMENT"}),
            ),
            "not one that signs",
        ),
        (ok(&json!({"KeyId": ARN})), "it lacks what it should have"),
        (no(400, "AccessDeniedException", "no"), "400 AccessDeniedException"),
    ] {
        let kms = Scripted::choosing(Plain, move |_| Some(answer.clone()));
        let error = opened(ALIAS, &kms).await.map(drop).unwrap_err();
        assert!(causes(&error).contains(why) && causes(&error).starts_with(ALIAS), "{}", causes(&error));
    }
    // And what is not set.
    let given = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
    let error = open(ALIAS, &given).await.map(drop).unwrap_err();
    assert!(matches!(&error, KeyError::Service { source: ServiceError::Settings { .. }, .. }), "{error:?}");
    let given = [given[0], given[1], ("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL", "http://kms.example")];
    let error = open(ALIAS, &given).await.map(drop).unwrap_err();
    assert!(causes(&error).contains("AWS KMS has to be asked over https"), "{}", causes(&error));
}

/// What only an administrator does.
trait Administered {
    fn does(&self, action: &str, asked: &Value) -> Value;
    fn makes(&self, spec: &str, alias: &str) -> Value;
}

impl Administered for Moto {
    /// One call of the service's. moto asks for no signature.
    fn does(&self, action: &str, asked: &Value) -> Value {
        let body = asked.to_string();
        let mut server = TcpStream::connect(self.address).unwrap();
        write!(
            server,
            "POST / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.1\r\n\
             X-Amz-Target: TrentService.{action}\r\nContent-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=A/20261126/eu-west-1/kms/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        server.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{action}: {answer}");
        if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() }
    }

    /// A new key of this kind, under this alias.
    fn makes(&self, spec: &str, alias: &str) -> Value {
        let made = self.does("CreateKey", &json!({"KeySpec": spec, "KeyUsage": "SIGN_VERIFY"}));
        let key = made["KeyMetadata"].clone();
        self.does(
            "CreateAlias",
            &json!({"AliasName": format!("alias/{alias}"), "TargetKeyId": key["KeyId"]}),
        );
        key
    }
}

/// Another's KMS: its keys are read as Amazon's client reads them, and its errors. It signs the
/// SHA-256 of a digest that it is given to sign, where AWS signs the digest itself: what it gives is
/// no signature of what was asked for, and so is not given out.
#[tokio::test]
async fn moto_has_keys_and_its_signatures_of_something_else_are_noticed() {
    let Some(moto) = Moto::start() else { return };
    let made = moto.makes("ECC_NIST_P256", "ci");
    let (arn, id) = (made["Arn"].as_str().unwrap(), made["KeyId"].as_str().unwrap());
    let spki = moto.does("GetPublicKey", &json!({"KeyId": id}))["PublicKey"].as_str().unwrap().to_owned();
    let endpoint = format!("http://{}", moto.address);
    let given = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ];
    let expected = PublicKey::from_spki_der(&STANDARD.decode(&spki).unwrap()).unwrap();
    for name in [ALIAS.to_owned(), format!("awskms:///{arn}"), format!("awskms:///{id}")] {
        let signer = open(&name, &given).await.unwrap();
        assert_eq!(signer.public_key(), expected, "{name}");
        let error = refuses(signer.as_ref(), &[SECRET]).await;
        assert!(causes(&error).contains("gave no signature by the key"), "{}", causes(&error));
    }
    for (name, why) in [
        ("awskms:///alias/none", "NotFoundException"),
        ("awskms:///1234abcd-12ab-34cd-56ef-1234567890ab", "NotFoundException"),
    ] {
        let error = open(name, &given).await.map(drop).unwrap_err();
        assert!(causes(&error).contains(why), "{}", causes(&error));
    }
    moto.makes("RSA_2048", "rsa");
    let error = open("awskms:///alias/rsa", &given).await.map(drop).unwrap_err();
    assert!(causes(&error).contains("the key is of type rsa"), "{}", causes(&error));

    // Another key than is expected.
    let env =
        |name: &str| given.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
    let other = PrivateKey::generate(KeyType::EcdsaP256).unwrap().public().key_id();
    let name = SigningKey::try_from(OsString::from(ALIAS)).unwrap();
    let opening = Opening::new(&env).within(soon()).expecting(Some(other));
    assert!(matches!(name.signer(&opening).await.map(drop), Err(KeyError::Unexpected { .. })));
}
