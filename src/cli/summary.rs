//! `argo-attest verify --vsa`: what was verified, signed by the verifier, for those who trust that one
//! and not each builder. <https://slsa.dev/spec/v1.2/verification_summary>

use std::path::PathBuf;

use argo_attest_core::bundle::Bundle;
use argo_attest_core::consulted::Consulted;
use argo_attest_core::contract::variable;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::policy::Policy;
use argo_attest_core::summary::{Verification, VerificationSummary};
use argo_attest_core::verify::VerifiedStatement;
use clap::Args;
use jiff::Timestamp;

use super::asked::Asked;
use super::new_file::NewFile;
use super::verify::SCHEME;
use super::{Exit, Failure, protected};
use crate::attest::Attestor;
use crate::attestations::is_first_form;
use crate::document::DocumentName;
use crate::signer::{Opening, Signer, SigningKey};
use crate::store::ProcessEnv;
use crate::verify::Checked;

/// What a name begins with that means the same to others.
const PUBLIC: [&str; 2] = [SCHEME, "oci://"];

/// Options of a summary.
#[derive(Debug, Args)]
pub(super) struct SummaryArgs {
    /// Write a SLSA verification summary of the artifact if it is accepted: a signed DSSE envelope or,
    /// under a name that ends in .sigstore.json, a Sigstore bundle
    #[arg(
        long,
        value_name = "FILE",
        env = variable::VSA,
        requires_all = ["vsa_key", "vsa_verifier_id"],
        conflicts_with_all = ["outcome", "wanted"]
    )]
    pub(super) vsa: Option<PathBuf>,
    #[arg(
        long,
        help = "Verifier's private key, which signs the summary: a file in PEM, env://NAME for a variable, hashivault://NAME, awskms:///ID or, where it is built in, pkcs11:URI",
        value_name = "FILE",
        env = variable::VSA_KEY,
        value_parser = super::signing_key()
    )]
    vsa_key: Option<SigningKey>,
    /// Under which id the verifier is known
    #[arg(long, value_name = "URI", env = variable::VSA_VERIFIER_ID, value_parser = super::builder_id)]
    vsa_verifier_id: Option<String>,
    /// What the artifact is called where it is taken from [default: its s3:// or oci:// name]
    #[arg(long, value_name = "URI", env = variable::VSA_RESOURCE_URI, value_parser = super::builder_id)]
    vsa_resource_uri: Option<String>,
}

/// One that will be written, if the artifact is accepted.
pub(super) struct Summariser {
    file: NewFile,
    signer: Box<dyn Signer>,
    verifier: String,
    resource: Option<String>,
    policy: Consulted,
}

/// The same, of one artifact.
pub(super) struct Summary {
    by: Summariser,
    resource: String,
}

/// What an accepted artifact leaves for a summary.
pub(super) struct Verified {
    statement: VerifiedStatement,
    attestation: Consulted,
}

impl Verified {
    /// Of one that was accepted.
    pub(super) fn of(checked: &Checked) -> Self {
        let attestation = Consulted::new(public(&checked.origin), checked.file);
        Self { statement: checked.statement.clone(), attestation }
    }
}

impl SummaryArgs {
    /// Opens the key, so that nothing is verified in vain; `None` if no summary is asked for.
    pub(super) async fn open(
        &self,
        policy: Option<&DocumentName>,
        digest: Option<Sha256Digest>,
    ) -> Result<Option<Summariser>, Failure> {
        let Self { vsa, vsa_key, vsa_verifier_id, vsa_resource_uri } = self;
        let (Some(file), Some(key), Some(verifier)) = (vsa, vsa_key, vsa_verifier_id) else {
            return Ok(None);
        };
        let (Some(policy), Some(digest)) = (policy, digest) else {
            return Err(Failure::new(
                Exit::Usage,
                "a summary says by which policy the artifact passed, and none is named",
            )
            .remedy("name it with --policy FILE"));
        };
        let file = NewFile::named(file, "summary", "--vsa")?;
        let signer = signer(key).await?;
        let policy = Consulted::new(public(&policy.open(&ProcessEnv)?.to_string()), digest);
        Ok(Some(Summariser {
            file,
            signer,
            verifier: verifier.clone(),
            resource: vsa_resource_uri.clone(),
            policy,
        }))
    }
}

impl Summariser {
    /// The summary of the one artifact that is asked about.
    ///
    /// Errors: a usage failure if there are several, or if it is known by a path and nobody said what
    /// others call it.
    pub(super) fn about(self, artifacts: &[Asked]) -> Result<Summary, Failure> {
        let [Asked { told, .. }] = artifacts else {
            return Err(Failure::new(Exit::Usage, "a summary is about one artifact, and there are several")
                .remedy("verify them one by one, each with a --vsa of its own"));
        };
        let named = || public(told.name.to_str()?);
        let resource = self.resource.clone().or_else(named).ok_or_else(|| {
            Failure::new(Exit::Usage, "a path says nothing to whoever reads a summary elsewhere")
                .remedy("say where the artifact is taken from: --vsa-resource-uri URI")
        })?;
        Ok(Summary { by: self, resource })
    }
}

impl Summary {
    /// Signs it, and writes it.
    pub(super) async fn write(
        self,
        verified: Verified,
        policy: &Policy,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let (Self { by, resource }, Verified { statement, attestation }) = (self, verified);
        let builder = statement.provenance().map(|provenance| provenance.run_details.builder.id.as_str());
        let level = builder.and_then(|builder| policy.level(builder));
        let about = statement.subject();
        let Summariser { file, signer, verifier, policy, .. } = by;
        let verification = Verification { verifier, at, resource, policy, attestation, level };
        let summary = VerificationSummary::passed(&statement, verification);
        let (subject, summary) = summary;
        let bundle = Attestor::new(signer.as_ref()).summarise(about, &[subject], &summary).await;
        put(&file, bundle.map_err(|e| Failure::from(&e))?)
    }
}

/// Opens a verifier's key, which from then on nobody else may read.
pub(super) async fn signer(key: &SigningKey) -> Result<Box<dyn Signer>, Failure> {
    protected::close_memory();
    protected::check(key, &[])?;
    let opening = Opening::new(&ProcessEnv).at_command_line();
    key.signer(&opening).await.map_err(|e| Failure::from(&e))
}

/// Writes what was signed, in the form that its name says.
pub(super) fn put(file: &NewFile, bundle: Bundle) -> Result<(), Failure> {
    let is_bundle = file.path().to_str().is_some_and(is_first_form);
    file.put(&if is_bundle { bundle.to_json() } else { bundle.into_envelope().to_json() })
}

/// A name that means the same to others.
pub(super) fn public(name: &str) -> Option<String> {
    PUBLIC.iter().any(|scheme| name.starts_with(scheme)).then(|| name.to_owned())
}
