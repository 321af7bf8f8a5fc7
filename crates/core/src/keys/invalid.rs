//! What can be wrong with a key's text, and what to do about it.

/// Why bytes are not a usable key. Says what they look like and never quotes them:
/// they may be a private key. For the same reason no parser's error is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// No bytes, or white space only.
    #[error("the key is empty")]
    Empty,
    /// More than a key can have.
    #[error("the key has more than {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// Binary DER where text was expected.
    #[error("the key is binary (DER), not PEM")]
    Der,
    /// Neither PEM nor anything else that is known.
    #[error("the key is not PEM: there is no line `-----BEGIN …-----`")]
    NotPem,
    /// A PEM block that is cut short or that is not base64.
    #[error("the PEM block is damaged or cut short")]
    DamagedPem,
    /// Several PEM blocks, so that it is not clear which is meant.
    #[error("there is more than one PEM block, and exactly one key is expected")]
    SeveralBlocks,
    /// A PEM block with a label that is no key's.
    #[error("the PEM block is not a key")]
    OtherPem,
    /// The contents of the PEM block are not the structure that its label names.
    #[error("the contents of the PEM block are damaged")]
    Damaged,
    /// PKCS#8 under a passphrase.
    #[error("the private key is encrypted with a passphrase")]
    Encrypted,
    /// cosign's own format, which is always encrypted, where no password is at hand.
    #[error("the private key is in cosign's encrypted format, and no password is given")]
    CosignEncrypted,
    /// The same, and the password is another one's; or the file was changed.
    #[error("the password does not open the private key")]
    Password,
    /// The same, made so that to open it takes more than is given for that.
    #[error("the private key asks for more memory or time to be opened than it gets")]
    CosignCost,
    /// The same, by another way than cosign's.
    #[error("the private key is encrypted in a way that is not known")]
    CosignCipher,
    /// Only the name of a curve, as `openssl ecparam` writes it before a key.
    #[error("this is the name of a curve, without a key")]
    CurveAlone,
    /// Text in UTF-16, as some editors and shells write it.
    #[error("the file is UTF-16, and a key is read as UTF-8")]
    Utf16,
    /// The inside of a PEM block, without the lines around it.
    #[error("the key is bare base64: the lines `-----BEGIN …-----` and `-----END …-----` are missing")]
    BareBase64,
    /// OpenSSH's own format.
    #[error("the private key is in OpenSSH's format, not PKCS#8")]
    OpenSsh,
    /// A line as in `authorized_keys`.
    #[error("the public key is in OpenSSH's format, not PEM")]
    OpenSshPublic,
    /// A certificate where a key was expected.
    #[error("this is a certificate, not a key")]
    Certificate,
    /// A public key where a private one was expected.
    #[error("this is a public key, and a private key is expected")]
    PublicForPrivate,
    /// A private key where a public one was expected.
    #[error("this is a private key, and a public key is expected")]
    PrivateForPublic,
    /// Another algorithm or curve.
    #[error("this is {found}; Ed25519 and ECDSA P-256 keys are supported")]
    Algorithm {
        /// What it is, with its article.
        found: &'static str,
    },
    /// Another algorithm or curve, of a key that is to verify.
    #[error("this is {found}; Ed25519, ECDSA P-256 and P-384, and RSA public keys are supported")]
    PublicAlgorithm {
        /// What it is, with its article.
        found: &'static str,
    },
    /// An RSA key that can be factored, or that nobody would use.
    #[error("this is an RSA key of {bits} bits, and 2048 to 8192 are supported")]
    RsaSize {
        /// Bits of its modulus.
        bits: usize,
    },
    /// An RSA public key in the form of PKCS#1.
    #[error("the public key is in the older form `RSA PUBLIC KEY` (PKCS#1), not SPKI")]
    Pkcs1Public,
    /// The public key stored inside the private one is another key's.
    #[error("the public key inside the private key does not belong to it")]
    Inconsistent,
    /// A public key under which forged signatures can pass: a point of small order,
    /// or one that is not written in its one canonical form (RFC 8032 section 5.1.3).
    #[error("the public key is degenerate: signatures under it prove nothing")]
    Degenerate,
}

impl InvalidKey {
    /// What to do, as one line. `name` is the file in question, as it can be typed
    /// in a shell.
    pub fn remedy(self, name: &str) -> String {
        match self {
            Self::Empty
            | Self::TooLarge { .. }
            | Self::DamagedPem
            | Self::Damaged
            | Self::Inconsistent
            | Self::Degenerate => "take the key again from where it came".into(),
            Self::OtherPem | Self::NotPem | Self::CurveAlone => {
                "give a file with one PEM block that is a key; check that it is the right file".into()
            }
            Self::Utf16 => format!("save it as UTF-8: iconv -f UTF-16 -t UTF-8 {name} > NEW"),
            Self::BareBase64 => {
                "write the line -----BEGIN PRIVATE KEY----- before it, and -----END PRIVATE KEY----- after it"
                    .into()
            }
            Self::Der => format!(
                "convert it: openssl pkey -inform DER -in {name} -out NEW.key (a public key: add -pubin -pubout)"
            ),
            Self::SeveralBlocks => {
                "put each key into a file of its own; to trust several, give --key once for each".into()
            }
            Self::Encrypted => {
                format!("decrypt it into a file that only you can read: openssl pkey -in {name} -out NEW.key")
            }
            Self::CosignEncrypted => {
                "give its password in the variable COSIGN_PASSWORD, or a file of it with --key-password-file"
                    .into()
            }
            Self::Password => {
                "check the password, and that it is this key's: COSIGN_PASSWORD, or --key-password-file"
                    .into()
            }
            Self::CosignCost | Self::CosignCipher => {
                "make a key as cosign makes it: cosign generate-key-pair, or cosign import-key-pair".into()
            }
            Self::OpenSsh | Self::Algorithm { .. } => {
                "make a key for this purpose: argo-attest keygen --out-dir DIR".into()
            }
            Self::PublicAlgorithm { .. } | Self::RsaSize { .. } => {
                "ask whoever signs for a public key of a kind that is supported".into()
            }
            Self::Pkcs1Public => {
                format!("convert it: openssl rsa -RSAPublicKey_in -in {name} -pubout -out NEW.pub")
            }
            Self::OpenSshPublic => format!("convert it: ssh-keygen -e -m PKCS8 -f {name} > NEW.pub"),
            Self::Certificate => {
                format!("take the public key out of it: openssl x509 -in {name} -noout -pubkey > NEW.pub")
            }
            Self::PublicForPrivate => {
                "give the private key, usually the file with the same name that ends in .key".into()
            }
            Self::PrivateForPublic => {
                format!("give its public half: argo-attest public-key --key {name} > NEW.pub")
            }
        }
    }
}
