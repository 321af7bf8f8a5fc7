//! `argo-attest verify`.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argo_attest_core::contract::variable;
use argo_attest_core::policy::{Policy, TrustedKey};
use argo_attest_core::relpath::printable;
use argo_attest_core::slsa::Provenance;
use argo_attest_core::verify::{VerifiedStatement, Wanted};
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use futures_util::stream::StreamExt as _;
use jiff::Timestamp;

use super::answer::{Answer, CheckFailure};
use super::asked::{self, All, Asked, Told};
use super::images::ImageArgs;
use super::layout::Layout;
use super::progress::Bar;
use super::totals::{self, Totals};
use super::{Exit, Failure, home, policy, print, print_json_line, tell, workers};
use crate::attestations::{MAX_ATTESTATION, NamedAttestation};
use crate::chain::{self, Buckets, Limits};
use crate::document::DocumentName;
use crate::observe::NoProgress;
use crate::regular_file::STANDARD_INPUT;
use crate::report::chain_text;
use crate::signer::{KeySource, load_public, public_path};
use crate::store::ProcessEnv;
use crate::verify::{Artifact, BoundedChecker, CheckError, Checked, Checker};

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

The attestation of X is X.sigstore.json or, if that does not do, X.intoto.jsonl; if there is
neither, the same two beside each directory that X is in, unless --bundle names one. Of an s3://
object each of them may also lie beneath .attestations/ of its bucket. Other tools' attestations
are read as well, if a key signed them: Sigstore bundles, DSSE envelopes, what registries serve.";

/// Verifies artifacts against their attestations
///
/// Each ARTIFACT is a file, a directory, an s3:// object or an oci:// image. It is accepted if its attestation was
/// signed by a trusted key, says what the policy wants, and is about exactly these bytes. Works
/// offline. Without --key and --policy only your own key is trusted.
///
/// A directory is one artifact if it has an attestation; else each file beneath it is one, if any
/// of them has. So is each object beneath an s3:// prefix, with its slash. Totals go to standard error.
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
    #[command(flatten)]
    images: ImageArgs,
    /// How to tell the answers
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
    input_once(&args)?;
    let (policy, own) = trusted(&args).await?;
    let wanted = args.wanted.clone().unwrap_or_default();
    let bundle = bundle(&args).await?;
    let checker = Checker { policy, now: Timestamp::now(), bundle, wanted, largest: MAX_ATTESTATION };
    if let Some(outcome) = &args.outcome {
        return super::outcome::verify(&checker, outcome, json).await;
    }
    let All { artifacts, orphans, lanes, .. } =
        All::of(&args.artifacts, args.bundle.is_some(), args.images.clone()).await?;
    let (count, layout) = (artifacts.len(), Layout::of_stdout());
    let checker = Arc::new(BoundedChecker::new(checker));
    let buckets = Buckets::new(|location| Ok(Box::new(asked::open(location)?)));
    let (by, chain) = (Arc::clone(&checker), args.chain);
    let each = move |asked| beside_others(Arc::clone(&by), asked, count == 1, chain);
    let mut each = lanes.each(artifacts, each);
    let (mut totals, mut exits) = (Totals::default(), Exit::Done);
    while let Some((told, found)) = each.next().await {
        let (answer, provenance) = match found {
            Ok(answer) => answer,
            // By this thread, always: what any other gave back stays that one's own.
            Err(Large(artifact)) => {
                let found = checker.check(&artifact, NonZeroUsize::MIN, &NoProgress).await;
                answer(&checker, &told, found.map_err(CheckFailure::from), chain)
            }
        };
        let chain = match provenance {
            Some(provenance) => {
                let (policy, now) = (checker.policy(), checker.now());
                Some(chain::walk(&provenance, policy, now, &buckets, Limits::default()).await)
            }
            None => None,
        };
        let answer = answer.with(chain.as_ref());
        answer.count(&mut totals);
        exits = Exit::worst([exits, answer.exit]);
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
    if args.quiet {
        return Ok(exits);
    }
    if totals.all() > 1 {
        tell(&format!("{totals}\n"));
    }
    if let Some(orphans) = totals::orphans(&orphans) {
        tell(&format!("{orphans}\n"));
    }
    if own && !json {
        tell("only your own key is trusted here; --key or --policy names others\n");
    }
    Ok(exits)
}

/// An artifact whose attestation is too large to be held beside others.
struct Large(Artifact);

/// What is found of one beside the others.
async fn beside_others(
    checker: Arc<BoundedChecker>,
    asked: Asked,
    alone: bool,
    chain: bool,
) -> (Told, Result<(Answer, Option<Provenance>), Large>) {
    let Asked { told, artifact } = asked;
    let found = match artifact {
        Ok(artifact) => checked(Arc::clone(&checker), artifact, &told, alone).await,
        Err(why) => Ok(Err(why)),
    };
    let found = found.map(|found| answer(&checker, &told, found, chain));
    (told, found)
}

/// What is told of one, and its provenance if a chain is to be walked from there. Of answers that
/// wait for those before them no more is kept than that.
fn answer(
    checker: &BoundedChecker,
    told: &Told,
    found: Result<Checked, CheckFailure>,
    chain: bool,
) -> (Answer, Option<Provenance>) {
    let statement = found.as_ref().ok().filter(|_| chain).map(|checked| &checked.statement);
    let provenance = statement.and_then(VerifiedStatement::provenance).cloned();
    (Answer::new(told, found, checker.policy().missing().of(told.kind)), provenance)
}

/// Checks one. What is in a store mostly waits, and is asked for by this very task; what is here is
/// read and digested on a thread of its own.
async fn checked(
    checker: Arc<BoundedChecker>,
    artifact: Artifact,
    told: &Told,
    alone: bool,
) -> Result<Result<Checked, CheckFailure>, Large> {
    let usual = if alone {
        Some(checker.check(&artifact, workers(), &Bar::default()).await)
    } else if artifact.waits() {
        checker.check_usual(&artifact, NonZeroUsize::MIN, &NoProgress).await
    } else {
        let runtime = tokio::runtime::Handle::current();
        let one = artifact.clone();
        // Many at a time share the cores, and have no room for a bar each.
        let done = tokio::task::spawn_blocking(move || {
            runtime.block_on(checker.check_usual(&one, NonZeroUsize::MIN, &NoProgress))
        });
        done.await.unwrap_or_else(|error| {
            let name = printable(told.name.as_os_str().as_bytes());
            Some(Err(CheckError::Io { name, source: std::io::Error::other(error) }))
        })
    };
    usual.map(|found| found.map_err(CheckFailure::from)).ok_or(Large(artifact))
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
                let key = source.public(&ProcessEnv).map_err(|e| Failure::from(&e))?;
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

fn wanted(text: &str) -> Result<Wanted, Infallible> {
    text.parse()
}

pub(super) fn object_uri(artifact: &Path) -> Option<&str> {
    artifact.to_str().filter(|text| text.starts_with(SCHEME))
}
