//! What the gate says of each input, and of all of them in one line.

use argo_attest_core::bundle::Unjudged;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::input_evidence::{Finding, Record};
use argo_attest_core::intoto::DigestSet;
use argo_attest_core::outcome::MESSAGE_LIMIT;
use argo_attest_core::proof::Proof;
use argo_attest_core::slsa::AttestationRef;
use argo_attest_core::text::{brief, causes};
use argo_attest_core::trouble::Trouble as _;
use argo_attest_core::verify::Signer;

use super::error::InputError;

/// The answer for one input.
#[derive(Debug)]
pub struct Answer {
    /// The artifact's name.
    pub name: String,
    /// The verdict, or why there is none but no.
    pub verdict: Result<Verdict, InputError>,
}

/// Why main may read an input.
#[derive(Debug)]
pub enum Verdict {
    /// Its attestation was accepted for the staged bytes.
    Accepted {
        /// Digests that go on record.
        digest: DigestSet,
        /// The attestation.
        attestation: AttestationRef,
        /// Who signed it.
        signer: Box<Signer>,
        /// The builder that it names.
        builder_id: String,
        /// What others vouch for.
        proof: Box<Proof>,
        /// How much came with the attestation that proved nothing.
        unjudged: Unjudged,
        /// What lies nearer and why it did not do, for people.
        passed_over: Option<String>,
    },
    /// It is a directory whose files were accepted one by one, each with an attestation of
    /// its own.
    AcceptedEach {
        /// Digest of the directory, which goes on record.
        digest: DigestSet,
        /// How many files.
        files: usize,
    },
    /// A git repository at this commit.
    Commit(String),
    /// The text that the template has for it.
    Text(Sha256Digest),
    /// It has no attestation, for this reason, and the policy lets that pass.
    Missing(String),
    /// It is optional, and this is why it is not there.
    Absent(&'static str),
}

impl Answer {
    /// What goes on record; `None` if main must not start.
    pub fn record(&self) -> Option<Record> {
        let (finding, digest, attestation) = match self.verdict.as_ref().ok()? {
            Verdict::Accepted { digest, attestation, .. } => {
                (Finding::Accepted, digest.clone(), Some(attestation.clone()))
            }
            // No one attestation is about the whole: there is none to name.
            Verdict::AcceptedEach { digest, .. } => (Finding::Recorded, digest.clone(), None),
            Verdict::Commit(id) => (Finding::Recorded, DigestSet::git_commit(id).unwrap_or_default(), None),
            Verdict::Text(digest) => (Finding::Recorded, (*digest).into(), None),
            Verdict::Missing(_) => (Finding::Missing, DigestSet::default(), None),
            Verdict::Absent(_) => (Finding::Absent, DigestSet::default(), None),
        };
        Some(Record { name: self.name.clone(), finding, digest, attestation })
    }
}

/// One line of at most [`MESSAGE_LIMIT`] bytes about all inputs: the first that main
/// must not read and why, what to do about it, and which others there are.
pub fn summary(answers: &[Answer]) -> String {
    let mut refused = answers.iter().filter_map(|a| Some((&a.name, a.verdict.as_ref().err()?)));
    let Some((name, error)) = refused.next() else {
        return passed(answers);
    };
    let line = format!("input {:?} is not accepted: {}", brief(name, 200), brief(&causes(error), 1000));
    let help = error.remedy().map(|remedy| format!(" (help: {})", brief(&remedy, 400)));
    let others: Vec<_> = refused.map(|(name, _)| format!("{:?}", brief(name, 200))).collect();
    let others = if others.is_empty() { String::new() } else { format!("; nor are {}", others.join(", ")) };
    brief(&format!("{line}{}{others}", help.unwrap_or_default()), MESSAGE_LIMIT)
}

fn passed(answers: &[Answer]) -> String {
    let of = |is: fn(&Verdict) -> bool| {
        let names = answers.iter().filter(|a| a.verdict.as_ref().is_ok_and(is));
        names.map(|a| format!("{:?}", brief(&a.name, 200))).collect::<Vec<_>>().join(", ")
    };
    let parts = [
        ("accepted", of(|v| matches!(v, Verdict::Accepted { .. }))),
        ("accepted file by file", of_pieces(answers)),
        ("commit recorded", of(|v| matches!(v, Verdict::Commit(_)))),
        ("as the template's text", of(|v| matches!(v, Verdict::Text(_)))),
        ("without attestation, as the policy allows", of(|v| matches!(v, Verdict::Missing(_)))),
        ("not there, and optional", of(|v| matches!(v, Verdict::Absent(_)))),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {names}"))
        .collect();
    brief(&format!("inputs {}", parts.join("; ")), MESSAGE_LIMIT)
}

/// Those whose files were accepted each by itself, and how many that were.
fn of_pieces(answers: &[Answer]) -> String {
    let pieces = answers.iter().filter_map(|answer| match answer.verdict.as_ref().ok()? {
        Verdict::AcceptedEach { files, .. } => Some(format!("{:?} ({files})", brief(&answer.name, 200))),
        _ => None,
    });
    pieces.collect::<Vec<_>>().join(", ")
}
