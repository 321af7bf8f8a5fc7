//! `audit --vsa` and `--signed-report`: what an auditor signs.

use std::path::{Path, PathBuf};

use argo_attest_core::audit::{AuditReport, Narrowing, Output as Final, Phase, Totals};
use argo_attest_core::consulted::Consulted;
use argo_attest_core::contract::variable;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::intoto::{MAX_SUBJECTS, ResourceDescriptor};
use argo_attest_core::policy::Policy;
use argo_attest_core::secret::shown;
use argo_attest_core::summary::{AuditVerification, VerificationSummary};
use clap::Args;
use jiff::Timestamp;

use super::super::new_file::NewFile;
use super::super::summary::{public, put, signer};
use super::super::{Exit, Failure, tell};
use super::also::Gathered;
use super::{Output, workflows};
use crate::attest::Attestor;
use crate::document::DocumentName;
use crate::signer::{Signer, SigningKey};
use crate::store::ProcessEnv;

/// What the program is called in what it signs.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Options of all that is signed.
#[derive(Debug, Args)]
pub(super) struct SignedArgs {
    /// Write a SLSA verification summary of the workflow's final outputs, which says whether anything is
    /// missing: a signed DSSE envelope or, under a name that ends in .sigstore.json, a Sigstore bundle
    #[arg(long, value_name = "FILE", env = variable::VSA, requires_all = ["vsa_key", "vsa_verifier_id"])]
    vsa: Option<PathBuf>,
    /// Write a signed statement of the audit, about the report and the page: a DSSE
    /// envelope or, under a name that ends in .sigstore.json, a Sigstore bundle
    #[arg(
        long,
        value_name = "FILE",
        env = variable::SIGNED_REPORT,
        requires_all = ["vsa_key", "vsa_verifier_id"],
        conflicts_with = "quiet"
    )]
    signed_report: Option<PathBuf>,
    #[arg(
        long,
        help = "Verifier's private key, which signs these: a file in PEM, env://NAME for a variable, hashivault://NAME, awskms:///ID or, where it is built in, pkcs11:URI",
        value_name = "FILE",
        env = variable::VSA_KEY,
        value_parser = super::super::signing_key()
    )]
    vsa_key: Option<SigningKey>,
    /// Under which id the verifier is known
    #[arg(long, value_name = "URI", env = variable::VSA_VERIFIER_ID, value_parser = super::super::builder_id)]
    vsa_verifier_id: Option<String>,
    #[arg(
        long,
        help = "What the summary is of [default: the workflow, as argo://NAMESPACE/NAME]",
        value_name = "URI", env = variable::VSA_RESOURCE_URI,
        value_parser = super::super::builder_id
    )]
    vsa_resource_uri: Option<String>,
}

/// What will be signed, when all is found.
pub(super) struct Signing {
    vsa: Option<NewFile>,
    report: Option<NewFile>,
    signer: Box<dyn Signer>,
    verifier: String,
    resource: Option<String>,
    policy: Option<Consulted>,
    form: Output,
}

/// What an audit was of, and by what it was made.
pub(super) struct Made<'a> {
    pub(super) policy: &'a Policy,
    pub(super) at: Timestamp,
    pub(super) places: &'a [PathBuf],
    pub(super) narrowing: &'a Narrowing,
    /// The page's name, and its digest.
    pub(super) page: Option<(String, Sha256Digest)>,
}

impl SignedArgs {
    /// The option by which something is to be signed, if anything is.
    pub(super) fn asked(&self) -> Option<&'static str> {
        if self.vsa.is_some() {
            Some("--vsa")
        } else {
            self.signed_report.as_ref().map(|_| "--signed-report")
        }
    }

    /// Whether a summary is to be signed.
    pub(super) fn has_summary(&self) -> bool {
        self.vsa.is_some()
    }

    /// Opens the key and looks at the files' places, so that nothing is audited in vain; `None` if
    /// nothing is to be signed.
    pub(super) async fn open(
        &self,
        policy: Option<(&DocumentName, Sha256Digest)>,
        (runs, has_page, form): (usize, bool, Output),
    ) -> Result<Option<Signing>, Failure> {
        let Self { vsa, signed_report, vsa_key, vsa_verifier_id, vsa_resource_uri } = self;
        let (Some(key), Some(verifier)) = (vsa_key, vsa_verifier_id) else { return Ok(None) };
        if vsa.is_none() && signed_report.is_none() {
            return Ok(None);
        }
        if vsa.is_some() && policy.is_none() {
            let message = "a summary says by which policy the outputs passed, and none is named";
            return Err(Failure::new(Exit::Usage, message).remedy("name it with --policy FILE"));
        }
        if vsa.is_some() && runs != 1 {
            let message = format!("a summary is about the outputs of one workflow, and there are {runs}");
            return Err(Failure::new(Exit::Usage, message).remedy("audit them one by one: -f WORKFLOW.json"));
        }
        if signed_report.is_some() && form == Output::Text && !has_page {
            let message = "a signed report is about one that programs can read, or about a page";
            return Err(Failure::new(Exit::Usage, message).remedy("ask for it: -o json, or --html FILE"));
        }
        let named = |path: &Option<PathBuf>, what, option| {
            let file = path.as_deref().map(|path| NewFile::named(path, what, option)).transpose()?;
            file.as_ref().map_or(Ok(()), NewFile::check)?;
            Ok::<_, Failure>(file)
        };
        let vsa = named(vsa, "summary", "--vsa")?;
        let report = named(signed_report, "signed report", "--signed-report")?;
        let signer = signer(key).await?;
        let policy = policy.map(|(name, digest)| {
            Ok::<_, Failure>(Consulted::new(public(&name.open(&ProcessEnv)?.to_string()), digest))
        });
        Ok(Some(Signing {
            vsa,
            report,
            signer,
            verifier: verifier.clone(),
            resource: vsa_resource_uri.clone(),
            policy: policy.transpose()?,
            form,
        }))
    }
}

impl Signing {
    /// Signs and writes what was asked for.
    pub(super) async fn write(self, found: Gathered, totals: &Totals, made: Made<'_>) -> Result<(), Failure> {
        self.report(&found, totals, &made).await?;
        self.summary(&found, totals, &made).await
    }

    async fn summary(&self, found: &Gathered, totals: &Totals, made: &Made<'_>) -> Result<(), Failure> {
        let (Some(file), Some(policy), [run]) = (&self.vsa, &self.policy, found.report.workflows()) else {
            return Ok(());
        };
        let subjects: Vec<_> = found.outputs.last().iter().map(Final::descriptor).collect();
        if subjects.is_empty() {
            return Err(Failure::new(
                Exit::No,
                "no summary is written: no final output of the workflow is attested",
            ));
        }
        if subjects.len() > MAX_SUBJECTS {
            let message =
                format!("a summary can be about {MAX_SUBJECTS} outputs, and there are {}", subjects.len());
            return Err(Failure::new(Exit::Data, message)
                .remedy("verify them one by one, each with a --vsa of its own"));
        }
        let levels: Option<Vec<_>> =
            found.outputs.builders().map(|builder| made.policy.level(builder?)).collect();
        let resource =
            self.resource.clone().unwrap_or_else(|| format!("argo://{}/{}", run.namespace, run.name));
        let summary = VerificationSummary::of_audit(
            totals,
            AuditVerification {
                verifier: self.verifier.clone(),
                at: made.at,
                resource,
                policy: policy.clone(),
                attestations: found
                    .outputs
                    .attestations()
                    .map(|(uri, digest)| Consulted::new(public(uri), digest))
                    .collect(),
                level: levels.and_then(|levels| levels.into_iter().min()),
                has_succeeded: run.phase == Phase::Succeeded.to_string(),
            },
        );
        if !summary.has_passed() {
            tell("the summary says FAILED: not all was verified, or the workflow did not succeed\n");
        }
        let bundle = Attestor::new(self.signer.as_ref()).summarise("the outputs", &subjects, &summary).await;
        put(file, bundle.map_err(|e| Failure::from(&e))?)
    }

    async fn report(&self, found: &Gathered, totals: &Totals, made: &Made<'_>) -> Result<(), Failure> {
        let Some(file) = &self.report else { return Ok(()) };
        let name = match self.form {
            Output::Text => None,
            Output::Json => Some("audit.json"),
            Output::Csv => Some("audit.csv"),
            Output::Junit => Some("audit.xml"),
        };
        let printed = name.map(|name| ResourceDescriptor::named(name, found.printed()));
        let page = made.page.as_ref().map(|(name, digest)| ResourceDescriptor::named(name.clone(), *digest));
        let subjects: Vec<_> = printed.into_iter().chain(page).collect();
        let is_public = |place: &&str| workflows::is_in_cluster(Path::new(place)) || public(place).is_some();
        let places = made.places.iter().filter_map(|place| place.to_str()).filter(is_public);
        let places = places.map(|place| shown(place.as_bytes())).collect();
        let keys = match &self.policy {
            Some(_) => Vec::new(),
            None => made.policy.keys().iter().map(|key| key.key.key_id().to_string()).collect(),
        };
        let report = AuditReport::new(self.verifier.clone(), VERSION, made.at)
            .trusting(self.policy.clone(), keys)
            .about(places, made.narrowing.clone())
            .found(totals, &found.outputs.last(), &found.report);
        let bundle =
            Attestor::new(self.signer.as_ref()).vouch_for_audit("the report", &subjects, &report).await;
        put(file, bundle.map_err(|e| Failure::from(&e))?)
    }
}
