//! What `argo-attest verify` says of each artifact.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use argo_attest_core::image::ImageReference;
use argo_attest_core::policy::Missing;
use argo_attest_core::relpath::{escaped, printable};
use argo_attest_core::secret::{redacted, shown_path};
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use argo_attest_core::verify::Reason;
use serde::Serialize;

use super::asked::Told;
use super::layout::{Layout, Tone};
use super::totals::Totals;
use super::{Exit, Failure};
use crate::chain::Chain;
use crate::report::{Accepted, ChainJson, chain_failure};
use crate::verify::{CheckError, Checked, reason_of};

/// Why there is no answer, or the answer is no.
pub(super) enum CheckFailure {
    Check(CheckError),
    Other(Failure),
}

impl From<CheckError> for CheckFailure {
    fn from(error: CheckError) -> Self {
        Self::Check(error)
    }
}

/// One artifact's answer; what `-o json` prints of it is documented in `docs/reports.md`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    /// In the form from which its bytes can be had: two names are never one.
    artifact: String,
    /// For people.
    #[serde(skip)]
    name: String,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    accepted: Option<Accepted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<ChainJson>,
    #[serde(skip)]
    why: Option<Reason>,
    #[serde(skip)]
    pub(super) exit: Exit,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Attested,
    Refused,
    /// No attestation, and the policy lets that pass.
    Missing,
    /// It could not be found out.
    Error,
}

impl Answer {
    pub(super) fn new(told: &Told, checked: Result<Checked, CheckFailure>, missing: Missing) -> Self {
        let bytes = told.name.as_os_str().as_bytes();
        // What is there may be called anything; of what is not, the name may be no name.
        let is_there = checked.is_ok() || told.is_found || told.name.symlink_metadata().is_ok();
        let name = if is_there { printable(bytes) } else { shown_path(&told.name) };
        let artifact = if name == printable(bytes) { escaped(bytes) } else { name.clone() };
        let answer = |verdict, exit, why: Option<Reason>, message, remedy| Self {
            artifact: artifact.clone(),
            name: name.clone(),
            verdict,
            reason: why.map(Reason::code),
            message,
            remedy,
            accepted: None,
            chain: None,
            why,
            exit,
        };
        match checked {
            Ok(checked) => Self {
                accepted: Some(Accepted::new(checked, bytes)),
                ..answer(Verdict::Attested, Exit::Done, None, None, None)
            },
            Err(CheckFailure::Check(CheckError::Rejected(no))) => {
                let (verdict, exit) = match missing {
                    Missing::Warn if no.is_missing() => (Verdict::Missing, Exit::Done),
                    _ => (Verdict::Refused, Exit::No),
                };
                answer(verdict, exit, Some(no.reason()), Some(causes(&no)), no.remedy())
            }
            Err(CheckFailure::Check(error)) => {
                let exit = error.fault().into();
                let absent = matches!(error, CheckError::NoArtifact);
                let remedy = if absent { meant(&told.name) } else { None };
                let remedy = remedy.or_else(|| error.remedy());
                answer(Verdict::Error, exit, Some(error.reason()), Some(causes(&error)), remedy)
            }
            Err(CheckFailure::Other(failure)) => {
                let remedy = failure.help().map(str::to_owned);
                let message = redacted(failure.message()).into_owned();
                answer(Verdict::Error, failure.exit(), Some(Reason::Usage), Some(message), remedy)
            }
        }
    }

    /// The same, if the chain holds. The artifact is as attested either way, but who
    /// asks for the chain as well has asked one question.
    pub(super) fn with(mut self, chain: Option<&Chain>) -> Self {
        self.chain = chain.map(ChainJson::from);
        let Some((chain, (message, remedy))) = chain.and_then(|c| Some((c, chain_failure(c)?))) else {
            return self;
        };
        let unknown = chain.broken().and_then(|(_, error)| error.unknown());
        let (verdict, exit, why) = unknown.map_or((Verdict::Refused, Exit::No, Reason::Chain), |e| {
            (Verdict::Error, e.fault().into(), reason_of(e.fault()))
        });
        let (reason, message) = (Some(why.code()), Some(message));
        Self { verdict, exit, reason, why: Some(why), message, remedy, accepted: None, ..self }
    }

    /// Adds it to the counts.
    pub(super) fn count(&self, totals: &mut Totals) {
        match (self.verdict, self.why) {
            (Verdict::Missing, _) => totals.let_pass(),
            (_, Some(why)) => totals.refused(why),
            (_, None) => totals.attested(self.accepted.as_ref().is_some_and(|accepted| accepted.renamed)),
        }
    }

    /// For people: the verdict and what it is about, then why and what to do about it; of what is
    /// attested, `in_full` alone, by whom and as what.
    pub(super) fn text(&self, layout: &Layout, in_full: bool) -> String {
        let (word, tone) = match self.verdict {
            Verdict::Attested => ("attested", Tone::Good),
            Verdict::Refused => ("refused", Tone::Bad),
            Verdict::Missing => ("missing", Tone::Doubtful),
            Verdict::Error => ("error", Tone::Bad),
        };
        let brief = self.accepted.as_ref().filter(|_| !in_full).and_then(Accepted::briefly);
        let mut text = match brief {
            Some(brief) => {
                layout.line(word, tone, &format!("{} ({})", self.name, printable(brief.as_bytes())))
            }
            None => layout.line(word, tone, &self.name),
        };
        let mut beneath = |told: &str| text.push_str(&layout.beneath(&printable(told.as_bytes())));
        if let Some(accepted) = &self.accepted {
            if in_full {
                accepted.told().iter().for_each(|told| beneath(told));
            }
            accepted.beside().for_each(|told| beneath(&told));
        }
        if let (Some(reason), Some(message)) = (self.reason, &self.message) {
            let passes = if self.verdict == Verdict::Missing { " (the policy lets this pass)" } else { "" };
            beneath(&format!("{reason}: {message}{passes}"));
        }
        if let Some(remedy) = self.remedy.as_ref().filter(|_| self.verdict != Verdict::Missing) {
            beneath(&format!("help: {remedy}"));
        }
        text
    }
}

/// What to write for what is not a path, or is one that looks like something else.
fn meant(name: &Path) -> Option<String> {
    let text = name.to_str()?;
    if is_like_a_digest(text) {
        return Some(
            "a digest is written sha256: and 64 hexadecimal digits, and needs --bundle FILE; a path, ./PATH"
                .to_owned(),
        );
    }
    let host = text.split('/').next().filter(|host| host.len() < text.len())?;
    let is_address = host.ends_with(':') && !matches!(host, "s3:" | "oci:")
        || text.starts_with("s3:/") && !text.starts_with("s3://");
    let is_image =
        host.contains([':', '.']) && !host.starts_with('.') && text.parse::<ImageReference>().is_ok();
    (is_address || is_image).then(|| {
        "check the path; an object is written s3://bucket/key, an image oci://registry/repository:tag"
            .to_owned()
    })
}

/// The name of a hash, a colon and digits, few or many.
fn is_like_a_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(hash, digits)| {
        hash.len() >= 3
            && hash.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("sha"))
            && hash.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && digits.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_digest_is_told_how_to_write_it() {
        for odd in ["sha256:abc", "SHA256:", "sha257:00", "sha-256:00", "sha512:0z"] {
            assert!(meant(Path::new(odd)).unwrap().contains("64 hexadecimal digits"), "{odd}");
        }
        for plain in ["sha", "sha256", "shape.txt", "sha256:a/b", "share/x", "x:y", "sh:00"] {
            assert!(!is_like_a_digest(plain), "{plain}");
        }
    }

    #[test]
    fn what_looks_like_an_address_is_told_how_to_write_it() {
        for odd in ["s3:/b/k", "http://x/y", "docker://a/b:1", "127.0.0.1:5000/app:1", "ghcr.io/a/b"] {
            assert!(meant(Path::new(odd)).is_some(), "{odd}");
        }
        for plain in ["a", "a/b", "./a:b/c", "../x", "/abs/x.y/z", "s3://b/k", "oci://a/b"] {
            assert_eq!(meant(Path::new(plain)), None, "{plain}");
        }
    }
}
