//! A key for one process, and certificates from an authority that plays Fulcio, well and badly.

use std::sync::Arc;
use std::time::{Duration, Instant};

use argo_attest::signer::{KeyError, Keyless, Limits, Opening, Signer, SigningKey, TokenSource};
use argo_attest_core::proof::TrustedRoot;
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tempfile::TempDir;

use super::conformance::{conforms, refuses};
use super::{soon, variables};
use crate::fulcio::{CertificateLie, Fulcio, IDENTITY, ISSUER, Mood, token, token_of, token_to};
use crate::nobody::Nobody;
use crate::scripted::{Act, Plain, Scripted, reply};

fn root(fulcio: &Fulcio) -> TrustedRoot {
    let root = json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "certificateAuthorities": [fulcio.root()],
    });
    TrustedRoot::read(root.to_string().as_bytes()).unwrap()
}

async fn open_within(
    at: &str,
    root: TrustedRoot,
    source: TokenSource,
    given: &[(&str, &str)],
    limits: Limits,
) -> Result<Box<dyn Signer>, KeyError> {
    let given = variables(given);
    let env = |name: &str| given.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let key = SigningKey::Keyless(Keyless::new(at.parse().unwrap(), source, Arc::new(root)));
    key.signer(&Opening::new(&env).within(limits)).await
}

/// Opened with a token in the variable.
async fn open(at: &str, fulcio: &Fulcio, token: &str) -> Result<Box<dyn Signer>, KeyError> {
    open_within(at, root(fulcio), TokenSource::Variable, &[("SIGSTORE_ID_TOKEN", token)], soon()).await
}

#[tokio::test]
async fn a_key_signs_that_is_certified_for_who_has_a_token() {
    let fulcio = Arc::new(Fulcio::new());
    let server = fulcio.serve(CertificateLie::None);
    let signer = open(&server.endpoint(), &fulcio, &token()).await.unwrap();
    let certified = signer.certified().unwrap();
    assert_eq!((certified.certificate().name(), certified.certificate().issuer()), (IDENTITY, ISSUER));
    assert_eq!(certified.certificate().key(), &signer.public_key());
    conforms(signer.as_ref()).await;
    let by = signer.sign(b"x").await.unwrap().certified.unwrap();
    assert_eq!(by.certificate(), certified.certificate());
    assert_eq!(server.requests().len(), 1, "one certificate is enough for minutes");
    assert!(!format!("{signer:?}").contains(&token()));
    // The key is another each time.
    let other = open(&server.endpoint(), &fulcio, &token()).await.unwrap();
    assert_ne!(other.public_key(), signer.public_key());
}

#[tokio::test]
async fn a_certificate_that_is_not_ours_is_never_signed_with() {
    let fulcio = Arc::new(Fulcio::new());
    for (lie, why) in [
        (CertificateLie::OtherKey, "is for another key than ours"),
        (CertificateLie::Expired, "its certificate holds from"),
        (CertificateLie::ToCome, "its certificate holds from"),
        (CertificateLie::OtherIssuer, "says that https://issuer.example.com vouched for the identity"),
        (CertificateLie::OtherIdentity, "serviceaccounts/attestor-2, which the token does not say"),
        (CertificateLie::Nobody, "it does not name exactly one identity"),
        (CertificateLie::OtherPurpose, "a certificate is not for that purpose"),
    ] {
        let server = fulcio.serve(lie);
        let error = open(&server.endpoint(), &fulcio, &token()).await.unwrap_err();
        let said = causes(&error);
        assert!(said.contains(why) && error.remedy().is_some(), "{lie:?}: {said}");
        // Of the token itself nothing is told, nor of what it says.
        for told in ["canary", "eyJ", "system:serviceaccount", ISSUER] {
            assert!(!said.contains(told), "{lie:?}: {said}");
        }
    }
    // Nor one of an authority that the trusted root does not name, or that is promised to nobody.
    let server = fulcio.serve(CertificateLie::None);
    let error = open(&server.endpoint(), &Fulcio::new(), &token()).await.unwrap_err();
    assert!(causes(&error).contains("did not issue it for this"), "{error:?}");
    let key =
        argo_attest_core::keys::PrivateKey::generate(argo_attest_core::keys::KeyType::EcdsaP256).unwrap();
    let encode = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let shown = json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "certificateAuthorities": [fulcio.root()],
        "ctlogs": [{
            "baseUrl": "https://ct.example.com", "hashAlgorithm": "SHA2_256",
            "publicKey": {"rawBytes": encode(&key.public().to_spki_der()), "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                          "validFor": {"start": "2026-01-01T00:00:00Z"}},
            "logId": {"keyId": encode(&[7; 32])},
        }],
    });
    let shown = TrustedRoot::read(shown.to_string().as_bytes()).unwrap();
    let token = token();
    let given = [("SIGSTORE_ID_TOKEN", token.as_str())];
    let error =
        open_within(&server.endpoint(), shown, TokenSource::Variable, &given, soon()).await.unwrap_err();
    assert!(causes(&error).contains("promised to show it"), "{error:?}");
}

#[tokio::test]
async fn who_is_slow_away_or_talks_of_something_else_gives_none() {
    let fulcio = Fulcio::new();
    let token = token();
    let playing = |act: Act| Scripted::choosing(Plain, move |_| Some(act.clone()));
    let repeats = format!(r#"{{"code":3,"message":"bad token {token}"}}"#);
    let in_part = format!(r#"{{"code":3,"message":"bad token …{}…"}}"#, &token[40..60]);
    let claims = r#"{"code":3,"message":"nobody knows system:serviceaccount:ci:attestor"}"#;
    let as_type = format!(r#"{{"signedCertificateEmbeddedSct":"{token}"}}"#);
    let nobody = Nobody::new();
    for (server, why) in [
        (playing(Act::Hang), "did not answer within"),
        (playing(Act::Close), "it could not be reached"),
        (playing(Act::Reply(reply(503, &[], b""))), "it refused: 503"),
        (
            playing(Act::Reply(reply(
                400,
                &[],
                br#"{"code":3,"message":"There was an error processing the identity token"}"#,
            ))),
            "it refused: 400 (There was an error processing the identity token)",
        ),
        (
            playing(Act::Reply(reply(400, &[], repeats.as_bytes()))),
            "it refused: 400 (not shown: it repeats the token)",
        ),
        (
            playing(Act::Reply(reply(400, &[], in_part.as_bytes()))),
            "it refused: 400 (not shown: it repeats the token)",
        ),
        (
            playing(Act::Reply(reply(400, &[], claims.as_bytes()))),
            "it refused: 400 (not shown: it repeats the token)",
        ),
        (playing(Act::Reply(reply(200, &[], as_type.as_bytes()))), "it is no certificate"),
        (playing(Act::Reply(reply(200, &[], b"<html>"))), "it is no certificate"),
        (playing(Act::Reply(reply(200, &[], b"{}"))), "it holds no certificate"),
        (playing(Act::Flood(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())), "it is longer than is read"),
    ] {
        let begun = std::time::Instant::now();
        let error = open(&server.endpoint(), &fulcio, &token).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(20), "{why}: {:?}", begun.elapsed());
        let said = format!("{} {}", causes(&error), error.remedy().unwrap());
        assert!(said.contains(why), "{why}: {said}");
        assert!(!said.contains("eyJ") && !said.contains("system:") && !said.contains('\n'), "{said}");
    }
    let error = open(&format!("http://{}", nobody.address()), &fulcio, &token).await.unwrap_err();
    assert!(causes(&error).contains("it could not be reached"), "{error:?}");
    // Without TLS a token goes to nobody but this machine.
    let error = open("http://fulcio.example.com", &fulcio, &token).await.unwrap_err();
    assert!(causes(&error).contains("is no https address"), "{error:?}");
}

#[tokio::test]
async fn without_a_token_that_counts_nobody_is_asked() {
    let fulcio = Arc::new(Fulcio::new());
    let server = fulcio.serve(CertificateLie::None);
    let home = TempDir::new().unwrap();
    let at = |name: &str| home.path().join(name);
    let expired = token_of("attestor", Timestamp::now() - SignedDuration::from_secs(1));
    std::fs::write(at("expired"), &expired).unwrap();
    std::fs::write(at("empty"), "").unwrap();
    let key = argo_attest_core::keys::PrivateKey::generate(argo_attest_core::keys::KeyType::Ed25519).unwrap();
    std::fs::write(at("key"), key.to_pkcs8_pem().as_bytes()).unwrap();
    for (name, why) in [
        ("none", "is not sent: No such file"),
        ("empty", "is not sent: it is empty"),
        ("key", "is not sent: it holds a key"),
        ("expired", "has expired"),
    ] {
        let source = TokenSource::File(at(name));
        let error = open_within(&server.endpoint(), root(&fulcio), source, &[], soon()).await.unwrap_err();
        assert!(causes(&error).contains(why) && error.remedy().is_some(), "{name}: {}", causes(&error));
    }
    for (given, why) in [
        (&[][..], "SIGSTORE_ID_TOKEN is not set"),
        (&[("SIGSTORE_ID_TOKEN", "")], "SIGSTORE_ID_TOKEN is not set"),
        (&[("SIGSTORE_ID_TOKEN", "canary")], "is not a JSON Web Token"),
        (&[("SIGSTORE_ID_TOKEN", expired.as_str())], "the identity token in SIGSTORE_ID_TOKEN has expired"),
    ] {
        let source = TokenSource::Variable;
        let error = open_within(&server.endpoint(), root(&fulcio), source, given, soon()).await.unwrap_err();
        let said = causes(&error);
        assert!(said.contains(why) && !said.contains("canary"), "{said}");
        if why.contains("has expired") {
            // There it stays as it is.
            let remedy = error.remedy().unwrap();
            assert!(remedy.contains("cannot be renewed") && remedy.contains("--identity-token"), "{remedy}");
        }
    }
    assert_eq!(server.requests().len(), 0);
}

/// Whoever gets a token can use it with all that it is for.
#[tokio::test]
async fn a_token_for_others_is_not_sent() {
    let fulcio = Arc::new(Fulcio::new());
    let server = fulcio.serve(CertificateLie::None);
    let later = Timestamp::now() + SignedDuration::from_hours(1);
    let asking = async |audiences: &serde_json::Value, audience: Option<&str>| {
        let token = token_to("attestor", later, audiences);
        let given = variables(&[("SIGSTORE_ID_TOKEN", &token)]);
        let env = |name: &str| given.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let root = Arc::new(root(&fulcio));
        let keyless = Keyless::new(server.endpoint().parse().unwrap(), TokenSource::Variable, root);
        let keyless = match audience {
            Some(audience) => keyless.for_audience(audience.to_owned()),
            None => keyless,
        };
        SigningKey::Keyless(keyless).signer(&Opening::new(&env).within(soon())).await
    };
    let api_server = "it is for the API server, or whoever issued it";
    for (audiences, audience, why) in [
        (json!([ISSUER]), None, api_server),
        (json!(["sigstore", ISSUER]), None, api_server),
        // Not even where somebody says that this is meant.
        (json!([ISSUER]), Some(ISSUER), api_server),
        (json!(["https://kubernetes.default.svc.cluster.local", "k3s"]), Some("k3s"), api_server),
        (json!(["vault"]), None, "it is not for the audience sigstore"),
        (json!(["sigstore", "vault"]), None, "it is for others than the audience sigstore, too"),
        (json!("sigstore"), Some("mine"), "it is not for the audience mine"),
        (json!(null), None, "does not say for which audience"),
    ] {
        let error = asking(&audiences, audience).await.unwrap_err();
        let said = causes(&error);
        assert!(said.contains(why) && said.contains("is not sent"), "{audiences}: {said}");
        assert!(error.remedy().unwrap().contains("--token-audience"), "{audiences}");
    }
    assert_eq!(server.requests().len(), 0, "nobody was given one");
    asking(&json!(["mine"]), Some("mine")).await.unwrap();
    asking(&json!("sigstore"), None).await.unwrap();
}

/// A signer whose certificates hold for so many seconds, its server, and its token's file.
struct Lasting {
    fulcio: Arc<Fulcio>,
    server: Scripted,
    home: TempDir,
    signer: Box<dyn Signer>,
}

impl Lasting {
    async fn holding(seconds: i64) -> Self {
        let fulcio = Arc::new(Fulcio::holding(seconds));
        let server = fulcio.serve(CertificateLie::None);
        let home = TempDir::new().unwrap();
        std::fs::write(home.path().join("token"), token()).unwrap();
        let source = TokenSource::File(home.path().join("token"));
        let signer = open_within(&server.endpoint(), root(&fulcio), source, &[], soon()).await.unwrap();
        Self { fulcio, server, home, signer }
    }

    fn gives(&self, token: &str) {
        std::fs::write(self.home.path().join("token"), token).unwrap();
    }

    fn until(&self) -> Timestamp {
        self.signer.certified().unwrap().certificate().holds().unwrap().1
    }

    /// Signs until it does not any more, and says why: not before the last certificate is over, nor much later.
    async fn signs_until_it_is_over(&self) -> String {
        loop {
            let until = self.until();
            match self.signer.sign(b"x").await {
                Ok(signed) => {
                    let holds = signed.certified.unwrap().certificate().holds().unwrap();
                    assert!(
                        Timestamp::now() < holds.1 + SignedDuration::from_secs(5),
                        "it held when it was signed"
                    );
                    assert!(Timestamp::now() < until + SignedDuration::from_secs(20), "it is over");
                }
                Err(error) => {
                    assert!(Timestamp::now() >= until, "the one before still held: {}", causes(&error));
                    return causes(&error);
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Waits for something, and not for ever.
async fn comes(what: &str, is_there: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_there() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A sidecar lives for hours, certificates for minutes, and tokens are replaced. What is signed at the end does not
/// wait for Fulcio.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_before_it_is_needed() {
    let lasting = Lasting::holding(18).await;
    let (key, first) = (lasting.signer.public_key(), lasting.signer.certified().unwrap());
    // Another token of the same account.
    lasting.gives(&token_of("attestor", Timestamp::now() + SignedDuration::from_hours(2)));
    let is_new = || lasting.signer.certified().unwrap().certificate() != first.certificate();
    comes("another certificate, though nothing is signed", is_new).await;
    assert!(Timestamp::now() < first.certificate().holds().unwrap().1, "it came too late");
    let renewed = lasting.signer.certified().unwrap();
    assert_eq!((renewed.certificate().name(), renewed.certificate().key()), (IDENTITY, &key));
    // There is one now: nobody is asked, whoever is away.
    let asked = lasting.server.requests().len();
    lasting.fulcio.turns(Mood::Hangs);
    let begun = Instant::now();
    let signed = lasting.signer.sign(b"x").await.unwrap();
    assert_eq!(signed.certified.unwrap().certificate(), renewed.certificate());
    assert_eq!(signed.key, key);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(lasting.server.requests().len(), asked);
}

/// What was begun as one is not signed as another.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_for_the_same_identity_alone() {
    let lasting = Lasting::holding(6).await;
    let later = Timestamp::now() + SignedDuration::from_hours(1);
    let long = "x".repeat(800);
    lasting.gives(&token_of(&format!("other{long}"), later));
    let error = lasting.signs_until_it_is_over().await;
    assert!(error.contains("is now of https://kubernetes.io/namespaces/ci/serviceaccounts/other"), "{error}");
    assert!(error.contains("what was begun is signed as") && error.len() < 700, "{error}");
}

/// Whatever the reason: the one that there is holds to its end, and then it is said why there is no other. Many
/// signatures do not each wait for that.
#[tokio::test(flavor = "multi_thread")]
async fn without_another_the_old_one_is_used_to_its_end_and_nobody_waits_twice() {
    let each = [
        (Some(Mood::Closed), "closed today"),
        (Some(Mood::Busy), "closed today"),
        (Some(Mood::Hangs), "did not answer"),
        (None, "No such file"),
    ];
    join_all(each.map(async |(mood, why)| {
        let lasting = Lasting::holding(6).await;
        match mood {
            Some(mood) => lasting.fulcio.turns(mood),
            None => std::fs::remove_file(lasting.home.path().join("token")).unwrap(),
        }
        let error = lasting.signs_until_it_is_over().await;
        assert!(error.contains(why), "{mood:?}: {error}");
        let (begun, asked) = (Instant::now(), lasting.server.requests().len());
        for _ in 0..20 {
            let error = refuses(lasting.signer.as_ref(), &["canary", "eyJ"]).await;
            assert!(causes(&error).contains(why), "{mood:?}: {}", causes(&error));
        }
        assert!(begun.elapsed() < soon().total, "{mood:?}: {:?}", begun.elapsed());
        assert!(lasting.server.requests().len() < asked + 20, "{mood:?}");
        // When it is there again, it is asked again.
        lasting.gives(&token());
        lasting.fulcio.turns(Mood::Gives);
        let over = lasting.until();
        comes("another certificate", || lasting.until() > over).await;
        lasting.signer.sign(b"x").await.unwrap();
    }))
    .await;
}

/// One that holds for a moment is neither asked for again and again, nor signed with when it is over.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_hold_for_a_moment_make_no_storm() {
    let lasting = Lasting::holding(2).await;
    tokio::time::sleep(Duration::from_secs(7)).await;
    let asked = lasting.server.requests().len();
    assert!(asked <= 3, "{asked} in seven seconds in which nothing was signed");
    for _ in 0..3 {
        let signed = lasting.signer.sign(b"x").await.unwrap();
        let holds = signed.certified.unwrap().certificate().holds().unwrap();
        assert!(Timestamp::now() < holds.1 + SignedDuration::from_secs(1), "it held");
    }
    assert!(lasting.server.requests().len() <= asked + 4);
}
