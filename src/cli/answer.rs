//! What `argo-attest verify` says of each artifact.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use argo_attest_core::policy::Missing;
use argo_attest_core::relpath::printable;
use argo_attest_core::secret::{redacted, shown_path};
use argo_attest_core::slsa::is_own_build_type;
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use jiff::Timestamp;
use serde::Serialize;

use super::{Exit, Failure};
use crate::chain::Chain;
use crate::report::{ChainJson, NotJudged, chain_failure};
use crate::verify::{CheckError, Checked};

/// What is said of an object that the attestation would vouch for in any other place, too.
const UNPLACED: &str = ", not bound to this place: the attestation names none";

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

/// What `--json` prints.
#[derive(Serialize)]
pub(super) struct Answers<'a> {
    pub(super) artifacts: &'a [Answer],
}

/// One artifact's answer; what `--json` prints of it is documented in `docs/reports.md`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    artifact: String,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    accepted: Option<Accepted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<ChainJson>,
    #[serde(skip)]
    pub(super) exit: Exit,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Accepted,
    Rejected,
    /// No attestation, and the policy lets that pass.
    Missing,
    /// It could not be found out.
    Error,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Accepted {
    subject: String,
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
    /// Of an object in a store: whether its attestation binds it to this very place.
    #[serde(skip_serializing_if = "Option::is_none")]
    placed: Option<bool>,
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
    pub(super) fn new(artifact: &Path, checked: Result<Checked, CheckFailure>, missing: Missing) -> Self {
        // What is there may be called anything; of what is not, the name may be no name.
        let artifact = match &checked {
            Err(_) if std::fs::symlink_metadata(artifact).is_err() => shown_path(artifact),
            _ => printable(artifact.as_os_str().as_bytes()),
        };
        let answer = |verdict, exit, reason, remedy| Self {
            artifact: artifact.clone(),
            verdict,
            reason,
            remedy,
            accepted: None,
            chain: None,
            exit,
        };
        match checked {
            Ok(checked) => Self {
                accepted: Some(Accepted::new(checked)),
                ..answer(Verdict::Accepted, Exit::Done, None, None)
            },
            Err(CheckFailure::Check(CheckError::Rejected(no))) => {
                let (verdict, exit) = match missing {
                    Missing::Warn if no.is_missing() => (Verdict::Missing, Exit::Done),
                    _ => (Verdict::Rejected, Exit::No),
                };
                answer(verdict, exit, Some(causes(&no)), no.remedy())
            }
            Err(CheckFailure::Check(error)) => {
                let exit = error.fault().into();
                answer(Verdict::Error, exit, Some(causes(&error)), error.remedy())
            }
            Err(CheckFailure::Other(failure)) => {
                let remedy = failure.help().map(str::to_owned);
                let reason = redacted(failure.message()).into_owned();
                answer(Verdict::Error, failure.exit(), Some(reason), remedy)
            }
        }
    }

    /// The same, if the chain holds. The artifact is as attested either way, but who
    /// asks for the chain as well has asked one question.
    pub(super) fn with(mut self, chain: Option<&Chain>) -> Self {
        self.chain = chain.map(ChainJson::from);
        let Some((chain, (reason, remedy))) = chain.and_then(|c| Some((c, chain_failure(c)?))) else {
            return self;
        };
        let store = chain.broken().and_then(|(_, error)| error.store());
        let (verdict, exit) =
            store.map_or((Verdict::Rejected, Exit::No), |e| (Verdict::Error, e.fault().into()));
        Self { verdict, exit, reason: Some(reason), remedy, accepted: None, ..self }
    }

    /// The one line for people, and on a second what to do, or what was not judged.
    pub(super) fn line(&self) -> String {
        let reason = printable(self.reason.as_deref().unwrap_or_default().as_bytes());
        let help = self.remedy.as_ref().map(|r| format!("  help: {}\n", printable(r.as_bytes())));
        let help = help.unwrap_or_default();
        match (&self.accepted, self.verdict) {
            (Some(a), _) => format!(
                "accepted  {}  {}  {}signed with {} ({}), {}{}\n{}{}",
                self.artifact,
                a.digest,
                a.name(),
                printable(a.key.as_bytes()),
                a.key_id,
                a.claim(),
                if a.placed == Some(false) { UNPLACED } else { "" },
                a.passed_over
                    .as_ref()
                    .map(|told| format!("  {}\n", printable(told.as_bytes())))
                    .unwrap_or_default(),
                a.not_judged.map(|not| format!("  {}\n", not.text())).unwrap_or_default()
            ),
            (None, Verdict::Missing) => {
                format!("missing   {}: {reason} (the policy lets this pass)\n", self.artifact)
            }
            (None, Verdict::Error) => format!("error     {}: {reason}\n{help}", self.artifact),
            (None, _) => format!("rejected  {}: {reason}\n{help}", self.artifact),
        }
    }
}

impl Accepted {
    fn new(checked: Checked) -> Self {
        let Checked { statement: verified, origin: attestation, placed, unjudged, passed_over } = checked;
        let provenance = verified.provenance();
        Self {
            placed,
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
            finished_on: provenance.and_then(|p| p.run_details.metadata.finished_on),
        }
    }

    /// Under which name it is attested, if under any.
    fn name(&self) -> String {
        if self.subject.is_empty() {
            String::new()
        } else {
            format!("as {}, ", printable(self.subject.as_bytes()))
        }
    }

    /// What is claimed of it: who built it, or what else was asked for. The build type of others
    /// says what their builder's words mean.
    fn claim(&self) -> String {
        let shown = |text: &str| printable(text.as_bytes());
        match (&self.builder_id, &self.build_type) {
            (Some(builder), Some(kind)) if !is_own_build_type(kind) => {
                format!("builder {}, build type {}", shown(builder), shown(kind))
            }
            (Some(builder), _) => format!("builder {}", shown(builder)),
            (None, _) => format!("predicate {}", shown(&self.predicate_type)),
        }
    }
}
