//! The port, over a service.

use argo_attest_core::keys::PublicKey;
use argo_attest_core::trouble::Trouble as _;
use async_trait::async_trait;

use super::super::port::{SignError, Signed, Signer};
use super::Service;
use crate::service::{Limits, ServiceError};

/// One key of a service.
#[derive(Debug)]
pub(in super::super) struct ServiceSigner {
    /// As the user named it, printable.
    name: String,
    key: PublicKey,
    service: Box<dyn Service>,
    limits: Limits,
}

impl ServiceSigner {
    pub(in super::super) fn new(
        name: String,
        key: PublicKey,
        service: Box<dyn Service>,
        limits: Limits,
    ) -> Self {
        Self { name, key, service, limits }
    }
}

#[async_trait]
impl Signer for ServiceSigner {
    async fn sign(&self, pae: &[u8]) -> Result<Signed, SignError> {
        let asked = self.limits.ask(|refused| self.service.renew(refused), || self.service.sign(pae)).await;
        let signature = asked.and_then(|signature| {
            let signature = self.key.canonical(signature);
            match self.key.verify(pae, signature.as_bytes()) {
                Ok(()) => Ok(signature),
                Err(_) => Err(ServiceError::Unverified(self.key.key_id())),
            }
        });
        match signature {
            Ok(signature) => Ok(Signed { signature, key: self.key.clone(), certified: None }),
            Err(error) => {
                let (signer, remedy) = (self.name.clone(), error.remedy());
                Err(if error.is_passing() {
                    SignError::Passing { signer, source: error.into(), remedy }
                } else {
                    SignError::Final { signer, source: error.into(), remedy }
                })
            }
        }
    }

    fn public_key(&self) -> PublicKey {
        self.key.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use argo_attest_core::keys::{KeyType, PrivateKey, Signature};

    use super::*;

    type Answer = fn(&[u8], &PrivateKey) -> Result<Signature, ServiceError>;

    /// Answers in turn, and then as the last.
    #[derive(Debug)]
    struct Played(Mutex<Vec<Answer>>, PrivateKey, bool);

    #[async_trait]
    impl Service for Played {
        async fn sign(&self, pae: &[u8]) -> Result<Signature, ServiceError> {
            let mut answers = self.0.lock().unwrap();
            let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0] };
            answer(pae, &self.1)
        }

        fn renew(&self, refused: &ServiceError) -> bool {
            self.2 && refused.is_sign_in()
        }
    }

    fn refused(is_passing: bool, is_sign_in: bool) -> ServiceError {
        ServiceError::Refused { said: "no".into(), is_passing, is_sign_in, remedy: "ask".into() }
    }

    async fn ask(answers: &[Answer], renews: bool) -> Result<Signed, SignError> {
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let public = key.public().clone();
        let limits = Limits {
            total: Duration::from_secs(2),
            first_pause: Duration::from_millis(1),
            longest_pause: Duration::from_millis(2),
            ..Limits::default()
        };
        let service = Box::new(Played(Mutex::new(answers.to_vec()), key, renews));
        ServiceSigner::new("test://key".into(), public, service, limits).sign(b"pae").await
    }

    #[tokio::test]
    async fn a_signature_of_something_else_is_never_given() {
        let lies: [Answer; 4] = [
            |_, key| Ok(key.sign(b"another")),
            |pae, _| Ok(PrivateKey::generate(KeyType::Ed25519).unwrap().sign(pae)),
            |pae, _| Ok(PrivateKey::generate(KeyType::EcdsaP256).unwrap().sign(pae)),
            |_, _| Ok(Signature::from(Vec::new())),
        ];
        for lie in lies {
            match ask(&[lie], true).await {
                Err(SignError::Final { source, remedy: Some(_), .. }) => {
                    source.downcast::<ServiceError>().unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
        ask(&[|pae, key| Ok(key.sign(pae))], false).await.unwrap();
    }

    #[tokio::test]
    async fn what_passes_is_asked_again_and_what_stays_is_not() {
        let passes: Answer = |_, _| Err(refused(true, false));
        let stays: Answer = |_, _| Err(refused(false, false));
        let expired: Answer = |_, _| Err(refused(false, true));
        let signs: Answer = |pae, key| Ok(key.sign(pae));
        ask(&[passes, passes, signs], false).await.unwrap();
        ask(&[expired, signs], true).await.unwrap();
        for (answers, renews) in
            [(vec![stays, signs], true), (vec![expired, signs], false), (vec![expired, expired, signs], true)]
        {
            let error = ask(&answers, renews).await.unwrap_err();
            assert!(!error.is_passing(), "{error:?}");
        }
        assert!(ask(&[passes], false).await.unwrap_err().is_passing());
    }
}
