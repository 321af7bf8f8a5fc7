//! `argo-attest verify`.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use argo_attest_core::argo::StoreKind;
use argo_attest_core::contract::variable;
use argo_attest_core::policy::{ArtifactKind, Policy, TrustedKey};
use argo_attest_core::verify::Wanted;
use clap::Args;
use clap::builder::FalseyValueParser;
use jiff::Timestamp;

use super::answer::{Answer, Answers, CheckFailure, Checked};
use super::progress::Bar;
use super::{Exit, Failure, home, policy, print, print_json, tell, workers};
use crate::attestations::NamedAttestation;
use crate::chain::{self, Buckets, Limits};
use crate::document::DocumentName;
use crate::regular_file::STANDARD_INPUT;
use crate::report::chain_text;
use crate::signer::{KeySource, load_public, public_path};
use crate::store::{self, Location, ProcessEnv};
use crate::verify::{CheckError, CheckedObject, CheckedPath, Checker, check_object, check_path};

const EXAMPLE: &str = "\
Examples:
  argo-attest verify out
  argo-attest verify --key ci.pub --builder-id https://ci.example.com/argo app.tar.gz
  argo-attest verify --policy policy.yaml s3://artifacts/build-7/app.tgz
  argo-attest verify --policy policy.yaml --chain s3://artifacts/build-7/app.tgz
  argo-attest verify --key their.pub --type spdx --bundle sbom.intoto.jsonl app.tar.gz
  argo-attest verify --key ci.pub --outcome s3://artifacts/build-7/outcome.sigstore.json

The attestation of X is X.sigstore.json or, if that does not do, X.intoto.jsonl; if there is
neither, the same two beside each directory that X is in, unless --bundle names one. Of an s3://
object each of them may also lie beneath .attestations/ of its bucket. Other tools' attestations
are read as well, if a key signed them: Sigstore bundles, DSSE envelopes, what registries serve.";

/// Verifies artifacts against their attestations
///
/// Each ARTIFACT is a file, a directory or an s3:// object. It is accepted if its attestation was
/// signed by a trusted key, says what the policy wants, and is about exactly these bytes. Works
/// offline. Without --key and --policy only your own key is trusted.
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
    /// Claim to verify: a predicate's type, or a name that cosign knows one by (spdx, cyclonedx, vuln,
    /// openvex, link, custom, slsaprovenance, slsaprovenance1) [default: SLSA provenance v0.2 or v1]
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
    /// Accept only this builder
    #[arg(long, value_name = "URI", env = variable::BUILDER_ID, value_parser = super::builder_id)]
    builder_id: Option<String>,
    /// Verify what went into it, too, and what went into that
    #[arg(long, env = variable::CHAIN, value_parser = FalseyValueParser::new())]
    chain: bool,
    /// Print one JSON object
    #[arg(long, env = variable::JSON, value_parser = FalseyValueParser::new())]
    json: bool,
    /// Say nothing of what is accepted
    #[arg(short, long, env = variable::QUIET, value_parser = FalseyValueParser::new())]
    quiet: bool,
    /// Files, directories or s3:// objects; with --bundle also - for standard input, a pipe, or sha256:HEX
    #[arg(required_unless_present = "outcome", value_name = "ARTIFACT")]
    artifacts: Vec<PathBuf>,
}

/// Verifies each artifact; one line each.
pub(super) async fn verify(args: VerifyArgs) -> Result<Exit, Failure> {
    input_once(&args)?;
    let (policy, own) = trusted(&args).await?;
    let missing = policy.missing().clone();
    let wanted = args.wanted.clone().unwrap_or_default();
    let checker = Checker { policy, now: Timestamp::now(), bundle: bundle(&args).await?, wanted };
    if let Some(outcome) = &args.outcome {
        return super::outcome::verify(&checker, outcome, args.json).await;
    }
    let buckets = Buckets::new(|location| store::open_named(location, &ProcessEnv));
    let mut answers = Vec::with_capacity(args.artifacts.len());
    for artifact in &args.artifacts {
        let found = check(&checker, artifact).await;
        let chain = match &found {
            Ok(artifact) if args.chain => match artifact.statement.provenance() {
                Some(provenance) => {
                    let (policy, now) = (&checker.policy, checker.now);
                    Some(chain::walk(provenance, policy, now, &buckets, Limits::default()).await)
                }
                None => None,
            },
            _ => None,
        };
        let answer = Answer::new(artifact, found, missing.of(Some(kind(artifact)))).with(chain.as_ref());
        if !args.json && (!args.quiet || answer.exit != Exit::Done) {
            print(&(answer.line() + &chain.as_ref().map(chain_text).unwrap_or_default()))?;
        }
        answers.push(answer);
    }
    if args.json {
        print_json(&Answers { artifacts: &answers })?;
    } else if own && !args.quiet {
        tell("only your own key is trusted here; --key or --policy names others\n");
    }
    Ok(Exit::worst(answers.iter().map(|answer| answer.exit)))
}

/// Standard input has one end: whoever reads it second would find nothing there.
fn input_once(args: &VerifyArgs) -> Result<(), Failure> {
    let documents =
        [&args.policy, &args.bundle, &args.outcome].into_iter().flatten().filter_map(|name| match name {
            DocumentName::File(path) => Some(path.as_path()),
            DocumentName::Object { .. } => None,
        });
    let keys = args.key.iter().filter_map(KeySource::file);
    let named = documents.chain(keys).chain(args.artifacts.iter().map(PathBuf::as_path));
    if named.filter(|path| *path == Path::new(STANDARD_INPUT)).count() < 2 {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, "standard input, -, is named more than once")
        .remedy("give one of them by a path"))
}

/// Whom to trust, and whether that is only the user's own key.
async fn trusted(args: &VerifyArgs) -> Result<(Policy, bool), Failure> {
    let (policy, own) = match &args.policy {
        Some(name) => (policy::read(&name.open(&ProcessEnv)?).await?, false),
        None if args.key.is_empty() => (own_key()?, true),
        None => {
            let load = |source: &KeySource| {
                let key = source.public(&super::variables).map_err(|e| Failure::from(&e))?;
                Ok(TrustedKey::new(source.to_string(), key))
            };
            (Policy::of_keys(args.key.iter().map(load).collect::<Result<_, Failure>>()?), false)
        }
    };
    Ok(match &args.builder_id {
        Some(id) => (policy.only_builder(id.clone()), own),
        None => (policy, own),
    })
}

fn own_key() -> Result<Policy, Failure> {
    let path = public_path(&home::private_key()?);
    let key = load_public(&path).map_err(|e| {
        if e.is_missing() {
            return Failure::new(
                Exit::Key,
                "no key is trusted: none is named, and you have none of your own",
            )
            .remedy("name the signer's public key with --key FILE.pub, or a policy with --policy FILE");
        }
        Failure::from(&e)
    })?;
    Ok(Policy::of_keys(vec![TrustedKey::new("your own key", key)]))
}

/// The attestation that is named.
async fn bundle(args: &VerifyArgs) -> Result<Option<NamedAttestation>, Failure> {
    let Some(name) = &args.bundle else { return Ok(None) };
    let place = name.open(&ProcessEnv)?;
    tracing::info!(attestation = %place, "reading the attestation that is named");
    let read = NamedAttestation::read(place).await;
    read.map(Some).map_err(|e| Failure::from(&e).about("cannot read the attestation"))
}

/// What a policy may say of an artifact that has no attestation, it says by this.
fn kind(artifact: &Path) -> ArtifactKind {
    object_uri(artifact).map_or(ArtifactKind::File, |_| ArtifactKind::Stored(StoreKind::S3))
}

fn wanted(text: &str) -> Result<Wanted, Infallible> {
    text.parse()
}

pub(super) fn object_uri(artifact: &Path) -> Option<&str> {
    artifact.to_str().filter(|text| text.starts_with("s3://"))
}

async fn check(checker: &Checker, artifact: &Path) -> Result<Checked, CheckFailure> {
    let bar = Bar::default();
    let Some(uri) = object_uri(artifact) else {
        let CheckedPath { statement, origin, unjudged, passed_over } =
            check_path(checker, artifact, workers(), &bar).await?;
        return Ok(Checked { statement, origin, placed: None, unjudged, passed_over: passed_over.told() });
    };
    let (location, key) = Location::artifact(uri).map_err(|e| {
        let failure = Failure::from_error(Exit::Usage, &e);
        CheckFailure::Other(failure.remedy("write s3://bucket/key"))
    })?;
    let store = store::open_named(&location, &ProcessEnv).map_err(CheckError::from)?;
    let CheckedObject { statement, origin, placed, unjudged, passed_over } =
        check_object(checker, store.as_ref(), &key, &bar).await?;
    Ok(Checked { statement, origin, placed: Some(placed), unjudged, passed_over: passed_over.told() })
}
