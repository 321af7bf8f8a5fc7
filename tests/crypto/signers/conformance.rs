//! What everybody who signs promises.

use argo_attest::signer::{SignError, Signed, Signer};
use argo_attest_core::dsse::{Envelope, Unsigned};
use argo_attest_core::keys::{BadSignature, PublicKey};
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use futures_util::future::join_all;

/// Statements of some sizes.
fn payloads() -> Vec<Vec<u8>> {
    let statement = include_bytes!("../../vectors/statement.json").to_vec();
    let longer = format!("{{\"a\":\"{}\"}}", "x".repeat(100_000)).into_bytes();
    vec![b"{}".to_vec(), statement, longer, "{\"\u{e4}\":\"\u{1f511}\"}".as_bytes().to_vec()]
}

/// Signs what it is given, with one key, which it names.
pub(crate) async fn conforms(signer: &dyn Signer) {
    let key = signer.public_key();
    assert_eq!(signer.public_key(), key, "the key is the same each time it is asked for");
    assert!(key.key_id().to_string().starts_with("SHA256:"), "{key:?}");
    assert_eq!(PublicKey::from_spki_pem(key.to_spki_pem().as_bytes()).unwrap(), key);

    let statements: Vec<_> = payloads().into_iter().map(|payload| Unsigned::new(payload).unwrap()).collect();
    let mut made = Vec::new();
    for statement in &statements {
        let Signed { signature, key: by, .. } = signer.sign(statement.pae()).await.unwrap();
        assert_eq!(by, key, "the key that signs is the one that is told");
        key.verify(statement.pae(), signature.as_bytes()).unwrap();
        made.push(signature);
    }
    // None is a signature of anything else.
    for (at, statement) in statements.iter().enumerate() {
        for (of, signature) in made.iter().enumerate().filter(|(of, _)| *of != at) {
            let verified = key.verify(statement.pae(), signature.as_bytes());
            assert_eq!(verified, Err(BadSignature), "the signature of statement {of}, for {at}");
        }
    }
    for (statement, signature) in statements.into_iter().zip(made) {
        Envelope::assemble(statement, signature, &key).unwrap();
    }

    // Several outputs of a step are signed at once.
    let messages: Vec<_> = (0..8_u8).map(|n| vec![n; 40]).collect();
    let signing = messages.iter().map(|message| signer.sign(message));
    for (message, given) in messages.iter().zip(join_all(signing).await) {
        let Signed { signature, key, .. } = given.unwrap();
        key.verify(message, signature.as_bytes()).unwrap();
    }
}

/// Does not sign, and says why and what would mend it, each in one line, and nothing of `secrets`.
pub(crate) async fn refuses(signer: &dyn Signer, secrets: &[&str]) -> SignError {
    let error = match signer.sign(b"DSSEv1 1 a 1 b").await {
        Err(error) => error,
        Ok(given) => panic!("it gave {given:?}"),
    };
    let remedy = error.remedy().unwrap_or_default();
    let said = format!("{} | {remedy}", causes(&error));
    assert!(!remedy.is_empty() && !said.contains('\n') && said.len() < 2000, "{said}");
    for secret in secrets {
        assert!(!format!("{said} {error:?} {signer:?}").contains(secret), "{said}");
    }
    error
}
