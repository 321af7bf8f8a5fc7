//! Who signs, as the rest of the program knows them: bytes go in, a signature and the
//! key that made it come out. Where the private key is, and whether this process could
//! read it at all, is the adapter's to know.

use argo_attest_core::trouble::{Fault, Trouble};
use std::error::Error;
use std::fmt;

use argo_attest_core::keys::{PublicKey, Signature};
use async_trait::async_trait;

use super::certified::Certified;

/// Something that signs: a key in memory, one that is replaced now and then, or a
/// service that has the key and gives out signatures.
#[async_trait]
pub trait Signer: fmt::Debug + Send + Sync {
    /// Signs these very bytes, a DSSE pre-authentication encoding, with one key, and
    /// says with which. Nobody has to believe it: see
    /// [`argo_attest_core::dsse::Envelope::assemble`].
    async fn sign(&self, pae: &[u8]) -> Result<Signed, SignError>;

    /// The key that would sign now: to be told to people. The one that did is in
    /// [`Signed`], and can be another.
    fn public_key(&self) -> PublicKey;

    /// The certificate by which the key counts, if it counts by one and not by itself: it is then somebody's for a
    /// while, and what is said of who signed is for whom the certificate is.
    fn certified(&self) -> Option<Certified> {
        None
    }
}

/// A signature, and whose it is said to be.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The signature.
    pub signature: Signature,
    /// The public half of the key that made it.
    pub key: PublicKey,
    /// The certificate by which that counts, if it is one.
    pub certified: Option<Certified>,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// It may be otherwise soon: it is busy, or could not be reached.
    #[error("{signer} cannot sign now")]
    Passing {
        /// Who was to sign, printable.
        signer: String,
        /// What it said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
        /// What to do about it, where more is known than that.
        remedy: Option<String>,
    },
    /// To ask again changes nothing: there is no such key, or it may not be used.
    #[error("{signer} does not sign")]
    Final {
        /// Who was to sign, printable.
        signer: String,
        /// What it said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
        /// What to do about it, where more is known than that.
        remedy: Option<String>,
    },
}

impl SignError {
    /// Whether the same question may have another answer later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Passing { .. })
    }
}

impl Trouble for SignError {
    fn fault(&self) -> Fault {
        if self.is_passing() { Fault::Unavailable } else { Fault::Permission }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Passing { remedy: Some(remedy), .. } | Self::Final { remedy: Some(remedy), .. } => {
                remedy.clone()
            }
            Self::Passing { signer, .. } => {
                format!("try it again; if it stays so, check that {signer} can be reached from here")
            }
            Self::Final { signer, .. } => {
                format!("check that {signer} has the key, and lets this program sign with it")
            }
        })
    }
}
