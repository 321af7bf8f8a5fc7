//! `argo-attest verify`.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argo_attest_core::contract::variable;
use argo_attest_core::policy::{IdentityPattern, TrustedIdentity};
use argo_attest_core::slsa::Provenance;
use argo_attest_core::text::brief;
use argo_attest_core::verify::{VerifiedStatement, Wanted};
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use futures_util::stream::StreamExt as _;
use jiff::Timestamp;

use super::answer::{Answer, CheckFailure};
use super::asked::{self, All, Asked, Naming, Told};
use super::images::{ImageArgs, RegistryArgs};
use super::layout::Layout;
use super::progress::Bar;
use super::summary::{SummaryArgs, Verified};
use super::totals::{self, Totals};
use super::trusted::{Trusted, Trusting, input_once, trusted};
use super::{Exit, Failure, print, print_json_line, tell, workers};
use crate::attestations::{MAX_ATTESTATION, NamedAttestation};
use crate::chain::{self, Buckets, Limits};
use crate::document::DocumentName;
use crate::observe::NoProgress;
use crate::report::chain_text;
use crate::signer::KeySource;
use crate::store::ProcessEnv;
use crate::verify::{Artifact, BoundedChecker, Checked, Checker, Large, Orphan, unless_absent};

/// What the name of an object begins with.
pub(super) const SCHEME: &str = "s3://";

const EXAMPLE: &str = "\
Examples:
  argo-attest verify out
  argo-attest verify --key ci.pub --builder-id https://ci.example.com/argo app.tar.gz
  argo-attest verify --policy policy.yaml s3://artifacts/build-7/app.tgz
  argo-attest verify --policy policy.yaml -o json s3://artifacts/build-7/
  argo-attest verify --policy policy.yaml oci://registry.example.com/app:1.2
  argo-attest verify --policy policy.yaml --chain s3://artifacts/build-7/app.tgz
  argo-attest verify --key their.pub --type spdx --bundle sbom.intoto.jsonl app.tar.gz
  argo-attest verify --key ci.pub --outcome s3://artifacts/build-7/outcome.sigstore.json

The attestation of X is X.sigstore.json or, if that one is not accepted, X.intoto.jsonl; if there
is neither, the same two beside each directory that X is in. --bundle names another. With --type,
what a step left as that is looked at before: X.predicate-TYPE.sigstore.json and .intoto.jsonl.
Of an s3:// object each of them may also lie beneath .attestations/ of its bucket. Attestations of
other tools are accepted, too, if a key signed them: Sigstore bundles, DSSE envelopes, what
registries serve.";

/// Verifies artifacts against their attestations
///
/// Each ARTIFACT is a file, a directory, an s3:// object or an oci:// image. It is accepted if its attestation was
/// signed by a trusted key, says what the policy wants, and is about exactly these bytes. Works
/// offline. Without --key and --policy only your own key is trusted.
///
/// A directory that has an attestation is one artifact. Of another one each file is an artifact, if
/// there is an attestation beneath it; so is each object beneath an s3:// prefix, which ends in a
/// slash. Totals go to standard error.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct VerifyArgs {
    #[arg(
        long,
        value_name = "FILE.pub",
        env = variable::PUBLIC_KEY,
        conflicts_with = "policy",
        value_parser = super::key_source(),
        help = "Public key to trust, SPKI PEM: a file, or env://NAME for a variable; can be given several times"
    )]
    key: Vec<KeySource>,
    /// Policy that says which keys, builders and workflows are accepted; a file, an s3:// object, or -
    #[arg(long, value_name = "FILE", env = variable::POLICY, value_parser = super::document_name())]
    policy: Option<DocumentName>,
    /// Attestation to verify with, in any form that inspect shows; a file, an s3:// object, or -
    #[arg(long, value_name = "FILE", env = variable::BUNDLE, value_parser = super::document_name())]
    bundle: Option<DocumentName>,
    /// Claim to verify: a predicate's type, or a name that it is known by (spdx, cyclonedx,
    /// sarif, test-result, vuln, openvex, link, custom, slsaprovenance, slsaprovenance1)
    /// [default: SLSA provenance v0.2 or v1]
    #[arg(long = "type", value_name = "TYPE", env = variable::PREDICATE_TYPE, value_parser = wanted, verbatim_doc_comment)]
    wanted: Option<Wanted>,
    /// Verify a step's signed outcome, a file or an s3:// object, and show it
    #[arg(
        long,
        value_name = "FILE",
        env = variable::OUTCOME,
        value_parser = super::document_name(),
        conflicts_with_all = ["artifacts", "bundle", "chain", "wanted"]
    )]
    outcome: Option<DocumentName>,
    /// Identity to trust, exactly as a certificate has it, such as a URI or a mail address
    #[arg(
        long,
        value_name = "IDENTITY",
        env = variable::CERTIFICATE_IDENTITY,
        requires_all = ["certificate_oidc_issuer", "trusted_root"],
        conflicts_with = "policy"
    )]
    certificate_identity: Option<String>,
    /// Who has to have vouched for that identity
    #[arg(
        long,
        value_name = "URL",
        env = variable::CERTIFICATE_OIDC_ISSUER,
        requires = "certificate_identity"
    )]
    certificate_oidc_issuer: Option<String>,
    /// Sigstore trusted root to judge log entries, timestamps and certificates by: a file, an s3:// object, or -
    #[arg(long, value_name = "FILE", env = variable::TRUSTED_ROOT, value_parser = super::document_name())]
    trusted_root: Option<DocumentName>,
    /// Accept only this builder
    #[arg(long, value_name = "URI", env = variable::BUILDER_ID, value_parser = super::builder_id)]
    builder_id: Option<String>,
    /// Verify what went into it, too, and what went into that
    #[arg(long, env = variable::CHAIN, value_parser = FalseyValueParser::new())]
    chain: bool,
    #[command(flatten)]
    summary: SummaryArgs,
    #[command(flatten)]
    registries: RegistryArgs,
    #[command(flatten)]
    images: ImageArgs,
    /// Form of the answers
    #[arg(short, long, value_name = "FORM", env = variable::OUTPUT, conflicts_with = "json", value_enum)]
    output: Option<Output>,
    /// The same as -o json
    #[arg(long, env = variable::JSON, value_parser = FalseyValueParser::new())]
    json: bool,
    /// Say nothing of what is accepted, and no totals
    #[arg(short, long, env = variable::QUIET, value_parser = FalseyValueParser::new())]
    quiet: bool,
    /// Files, directories, oci:// images, s3:// objects or, with a slash at the end, prefixes; - for a
    /// list on standard input, one a line. With --bundle also a pipe, sha256:HEX, and - for the artifact itself
    #[arg(required_unless_present = "outcome", value_name = "ARTIFACT")]
    artifacts: Vec<PathBuf>,
}

impl VerifyArgs {
    /// The identity that is trusted, if one is.
    fn identity(&self) -> Result<Option<TrustedIdentity>, Failure> {
        let (Some(identity), Some(issuer)) = (&self.certificate_identity, &self.certificate_oidc_issuer)
        else {
            return Ok(None);
        };
        let pattern = IdentityPattern::exactly(identity).map_err(|_| {
            Failure::new(Exit::Usage, "--certificate-identity is empty, too long, or has a *")
                .remedy("name one identity as it is; patterns are for a policy's identities")
        })?;
        Ok(Some(TrustedIdentity { name: brief(identity, 300), issuer: issuer.clone(), identity: pattern }))
    }
}

/// How answers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    Text,
    /// For programs: one JSON object a line
    Json,
}

/// Verifies each artifact, several at a time, and answers in their order.
pub(super) async fn verify(args: VerifyArgs) -> Result<Exit, Failure> {
    let json = args.json || args.output == Some(Output::Json);
    let documents = [&args.policy, &args.trusted_root, &args.bundle, &args.outcome].into_iter().flatten();
    input_once(documents, &args.key, &args.artifacts)?;
    let Trusted { policy, own, digest } = trusted(Trusting {
        policy: args.policy.as_ref(),
        keys: &args.key,
        identity: args.identity()?,
        builder_id: args.builder_id.as_deref(),
        root: args.trusted_root.as_ref(),
    })
    .await?;
    let summariser = args.summary.open(args.policy.as_ref(), digest).await?;
    let wanted = args.wanted.clone().unwrap_or_default();
    let bundle = bundle(&args).await?;
    let checker = Checker { policy, now: Timestamp::now(), bundle, wanted, largest: MAX_ATTESTATION };
    if let Some(outcome) = &args.outcome {
        return super::outcome::verify(&checker, outcome, json).await;
    }
    let naming = if args.bundle.is_some() { Naming::One } else { Naming::Artifacts };
    let mut all = All::of(&args.artifacts, naming, args.images.clone()).await?;
    let (is_alone, layout) = (all.least() == 1, Layout::of_stdout());
    // Of one artifact, and whether it is one has to be known before.
    let first = if summariser.is_some() { all.gathered().await } else { all.next().await };
    let summary = summariser.map(|by| by.about(&first)).transpose()?;
    let checker = Arc::new(BoundedChecker::new(checker));
    let images = args.registries.images(args.images.plain_http, &args.artifacts);
    let buckets = Buckets::new(|location| Ok(Box::new(asked::open(location)?))).with_images(images);
    let (by, keep) = (Arc::clone(&checker), Keep { provenance: args.chain, verified: summary.is_some() });
    let each = move |asked| beside_others(Arc::clone(&by), asked, is_alone, keep);
    let mut found = all.lanes.each(first, each.clone());
    let (mut totals, mut exits, mut verified) = (Totals::default(), Exit::Done, None);
    loop {
        let Some((told, answered)) = found.next().await else {
            let next = all.next().await;
            if next.is_empty() {
                break;
            }
            found = all.lanes.each(next, each.clone());
            continue;
        };
        let (answer, kept) = match answered {
            Ok(answer) => answer,
            // By this thread, always: what any other gave back stays that one's own.
            Err(Large(artifact)) => {
                let found = checker.check(&artifact, NonZeroUsize::MIN, &NoProgress).await;
                answer(&checker, &told, found.map_err(CheckFailure::from), keep)
            }
        };
        let chain = match kept.provenance {
            Some(provenance) => {
                let (policy, now) = (checker.policy(), checker.now());
                Some(chain::walk(&provenance, policy, now, &buckets, Limits::default()).await)
            }
            None => None,
        };
        let answer = answer.with(chain.as_ref());
        answer.count(&mut totals);
        exits = Exit::worst([exits, answer.exit]);
        verified = kept.verified.filter(|_| answer.exit == Exit::Done);
        if args.quiet && answer.exit == Exit::Done {
            continue;
        }
        if json {
            print_json_line(&answer)?;
        } else {
            let chain = chain.as_ref().map(chain_text).unwrap_or_default();
            print(&(answer.text(&layout, told.is_named) + &chain))?;
        }
    }
    match (summary, verified) {
        (Some(summary), Some(verified)) => {
            summary.write(verified, checker.policy(), checker.now()).await?;
        }
        (Some(_), None) => {
            tell("no summary is written: the artifact was not verified\n");
            exits = Exit::worst([exits, Exit::No]);
        }
        (None, _) => {}
    }
    if args.quiet {
        return Ok(exits);
    }
    if totals.all() > 1 {
        tell(&format!("{totals}\n"));
    }
    let orphans: Vec<_> = all.orphans.iter().map(Orphan::name).collect();
    if let Some(orphans) = totals::orphans(&orphans) {
        tell(&format!("{orphans}\n"));
    }
    if own && !json {
        tell("only your own key is trusted here; --key or --policy names others\n");
    }
    Ok(exits)
}

/// What is found of one beside the others.
async fn beside_others(
    checker: Arc<BoundedChecker>,
    asked: Asked,
    alone: bool,
    keep: Keep,
) -> (Told, Result<(Answer, Kept), Large>) {
    let Asked { told, artifact } = asked;
    let found = match artifact {
        Ok(artifact) => {
            let named = artifact.object().filter(|_| !told.is_found);
            let named = named.map(|(store, key)| (Arc::clone(store), key.clone()));
            match (checked(Arc::clone(&checker), artifact, alone).await, named) {
                (Ok(Err(CheckFailure::Check(why))), Some((store, key))) => {
                    Ok(Err(unless_absent(store.as_ref(), &key, why).await.into()))
                }
                (found, _) => found,
            }
        }
        Err(why) => Ok(Err(why)),
    };
    let found = found.map(|found| answer(&checker, &told, found, keep));
    (told, found)
}

/// What is asked of an accepted artifact beside the answer.
#[derive(Debug, Clone, Copy)]
struct Keep {
    provenance: bool,
    verified: bool,
}

/// What was kept of it.
struct Kept {
    /// From which a chain is walked.
    provenance: Option<Provenance>,
    /// From which a summary is made.
    verified: Option<Verified>,
}

/// What is told of one, and what else is asked for. Of answers that wait for those before them no more
/// is kept than that.
fn answer(
    checker: &BoundedChecker,
    told: &Told,
    found: Result<Checked, CheckFailure>,
    keep: Keep,
) -> (Answer, Kept) {
    let accepted = found.as_ref().ok();
    let provenance = accepted.filter(|_| keep.provenance).map(|checked| &checked.statement);
    let kept = Kept {
        provenance: provenance.and_then(VerifiedStatement::provenance).cloned(),
        verified: accepted.filter(|_| keep.verified).map(Verified::of),
    };
    (Answer::new(told, found, checker.policy().missing().of(told.kind)), kept)
}

/// Checks one.
async fn checked(
    checker: Arc<BoundedChecker>,
    artifact: Artifact,
    alone: bool,
) -> Result<Result<Checked, CheckFailure>, Large> {
    let found = if alone {
        Ok(checker.check(&artifact, workers(), &Bar::default()).await)
    } else {
        checker.check_beside(artifact).await
    };
    found.map(|found| found.map_err(CheckFailure::from))
}

/// The attestation that is named.
async fn bundle(args: &VerifyArgs) -> Result<Option<NamedAttestation>, Failure> {
    let Some(name) = &args.bundle else { return Ok(None) };
    let place = name.open(&ProcessEnv)?;
    tracing::info!(attestation = %place, "reading the attestation that is named");
    let read = NamedAttestation::read(place).await;
    read.map(Some).map_err(|e| Failure::from(&e).about("cannot read the attestation"))
}

fn wanted(text: &str) -> Result<Wanted, Infallible> {
    text.parse()
}

pub(super) fn object_uri(artifact: &Path) -> Option<&str> {
    artifact.to_str().filter(|text| text.starts_with(SCHEME))
}
