//! What the gate says of each input, and of all of them in one line.

use argo_attest_core::bundle::Unjudged;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::input_evidence::{Finding, ImageRecord, Record};
use argo_attest_core::intoto::DigestSet;
use argo_attest_core::outcome::MESSAGE_LIMIT;
use argo_attest_core::proof::Proof;
use argo_attest_core::slsa::AttestationRef;
use argo_attest_core::text::{brief, causes};
use argo_attest_core::trouble::Trouble as _;
use argo_attest_core::verify::Signer;

use super::error::InputError;
use super::images;
use crate::telemetry::Span;

/// What an answer is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An input artifact.
    Input,
    /// The image of a container, as the pod names it.
    Image(String),
}

/// The answer for one input, or for the image of one container.
#[derive(Debug)]
pub struct Answer {
    /// Which of the two.
    pub subject: Subject,
    /// The artifact's name, or the container's.
    pub name: String,
    /// The verdict, or why there is none but no.
    pub verdict: Result<Verdict, InputError>,
}

/// Why main may read an input, or be started from an image.
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

impl Verdict {
    /// The word for it, for programs.
    fn word(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::AcceptedEach { .. } => "accepted-each",
            Self::Commit(_) | Self::Text(_) => "recorded",
            Self::Missing(_) => "missing",
            Self::Absent(_) => "absent",
        }
    }
}

impl Answer {
    fn told(&self) -> String {
        let name = brief(&self.name, 200);
        match &self.subject {
            Subject::Input => format!("input {name:?}"),
            Subject::Image(_) => format!("the image of container {name:?}"),
        }
    }

    /// What can be done where main must not start, if that is known.
    pub fn remedy(&self) -> Option<String> {
        let error = self.verdict.as_ref().err()?;
        match self.subject {
            Subject::Input => error.remedy(),
            Subject::Image(_) => images::remedy(error),
        }
    }

    /// What goes on record of an image; `None` if this is of none, or if main must not start.
    pub fn image_record(&self) -> Option<ImageRecord> {
        let Subject::Image(image) = &self.subject else { return None };
        Some(ImageRecord { image: image.clone(), found: self.found()? })
    }

    /// What goes on record of an input; `None` if this is of none, or if main must not start.
    pub fn record(&self) -> Option<Record> {
        if self.subject == Subject::Input { self.found() } else { None }
    }

    fn found(&self) -> Option<Record> {
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

/// What came of the question, beside its span.
pub(super) fn trace(span: &Span, what: &'static str, answer: &Answer) {
    span.say(what, answer.name.as_str());
    span.say("argo_attest.verdict", answer.verdict.as_ref().map_or("refused", Verdict::word));
    if let Err(error) = &answer.verdict {
        span.say("argo_attest.reason", error.reason().code());
        span.fail(&causes(error));
    }
}

/// One line of at most [`MESSAGE_LIMIT`] bytes about all inputs and images: the first that main
/// must not read or run and why, what to do about it, and which others there are.
pub fn summary(answers: &[Answer]) -> String {
    let mut refused = answers.iter().filter_map(|a| Some((a, a.verdict.as_ref().err()?)));
    let Some((first, error)) = refused.next() else {
        return passed(answers);
    };
    let line = format!("{} is not accepted: {}", first.told(), brief(&causes(error), 1000));
    let help = first.remedy().map(|remedy| format!(" (help: {})", brief(&remedy, 400)));
    let others: Vec<_> = refused
        .map(|(other, _)| {
            let same = matches!(other.subject, Subject::Input) == matches!(first.subject, Subject::Input);
            if same { format!("{:?}", brief(&other.name, 200)) } else { other.told() }
        })
        .collect();
    let others = if others.is_empty() { String::new() } else { format!("; nor are {}", others.join(", ")) };
    brief(&format!("{line}{}{others}", help.unwrap_or_default()), MESSAGE_LIMIT)
}

fn passed(answers: &[Answer]) -> String {
    let (inputs, images): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.subject == Subject::Input);
    let each = [("inputs", inputs), ("images", images)].into_iter().filter(|(_, of)| !of.is_empty());
    let each = each.map(|(what, of)| format!("{what} {}", passed_of(&of)));
    brief(&each.collect::<Vec<_>>().join("; "), MESSAGE_LIMIT)
}

fn passed_of(answers: &[&Answer]) -> String {
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
    parts.join("; ")
}

/// Those whose files were accepted each by itself, and how many that were.
fn of_pieces(answers: &[&Answer]) -> String {
    let pieces = answers.iter().filter_map(|answer| match answer.verdict.as_ref().ok()? {
        Verdict::AcceptedEach { files, .. } => Some(format!("{:?} ({files})", brief(&answer.name, 200))),
        _ => None,
    });
    pieces.collect::<Vec<_>>().join(", ")
}
