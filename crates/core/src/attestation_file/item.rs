//! What can be in a file.

use super::certificate::{CertificateSummary, UnreadableCertificate};
use super::classic::Classic;
use crate::bundle::{Evidence, Unjudged};
use crate::digest::DirHash;
use crate::dsse::{Envelope, OtherPayload};
use crate::intoto::Outline;
use crate::json::Opaque;
use crate::manifest::Reader;

/// One thing that was found.
#[derive(Debug)]
pub struct Item {
    /// Where in the file, in words; empty if it is the whole of it.
    pub at: String,
    /// What it is.
    pub found: Found,
}

/// What it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Found {
    /// An in-toto statement in a DSSE envelope.
    Attestation(Signed<Envelope>),
    /// Something else in a DSSE envelope.
    Other(Signed<OtherPayload>),
    /// The signature of a file, and no statement.
    FileSignature(FileSignature),
    /// A statement that nobody signed.
    Statement(Unsigned),
    /// in-toto's older layout or link, with its signatures.
    Metablock(Metablock),
    /// The list of a directory's files that belongs to an attestation of ours.
    Manifest(Manifest),
}

/// What is signed, and what came with it. None of it is checked.
#[derive(Debug)]
pub struct Signed<T> {
    /// What is signed, with its signatures.
    pub content: T,
    /// How it is carried, in words.
    pub carrier: &'static str,
    /// Who is said to have signed it.
    pub claimed: Vec<Claimed>,
    /// Log entries, timestamps and certificates, as they were read.
    pub evidence: Evidence,
    /// How much of that there is, and of what is with the signatures.
    pub unjudged: Unjudged,
}

/// Who is said to have signed; anybody's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// A key by some name.
    Key(String),
    /// Whoever this certificate is for.
    Certificate(Box<Result<CertificateSummary, UnreadableCertificate>>),
}

/// The signature of a file.
#[derive(Debug)]
pub struct FileSignature {
    /// How it is carried, in words.
    pub carrier: &'static str,
    /// The file's digest, `algorithm:hex`, where it is told.
    pub digest: Option<String>,
    /// Who is said to have signed it.
    pub claimed: Vec<Claimed>,
    /// How much evidence came with it.
    pub unjudged: Unjudged,
}

/// A statement without a signature.
#[derive(Debug)]
pub struct Unsigned {
    /// What it says.
    pub outline: Outline,
    /// All of it, as it was read.
    pub text: Opaque,
}

/// in-toto's older form.
#[derive(Debug)]
pub struct Metablock {
    /// What is signed.
    pub content: Classic,
    /// The names of keys that it claims.
    pub claimed: Vec<Claimed>,
}

/// A list of a directory's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// How many there are.
    pub files: u64,
    /// The digest of the list, which is that of the directory.
    pub hash: DirHash,
}

impl Manifest {
    /// `None` if it is no such list.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        // No JSON begins so.
        bytes.first().filter(|first| first.is_ascii_hexdigit() || **first == b'\\')?;
        let mut reader = Reader::new(bytes);
        let mut files = 0;
        while reader.next_entry().ok()?.is_some() {
            files += 1;
        }
        Some(Self { files, hash: reader.finish().ok()? })
    }
}

impl Found {
    /// Who is said to have signed it.
    pub fn claimed(&self) -> &[Claimed] {
        match self {
            Self::Attestation(signed) => &signed.claimed,
            Self::Other(signed) => &signed.claimed,
            Self::FileSignature(signature) => &signature.claimed,
            Self::Metablock(block) => &block.claimed,
            Self::Statement(_) | Self::Manifest(_) => &[],
        }
    }

    /// Evidence that came with it.
    pub fn unjudged(&self) -> Unjudged {
        match self {
            Self::Attestation(signed) => signed.unjudged,
            Self::Other(signed) => signed.unjudged,
            Self::FileSignature(signature) => signature.unjudged,
            Self::Statement(_) | Self::Metablock(_) | Self::Manifest(_) => Unjudged::default(),
        }
    }

    /// What it is, in words.
    pub fn form(&self) -> &'static str {
        match self {
            Self::Attestation(Signed { carrier, .. }) | Self::Other(Signed { carrier, .. }) => carrier,
            Self::FileSignature(signature) => signature.carrier,
            Self::Statement(_) => "in-toto statement, unsigned",
            Self::Metablock(block) => block.content.form(),
            Self::Manifest(_) => "manifest of a directory's files",
        }
    }

    /// What several of them are, in words.
    pub(super) fn many(&self) -> Option<&'static str> {
        match self.form() {
            "Sigstore bundle" => Some("Sigstore bundles"),
            "DSSE envelope" => Some("DSSE envelopes"),
            _ => None,
        }
    }
}
