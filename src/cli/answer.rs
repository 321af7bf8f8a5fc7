//! What `argo-attest verify` says of each artifact.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use argo_attest_core::image::ImageReference;
use argo_attest_core::image::layout::Only;
use argo_attest_core::policy::Missing;
use argo_attest_core::relpath::{escaped, printable};
use argo_attest_core::secret::{redacted, shown_path};
use argo_attest_core::slsa::{Provenance, is_own_build_type};
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use argo_attest_core::verify::{KnownAs, Reason};
use jiff::Timestamp;
use serde::Serialize;

use super::asked::Told;
use super::layout::{Layout, Tone};
use super::totals::Totals;
use super::{Exit, Failure};
use crate::chain::Chain;
use crate::report::{ChainJson, NotJudged, chain_failure};
use crate::verify::{CheckError, Checked, reason_of};

/// What is said of an object that the attestation would vouch for in any other place, too.
const UNPLACED: &str = ", not bound to this place: the attestation names none";

/// The same in a list.
const UNPLACED_BRIEFLY: &str = "not bound to this place";

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

/// By what an image is known that was accepted.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Image {
    Manifest,
    Config,
}

impl From<Only> for Image {
    fn from(only: Only) -> Self {
        match only {
            Only::Manifest(_) => Self::Manifest,
            Only::Config(_) => Self::Config,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Accepted {
    subject: String,
    /// It is called otherwise where it is, and nothing binds it to its place.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    renamed: bool,
    digest: String,
    files: u64,
    attestation: String,
    key: String,
    key_id: String,
    predicate_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    builder_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invocation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<String>,
    /// The one commit that went in, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    /// How the working tree was that this commit was checked out to, if the statement says.
    #[serde(skip_serializing_if = "Option::is_none")]
    work_tree: Option<String>,
    /// Of an object in a store: whether its attestation binds it to this very place.
    #[serde(skip_serializing_if = "Option::is_none")]
    placed: Option<bool>,
    /// Of a directory or a tar that is accepted for the image that it holds: what of the image
    /// `digest` is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Image>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_on: Option<Timestamp>,
    /// Evidence that came with the attestation, and that it was not accepted for.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_judged: Option<NotJudged>,
    /// Attestations that were looked at first, and why they did not do.
    #[serde(skip_serializing_if = "Option::is_none")]
    passed_over: Option<String>,
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
        let store = chain.broken().and_then(|(_, error)| error.store());
        let (verdict, exit, why) = store.map_or((Verdict::Refused, Exit::No, Reason::Chain), |e| {
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
            accepted.passed_over.iter().for_each(|told| beneath(told));
            accepted.not_judged.iter().for_each(|not| beneath(&not.text()));
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

impl Accepted {
    fn new(checked: Checked, name: &[u8]) -> Self {
        let Checked { statement: verified, origin: attestation, placed, image, unjudged, passed_over } =
            checked;
        let provenance = verified.provenance();
        Self {
            placed,
            renamed: is_renamed(verified.subject(), name) && placed != Some(true) && image.is_none(),
            image: image.map(Image::from),
            not_judged: NotJudged::new(unjudged),
            passed_over: passed_over.told(),
            subject: verified.subject().to_owned(),
            digest: verified.digest().to_owned(),
            files: verified.files(),
            attestation,
            key: verified.signer().name.clone(),
            key_id: verified.signer().id.to_string(),
            predicate_type: verified.statement().predicate_type().to_owned(),
            builder_id: provenance.map(|p| p.run_details.builder.id.clone()),
            build_type: provenance.map(|p| p.build_definition.build_type.clone()),
            invocation_id: provenance.map(|p| p.run_details.metadata.invocation_id.clone()),
            workflow: parameter(provenance, "workflow", "name"),
            namespace: parameter(provenance, "workflow", "namespace"),
            template: parameter(provenance, "template", "name"),
            commit: provenance.and_then(commit),
            work_tree: provenance.and_then(work_tree),
            finished_on: provenance.and_then(|p| p.run_details.metadata.finished_on),
        }
    }

    /// What is not to be missed in a list.
    fn briefly(&self) -> Option<String> {
        let name = self.renamed.then(|| format!("as {}", self.subject));
        let place = (self.placed == Some(false)).then(|| UNPLACED_BRIEFLY.to_owned());
        let told: Vec<_> = [name, place].into_iter().flatten().collect();
        Some(told.join(", ")).filter(|told| !told.is_empty())
    }

    /// By whom it is attested, as what, and of which bytes.
    fn told(&self) -> [String; 2] {
        let name = match self.subject.as_str() {
            "" => String::new(),
            name => format!("as {name}, "),
        };
        let place = if self.placed == Some(false) { UNPLACED } else { "" };
        [
            format!("{name}signed with {} ({}), {}{place}", self.key, self.key_id, self.claim()),
            match self.image {
                Some(Image::Manifest) => format!("the image with the manifest {}", self.digest),
                Some(Image::Config) => format!("the image with the configuration {}", self.digest),
                None => self.digest.clone(),
            },
        ]
    }

    /// What is claimed of it: who built it, or what else was asked for. The build type of others
    /// says what their builder's words mean.
    fn claim(&self) -> String {
        match (&self.builder_id, &self.build_type) {
            (Some(builder), Some(kind)) if !is_own_build_type(kind) => {
                format!("builder {builder}, build type {kind}")
            }
            (Some(builder), _) => format!("builder {builder}"),
            (None, _) => format!("predicate {}", self.predicate_type),
        }
    }
}

/// What to write for what is not a path, or is one that looks like something else.
fn meant(name: &Path) -> Option<String> {
    let text = name.to_str()?;
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

/// Whether it is attested by another name than it has: whoever can rename files can swap two.
fn is_renamed(subject: &str, name: &[u8]) -> bool {
    let name = name.strip_suffix(b"/").unwrap_or(name);
    !subject.is_empty() && !name.starts_with(b"oci://") && !KnownAs::new(name).ends_with(subject)
}

fn parameter(provenance: Option<&Provenance>, object: &str, field: &str) -> Option<String> {
    let parameters = &provenance?.build_definition.external_parameters;
    parameters.get(object)?.get(field)?.as_str().map(str::to_owned)
}

/// What the statement says of the working tree of the one checkout that went in.
fn work_tree(provenance: &Provenance) -> Option<String> {
    commit(provenance)?;
    let dependencies = provenance.build_definition.resolved_dependencies.iter();
    let mut told = dependencies.filter_map(|dependency| dependency.annotations.get("workTree")?.as_str());
    told.next().map(str::to_owned)
}

/// The git commit among what went in; none where there are several.
fn commit(provenance: &Provenance) -> Option<String> {
    let dependencies = provenance.build_definition.resolved_dependencies.iter();
    let digests = dependencies.flat_map(|dependency| dependency.digest.iter());
    let mut commits = digests.filter(|(algorithm, _)| *algorithm == "gitCommit").map(|(_, commit)| commit);
    let first = commits.next()?;
    commits.all(|other| other == first).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_an_address_is_told_how_to_write_it() {
        for odd in ["s3:/b/k", "http://x/y", "docker://a/b:1", "127.0.0.1:5000/app:1", "ghcr.io/a/b"] {
            assert!(meant(Path::new(odd)).is_some(), "{odd}");
        }
        for plain in ["a", "a/b", "./a:b/c", "../x", "/abs/x.y/z", "s3://b/k", "oci://a/b"] {
            assert_eq!(meant(Path::new(plain)), None, "{plain}");
        }
    }

    #[test]
    fn whoever_renamed_it_is_told() {
        for (subject, name, renamed) in [
            ("a", "x/a", false),
            ("x/a", "y/x/a", false),
            ("a", "b", true),
            ("out", "out/", false),
            ("a%25b", "a%b", false),
            ("", "b", false),
        ] {
            assert_eq!(is_renamed(subject, name.as_bytes()), renamed, "{subject} {name}");
        }
    }
}
