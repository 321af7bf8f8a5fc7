//! Keys in a token: the real `SoftHSM`, and a module in front of it that plays a bad one.
//!
//! `SoftHSM` reads where its tokens are from the environment, and what is logged in is so for a process. So each test
//! is made in a process of its own: this program, started once more for it alone.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use argo_attest::signer::{KeyError, Opening, ServiceError, SignError, Signer, SigningKey};
use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::object::{Attribute, KeyType as Kind, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;

use super::conformance::{conforms, refuses};
use super::open;
use crate::softhsm::{PIN, Token, real};

/// What says in which directory the token of a test is.
const TOKEN: &str = "TEST_TOKEN";

/// The token, in the process that is for this test; in the one that starts it, nothing.
fn token(test: &str) -> Option<Token> {
    if let Some(dir) = std::env::var_os(TOKEN) {
        return Some(Token::at(&PathBuf::from(dir)));
    }
    let token = Token::new()?;
    // SoftHSM sees those that there are when it is loaded.
    token.another("another");
    let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    let mut apart = Command::new(std::env::current_exe().unwrap());
    apart.args([&name, "--exact", "--nocapture"]).envs(token.environment()).env(TOKEN, token.dir());
    let ended = apart.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && said.contains("1 passed"), "{:?}: {said}", ended.status);
    None
}

async fn opened(name: &str) -> Box<dyn Signer> {
    open(name, &[]).await.unwrap()
}

/// Why the key cannot be used, and what would mend it.
async fn refused(name: &str, given: &[(&str, &str)]) -> String {
    let error = open(name, given).await.map(drop).unwrap_err();
    let said = format!("{} | {}", causes(&error), error.remedy().unwrap());
    assert!(!said.contains(PIN) && !format!("{error:?}").contains(PIN), "{said}");
    said
}

/// A session of somebody else's, who needs no PIN to write what everybody may read.
fn somebody() -> (Pkcs11, Session) {
    let module = Pkcs11::new(real().unwrap()).unwrap();
    // One of both is the first.
    let _ = module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
    let mut slots = module.get_slots_with_initialized_token().unwrap().into_iter();
    let slot = slots.find(|slot| module.get_token_info(*slot).unwrap().label() == "ci").unwrap();
    let session = module.open_rw_session(slot).unwrap();
    (module, session)
}

/// Writes a public key into the token, with this id.
fn plant(session: &Session, key: &PrivateKey, id: &[u8]) {
    let der = key.public().to_spki_der();
    let (kind, parameters, length) = match key.key_type() {
        KeyType::Ed25519 => (Kind::EC_EDWARDS, &b"\x13\x0cedwards25519"[..], 32),
        KeyType::EcdsaP256 => (Kind::EC, &b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"[..], 65),
    };
    let point = [&[4, length], &der[der.len() - usize::from(length)..]].concat();
    let template = [
        Attribute::Class(ObjectClass::PUBLIC_KEY),
        Attribute::KeyType(kind),
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Verify(true),
        Attribute::Id(id.to_vec()),
        Attribute::EcParams(parameters.to_vec()),
        Attribute::EcPoint(point),
    ];
    session.create_object(&template).unwrap();
}

#[tokio::test]
async fn a_key_of_a_token_signs() {
    let Some(token) = token("a_key_of_a_token_signs") else { return };
    for (kind, id) in [(KeyType::Ed25519, "0a01"), (KeyType::EcdsaP256, "0a02")] {
        let label = format!("ci key {kind}");
        let key = token.key(kind, &label, id);
        let escaped = label.replace(' ', "%20");
        let id = id.as_bytes().chunks(2).map(|two| format!("%{}", str::from_utf8(two).unwrap()));
        let id = id.collect::<String>();
        for name in [
            format!("object={escaped}"),
            format!("id={id}"),
            format!(
                "object={escaped};id={id};type=private;manufacturer=SoftHSM%20project;model=SoftHSM%20v2"
            ),
        ] {
            let name = token.name(&name);
            let signer = opened(&name).await;
            assert_eq!(&signer.public_key(), key.public(), "{name}");
            conforms(signer.as_ref()).await;
            assert!(!format!("{signer:?}").contains(PIN), "{signer:?}");
        }
        // Module and PIN where cosign has them, and the PIN where passwords of keys are.
        let (module, none) = (real().unwrap(), |_: &str| None);
        let module = module.to_str().unwrap();
        let given = [("COSIGN_PKCS11_MODULE_PATH", module), ("COSIGN_PKCS11_PIN", PIN)];
        let name = format!("pkcs11:token=ci;object={escaped}");
        conforms(open(&name, &given).await.unwrap().as_ref()).await;
        let name =
            SigningKey::try_from(std::ffi::OsString::from(format!("{name}?module-path={module}"))).unwrap();
        let file = token.pin_file();
        let opening = Opening::new(&none).with_password_file(Some(&file));
        assert_eq!(&name.public_half(&opening).await.unwrap(), key.public());
        conforms(name.signer(&opening).await.unwrap().as_ref()).await;
        let other = PrivateKey::generate(kind).unwrap().public().key_id();
        match name.signer(&opening.expecting(Some(other))).await.map(drop).unwrap_err() {
            KeyError::Unexpected { expected, .. } => assert_eq!(expected, other),
            error => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn what_names_no_key_that_signs_is_refused_with_why() {
    let Some(token) = token("what_names_no_key_that_signs_is_refused_with_why") else { return };
    token.key(KeyType::Ed25519, "twice", "01");
    token.key(KeyType::Ed25519, "twice", "02");
    let openssl = |arguments: &[&str]| {
        let made = Command::new("openssl").args(arguments).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        String::from_utf8(made.stdout).unwrap()
    };
    let rsa = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
    let p384 = openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]);
    token.import(&rsa, "rsa", "03", &[]);
    token.import(&p384, "p384", "04", &[]);
    let alone = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    token.import(&alone.to_pkcs8_pem(), "alone", "05", &["--no-public-key"]);
    for (key, why) in [
        ("object=none", "no private key of that name"),
        ("object=twice;id=%03", "no private key of that name"),
        ("object=twice", "several private keys of that name"),
        ("object=rsa", "type CKK_RSA"),
        ("object=p384", "another curve"),
        ("object=alone", "no public key of the key's id"),
        ("object=rsa;serial=none", "no token as the key's name says"),
        ("object=rsa;slot-id=1", "no token as the key's name says"),
    ] {
        let began = Instant::now();
        let said = refused(&token.name(key), &[]).await;
        assert!(said.contains(why), "{key}: {said}");
        assert!(began.elapsed() < Duration::from_secs(2), "{key}: nobody asks again");
    }
    let said = refused(&token.name("object=rsa").replace("token=ci;", ""), &[]).await;
    assert!(said.contains("several tokens are as the key's name says"), "{said}");
    for (module, why) in [
        ("/none.so", "the module /none.so cannot be used"),
        ("/etc/passwd", "the module /etc/passwd cannot be loaded"),
        ("/dev/zero", "the module /dev/zero cannot be used"),
    ] {
        let said = refused(&format!("pkcs11:object=a?module-path={module}"), &[]).await;
        assert!(said.contains(why), "{said}");
    }
    let said = refused("pkcs11:object=a", &[]).await;
    assert!(said.contains("no module is named"), "{said}");
}

#[tokio::test]
async fn a_pin_is_said_once_and_never_repeated() {
    let Some(token) = token("a_pin_is_said_once_and_never_repeated") else { return };
    token.key(KeyType::EcdsaP256, "ci", "01");
    let whole = token.stubborn("object=ci");
    let (bare, _) = whole.split_once("&pin-source").unwrap();
    for (mood, why) in [("final", "once more before it locks"), ("locked", "is locked")] {
        token.is(mood);
        assert!(refused(&whole, &[]).await.contains(why));
    }
    token.is("");
    // cosign's password is for its own keys, and no PIN.
    for given in [&[][..], &[("COSIGN_PASSWORD", PIN)], &[("COSIGN_PKCS11_PIN", "")]] {
        let said = refused(bare, given).await;
        assert!(
            said.contains("asks for a PIN, and none is said") && said.contains("pin-source=file:"),
            "{said}"
        );
    }
    assert_eq!(token.logins(), 0);
    let began = Instant::now();
    let said = refused(bare, &[("COSIGN_PKCS11_PIN", "canary-of-a-pin")]).await;
    assert!(said.contains("C_Login: CKR_PIN_INCORRECT") && !said.contains("canary"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(token.logins(), 1, "it is not said again");
    conforms(opened(&whole).await.as_ref()).await;
    assert_eq!(token.logins(), 2);
}

#[tokio::test]
async fn a_public_key_that_somebody_planted_is_not_taken() {
    let Some(token) = token("a_public_key_that_somebody_planted_is_not_taken") else { return };
    for (kind, id, label) in [(KeyType::Ed25519, 1, "e"), (KeyType::EcdsaP256, 2, "p")] {
        let key = PrivateKey::generate(kind).unwrap();
        let planted = PrivateKey::generate(kind).unwrap();
        token.import(&key.to_pkcs8_pem(), label, &format!("{id:02}"), &["--no-public-key"]);
        let name = token.name(&format!("object={label}"));
        {
            let (_, session) = somebody();
            plant(&session, &planted, &[id]);
            // One of another curve says nothing about it.
            for other in KeyType::ALL.into_iter().filter(|other| *other != kind) {
                plant(&session, &PrivateKey::generate(other).unwrap(), &[id]);
            }
        }
        let said = refused(&name, &[]).await;
        assert!(said.contains("no public key that the token has"), "{said}");
        {
            let (_, session) = somebody();
            plant(&session, &key, &[id]);
        }
        let signer = opened(&name).await;
        assert_eq!(&signer.public_key(), key.public(), "the one that verifies, and not the first");
        conforms(signer.as_ref()).await;
    }
}

#[tokio::test]
async fn a_token_that_changes_in_mid_step_signs_with_the_key_of_the_start_or_not_at_all() {
    let test = "a_token_that_changes_in_mid_step_signs_with_the_key_of_the_start_or_not_at_all";
    let Some(token) = token(test) else { return };
    for (kind, id) in [(KeyType::Ed25519, "01"), (KeyType::EcdsaP256, "02")] {
        let label = kind.to_string();
        token.key(kind, &label, id);
        let signer = opened(&token.stubborn(&format!("object={label}"))).await;
        for mood in ["lies", "short"] {
            token.is(mood);
            match refuses(signer.as_ref(), &[PIN]).await {
                SignError::Final { source, .. } => {
                    let error = source.downcast::<ServiceError>().unwrap();
                    assert!(matches!(*error, ServiceError::Unverified(_)), "{mood}: {error}");
                }
                error @ SignError::Passing { .. } => panic!("{mood}: {error}"),
                error => panic!("{error}"),
            }
        }
        // A session that is lost is opened anew, as somebody else's or after a sleep.
        token.is("lost");
        conforms(signer.as_ref()).await;
        let began = Instant::now();
        token.is("removed");
        let error = refuses(signer.as_ref(), &[PIN]).await;
        assert!(
            error.is_passing() && causes(&error).contains("C_OpenSession: CKR_TOKEN_NOT_PRESENT"),
            "{}",
            causes(&error)
        );
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        token.is("");
        conforms(signer.as_ref()).await;
        // A PIN that was changed meanwhile is said once more, and then not again.
        token.is("denied");
        let before = token.logins();
        for _ in 0..3 {
            let error = refuses(signer.as_ref(), &[PIN]).await;
            assert!(!error.is_passing() && causes(&error).contains("the PIN"), "{}", causes(&error));
        }
        assert_eq!(token.logins(), before + 1);
        token.is("");
        refuses(signer.as_ref(), &[PIN]).await;
        drop(signer);
    }
}

#[tokio::test]
async fn a_key_that_is_replaced_under_its_name_signs_nothing_as_the_one_before() {
    let test = "a_key_that_is_replaced_under_its_name_signs_nothing_as_the_one_before";
    let Some(token) = token(test) else { return };
    let key = token.key(KeyType::EcdsaP256, "ci", "01");
    let signer = opened(&token.name("object=ci")).await;
    conforms(signer.as_ref()).await;
    {
        let (_, session) = somebody();
        // This process is logged in already.
        let _ = session.login(UserType::User, Some(&AuthPin::new(PIN.into())));
        for object in session.find_objects(&[Attribute::Label(b"ci".to_vec())]).unwrap() {
            session.destroy_object(object).unwrap();
        }
    }
    let error = refuses(signer.as_ref(), &[PIN]).await;
    assert!(causes(&error).contains("no private key of that name"), "{}", causes(&error));
    let other = token.key(KeyType::EcdsaP256, "ci", "01");
    let error = refuses(signer.as_ref(), &[PIN]).await;
    assert!(
        causes(&error).contains(&format!("no signature by the key {}", key.public().key_id())),
        "{}",
        causes(&error)
    );
    assert_eq!(&opened(&token.name("object=ci")).await.public_key(), other.public());
}

#[tokio::test]
async fn a_module_that_hangs_is_given_up_in_time() {
    let Some(token) = token("a_module_that_hangs_is_given_up_in_time") else { return };
    token.key(KeyType::Ed25519, "ci", "01");
    let name = token.stubborn("object=ci");
    token.is("hangs");
    let began = Instant::now();
    let said = refused(&name, &[]).await;
    assert!(said.contains("did not answer within") || said.contains("could not be reached"), "{said}");
    token.is("");
    let signer = opened(&name).await;
    conforms(signer.as_ref()).await;
    token.is("hangs");
    for _ in 0..2 {
        let error = refuses(signer.as_ref(), &[PIN]).await;
        assert!(error.is_passing(), "{}", causes(&error));
    }
    // Three times four seconds.
    assert!(began.elapsed() < Duration::from_secs(14), "{:?}", began.elapsed());
    token.is("");
    conforms(signer.as_ref()).await;
    // The process ends while its module hangs: whoever started it waits for that.
    token.is("hangs");
    refuses(signer.as_ref(), &[PIN]).await;
}
