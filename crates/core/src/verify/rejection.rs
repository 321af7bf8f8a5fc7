//! Every way in which the answer is no.

use super::PlaceError;
use crate::attestation_file::FileError;
use crate::bundle::BundleError;
use crate::bundle::lines::LinesError;
use crate::dsse::SignatureError;
use crate::intoto::InvalidStatement;
use crate::keys::KeyId;
use crate::manifest::{Differences, ManifestError};
use crate::policy::PolicyViolation;
use crate::proof::FalseEvidence;
use crate::relpath::RelPath;
use crate::slsa::{InvalidLinks, InvalidProvenance};
use crate::text::shell_word;
use crate::trouble::{Fault, Trouble};

/// Why an artifact is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// Nothing to verify it with.
    #[error("no attestation: looked for {}", told(looked_for))]
    NoAttestation {
        /// Where an attestation could have been.
        looked_for: Vec<String>,
    },
    /// Properly signed, and says to be signed with some other key: not as it was written.
    #[error("the envelope names the key {named}, and was signed with {signer}: the attestation was altered")]
    KeyName {
        /// What it says, printable.
        named: String,
        /// The key that did sign.
        signer: KeyId,
    },
    /// Made by this program, and not as this program writes.
    #[error("the attestation was altered after argo-attest wrote it: {why}")]
    Altered {
        /// In what it differs, printable.
        why: String,
    },
    /// Nothing is in the file that could be an attestation.
    #[error("the attestation is malformed")]
    File(#[from] FileError),
    /// There are attestations in the file, and none in which a statement is signed.
    #[error("there is no signed statement in it: it is {found}")]
    NoStatement {
        /// What there is, in words.
        found: String,
    },
    /// A list says that it is about the image, and it says itself that it is not.
    #[error("it is listed as an attestation of {wanted}, and its manifest refers to something else")]
    OtherSubject {
        /// The image.
        wanted: String,
    },
    /// Signed with a short-lived certificate, where no identity is trusted, and with no trusted key.
    #[error("signed with a certificate for {identity}, and with no trusted key: no identity is trusted")]
    Keyless {
        /// For whom the certificate is, printable.
        identity: String,
    },
    /// Nothing by which a file could be compared.
    #[error(
        "it names its subjects by {algorithms}, and only sha256, sha384, sha512 and dirHash, in hexadecimal digits, are compared"
    )]
    Incomparable {
        /// The names of algorithms that there are, printable.
        algorithms: String,
    },
    /// The file is no Sigstore bundle.
    #[error("the attestation is malformed")]
    Bundle(#[from] BundleError),
    /// The file is no JSON Lines file of DSSE envelopes.
    #[error("the attestation is malformed")]
    Lines(#[from] LinesError),
    /// Signed by nobody known, or changed after it was signed.
    #[error("{0}")]
    Signature(#[from] SignatureError),
    /// Properly signed, but no statement.
    #[error("the signed payload is malformed")]
    Statement(#[from] InvalidStatement),
    /// Properly signed, but some other kind of claim.
    #[error("the statement's predicate is {found:?}, and {wanted} is asked for")]
    PredicateType {
        /// What it is.
        found: String,
        /// What is accepted, in words.
        wanted: String,
    },
    /// Called provenance, but is none.
    #[error("the signed provenance is malformed")]
    Provenance(#[from] InvalidProvenance),
    /// Authentic, but not what the policy wants.
    #[error("{0}")]
    Policy(#[from] PolicyViolation),
    /// What came with a trusted key's signature is not true.
    #[error(transparent)]
    Evidence(#[from] FalseEvidence),
    /// The certificate that it is signed with, or what came with that, is not true.
    #[error(transparent)]
    Certificate(FalseEvidence),
    /// Another artifact's attestation, or the artifact was changed.
    #[error("its digest {found} is not one that is attested; the attestation is about {about}")]
    OtherArtifact {
        /// The artifact's digest.
        found: String,
        /// Names of the attested subjects.
        about: String,
    },
    /// One artifact's bytes under the name of another.
    #[error("its bytes are attested as {attested:?}, and not under the name {asked:?}")]
    OtherName {
        /// The name in the statement, printable.
        attested: String,
        /// The name that was asked for, printable.
        asked: String,
    },
    /// A directory's attestation, beside a file.
    #[error(
        "the attestation beside it is about the directory {directory:?}, and about no file under this name"
    )]
    OfDirectory {
        /// The attested directory, printable.
        directory: String,
    },
    /// The artifact is not where its attestation says that it is stored.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The key is no plain path, and a directory's attestation speaks of those only.
    #[error(
        "the key {key} has no attestation of its own, and an empty, `.` or `..` part: it is no file of an attested directory"
    )]
    Spelling {
        /// The key, printable.
        key: String,
    },
    /// It lies in more directories than are looked at.
    #[error("the key {key} lies in more than {most} directories, whose attestations are not all looked for")]
    TooDeep {
        /// The key, printable.
        key: String,
        /// Directories that are looked at.
        most: usize,
    },
    /// There is an attestation in more than one place, and none does.
    #[error("{first}; and {others}")]
    InBothPlaces {
        /// Why the one that counts more does not.
        #[source]
        first: Box<Self>,
        /// Which others there are and why they do not, printable.
        others: String,
    },
    /// It is not attested as the file or the directory that it is, and does not stand for one
    /// image that could be attested.
    #[error("{first}; and as an image, {why}")]
    NoImage {
        /// Why it is not attested as what it is.
        #[source]
        first: Box<Self>,
        /// What is wrong with the image, printable.
        why: String,
    },
    /// Which links a directory has is said, and cannot be read.
    #[error("the signed provenance is malformed")]
    Links(#[from] InvalidLinks),
    /// Files of a directory are not as attested.
    #[error("{0}")]
    Differs(Differences),
    /// The attestation beside a parent directory does not speak of this path.
    #[error("the attestation of {directory} does not list {path}")]
    NotListed {
        /// The attested directory.
        directory: String,
        /// The path in it.
        path: RelPath,
    },
    /// Found beside a directory, but it is not about a directory.
    #[error("the attestation beside the parent directory is about {about}, not about a directory")]
    NotADirectory {
        /// Names of the attested subjects.
        about: String,
    },
    /// The statement lists its files in a manifest, which is not there.
    #[error("the manifest that lists the attested files is not there: {0}")]
    NoManifest(String),
    /// It cannot be read, or is not in the manifest's form.
    #[error("the manifest is malformed")]
    Manifest(#[from] ManifestError),
    /// It was changed, or belongs to another attestation.
    #[error("the manifest is not the one that was attested (its digest is {found}, not {wanted})")]
    OtherManifest {
        /// The digest of what was read.
        found: String,
        /// What the statement says.
        wanted: String,
    },
    /// A symbolic link, a device, something that would not hold still.
    #[error("{} cannot be verified: {reason}", entry(path))]
    Unverifiable {
        /// Which entry; the root, if it is all that was asked about.
        path: RelPath,
        /// Why not.
        reason: String,
    },
}

fn entry(path: &RelPath) -> String {
    if path.is_root() { "it".to_owned() } else { path.to_string() }
}

/// Whether a name is that of an attestation's attestation.
fn is_of_attestation(name: &str) -> bool {
    let artifact = name.strip_suffix(".sigstore.json").unwrap_or_default();
    [".sigstore.json", ".intoto.jsonl"].iter().any(|suffix| artifact.ends_with(suffix))
}

impl Rejection {
    /// Whether there is no attestation at all, which a policy may let pass.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::NoAttestation { .. } | Self::Spelling { .. })
    }

    /// Whether it is an answer about what a trusted key signed, or is said to have signed: that the
    /// policy refuses it, or that it was altered. What the same signers said before is then none.
    pub fn is_decisive(&self) -> bool {
        // Whoever has some certificate is nobody yet.
        if let Self::Policy(PolicyViolation::Identity { .. }) = self {
            return false;
        }
        matches!(
            self,
            Self::Policy(_)
                | Self::Evidence(_)
                | Self::Altered { .. }
                | Self::KeyName { .. }
                | Self::Signature(SignatureError::Altered { .. })
        )
    }

    /// Whether nobody's attestation could be read in it.
    pub fn is_malformed(&self) -> bool {
        matches!(self, Self::File(_) | Self::Bundle(_) | Self::Lines(_))
    }
}

/// Places that are told by name: those beside the artifact. Of an artifact in many directories there
/// are so many others that what is to be done would come last.
const TOLD: usize = 5;

fn told(looked_for: &[String]) -> String {
    let named: Vec<_> = looked_for.iter().take(TOLD).map(String::as_str).collect();
    let more = match looked_for.len() - named.len() {
        0 => String::new(),
        1 => ", and in one more place".to_owned(),
        more => format!(", and in {more} more places"),
    };
    named.join(", ") + &more
}

impl Trouble for Rejection {
    fn fault(&self) -> Fault {
        Fault::No
    }

    fn remedy(&self) -> Option<String> {
        let remedy = match self {
            Self::NoAttestation { looked_for } if looked_for.iter().any(|name| is_of_attestation(name)) => {
                "it is called like an attestation: verify the artifact that it is about; argo-attest inspect shows what is in it"
            }
            Self::NoAttestation { .. } => "name the attestation with --bundle FILE",
            Self::Signature(SignatureError::Untrusted { .. }) => {
                "if you trust that signer, get the public key from them, and name it with --key FILE or in the policy"
            }
            Self::NoManifest(_) | Self::OtherManifest { .. } | Self::Manifest(_) => {
                "fetch the manifest that was published beside the attestation"
            }
            Self::File(FileError::NotText(_)) => {
                "write it anew as JSON, text in UTF-8, or name another file with --bundle FILE"
            }
            Self::Signature(_)
            | Self::KeyName { .. }
            | Self::Altered { .. }
            | Self::File(_)
            | Self::Bundle(_)
            | Self::Lines(_) => "fetch the attestation again from where it was published",
            Self::OtherArtifact { .. } | Self::Differs(_) => {
                "these are not the bytes that were attested: fetch them again, or make and attest them anew; or is this another artifact's attestation?"
            }
            Self::NoStatement { .. } => {
                "argo-attest inspect shows what it is; name an attestation with --bundle FILE"
            }
            Self::Keyless { .. } => {
                "if that is whom you trust, say so with --certificate-identity, --certificate-oidc-issuer and --trusted-root, \
                 or in a policy; or name an attestation that a key signed with --bundle FILE"
            }
            Self::Incomparable { .. } => "ask whoever made it for an attestation with sha256 digests",
            Self::PredicateType { found, .. } => {
                return Some(format!(
                    "if that is the claim you want verified, add --type {}",
                    shell_word(found)
                ));
            }
            Self::OtherSubject { .. } => "attest the image anew, and see who may push to its repository",
            Self::OtherName { .. } => {
                "verify it under the name that it is attested by, or name this attestation with --bundle if it is the right one"
            }
            Self::Place(error) => return error.remedy(),
            Self::InBothPlaces { first, .. } | Self::NoImage { first, .. } => return first.remedy(),
            Self::Spelling { .. } => "write the key as it is in the bucket",
            Self::TooDeep { .. } => "attest it by itself, or name its attestation with --bundle FILE",
            Self::NotListed { .. } | Self::NotADirectory { .. } | Self::OfDirectory { .. } => {
                "name the artifact's own attestation with --bundle FILE, if it has one"
            }
            Self::Statement(_) | Self::Provenance(_) | Self::Links(_) => {
                "name an attestation with SLSA provenance with --bundle FILE"
            }
            Self::Unverifiable { .. } => {
                "verify the files that are attested by their own names, or take that entry away"
            }
            Self::Evidence(_) | Self::Certificate(_) => {
                "fetch the attestation again from where it was published; if it stays so, the trusted root is of \
                                  another instance, or somebody changed the attestation"
            }
            Self::Policy(violation) => return Some(violation.remedy()),
        };
        Some(remedy.to_owned())
    }
}
