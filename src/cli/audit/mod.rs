//! `argo-attest audit`.

mod also;
mod bar;
mod beside;
mod csv;
mod json;
mod junit;
mod listed;
mod merge;
mod metrics;
mod page;
mod refused;
mod shard;
mod signed;
mod since;
mod sink;
#[cfg(test)]
mod tests;
mod told;
mod workflows;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use argo_attest_core::audit::{
    Account, Narrowing, RunError, Shard, Totals, Unseen, WORKFLOWS_LIMIT, WorkflowRun,
};
use argo_attest_core::contract::variable;
use argo_attest_core::secret::shown_path;
use argo_attest_core::verify::Wanted;
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use jiff::Timestamp;

use self::also::Also;
use self::bar::Bar;
use self::beside::Beside;
use self::signed::SignedArgs;
use self::since::Since;
use self::sink::Sink;
use self::told::Teller;
use super::asked::{self, All, Naming};
use super::images::{ImageArgs, RegistryArgs};
use super::trusted::{Trusted, Trusting, input_once, trusted};
use super::{Exit, Failure, tell};
use crate::attestations::MAX_ATTESTATION;
use crate::audit::{Auditor, Entry, Names, Outcomes};
use crate::document::{Document, DocumentName};
use crate::signer::KeySource;
use crate::store::{Location, ProcessEnv, Store};
use crate::verify::{Checker, Part};

/// What Argo calls the log of a step's container, beside the step's artifacts.
const USUAL_LOG: &str = "main.log";

/// What is said of every audit of a workflow.
const UNSIGNED: &str = "\
note: nobody signs a workflow's text: a step that it leaves out was not asked about; what is
said to be attested does not rest on it
";

const EXAMPLE: &str = "\
Examples:
  argo-attest audit --policy policy.yaml s3://artifacts/release/
  kubectl -n ci get workflow build-7 -o json | argo-attest audit --policy policy.yaml -f -
  argo-attest audit --policy policy.yaml -f build-7.json -o junit s3://artifacts/build-7/
  argo-attest audit --policy policy.yaml -f build-7.json --html build-7.html
  argo-attest audit --key ci.pub -o csv out
  argo-attest audit --policy policy.yaml --since 24h --metrics-file audit.prom s3://artifacts/ci/
  argo-attest audit --policy policy.yaml -o json --shard 1/2 --report part-1.json s3://artifacts/ci/
  argo-attest audit merge part-1.json part-2.json";

/// Where workflows are told of that were not looked at.
const WORKFLOWS: &str = "argo://";

/// What is put together is named behind this word.
const MERGE: &str = "merge";

/// Tells what of a workflow, a bucket or a directory is attested, and what is missing
///
/// Of a workflow (-f), every node that ran a container is accounted for: its signed outcome, every
/// object that it made, and what went into those. Of a PLACE, every artifact beneath it, every
/// signed outcome, and every attestation of something that is gone. Objects are asked for in the
/// store of your own configuration, whatever a workflow's text says.
///
/// Exit code 0 says that something was looked at, and that nothing of it is missing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct AuditArgs {
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
    /// Sigstore trusted root to judge log entries and timestamps by: a file, an s3:// object, or -
    #[arg(long, value_name = "FILE", env = variable::TRUSTED_ROOT, value_parser = super::document_name())]
    trusted_root: Option<DocumentName>,
    /// Accept only this builder
    #[arg(long, value_name = "URI", env = variable::BUILDER_ID, value_parser = super::builder_id)]
    builder_id: Option<String>,
    /// Workflows that ran, as kubectl get workflow -o json or argo archive get -o json prints them: a
    /// file, an s3:// object, or -; can be given several times
    #[arg(short, long, value_name = "WORKFLOW.json", env = variable::FILE, value_parser = super::document_name())]
    file: Vec<DocumentName>,
    /// Names of files that nobody attests, as Argo's logs; can be given several times [default: main.log]
    #[arg(long, value_name = "NAME", env = variable::NOT_OURS)]
    not_ours: Vec<String>,
    #[command(flatten)]
    registries: RegistryArgs,
    /// Ask registries over HTTP without TLS: for tests
    #[arg(long, env = variable::PLAIN_HTTP, value_parser = FalseyValueParser::new())]
    plain_http: bool,
    /// How to tell the findings
    #[arg(short, long, value_name = "FORM", env = variable::OUTPUT, default_value = "text", value_enum)]
    output: Output,
    /// Write the report there, as a whole or not at all, and not on standard output
    #[arg(long, value_name = "FILE", env = variable::REPORT)]
    report: Option<PathBuf>,
    /// Write the counts there for Prometheus: for node exporter's textfile collector, or Pushgateway
    #[arg(long, value_name = "FILE", env = variable::METRICS_FILE)]
    metrics_file: Option<PathBuf>,
    /// Look only at what changed since: of prefixes at objects, by the store's clock; of workflows at
    /// those that had not finished before. How much was not looked at is told
    #[arg(long, value_name = "DURATION|TIME", env = variable::SINCE)]
    since: Option<Since>,
    /// Of all workflows of a namespace only those with such labels, as kubectl takes it
    #[arg(short = 'l', long, value_name = "SELECTOR", env = variable::SELECTOR)]
    selector: Option<String>,
    /// Say on workflows of a cluster what was found of them, in annotations, where the account may
    #[arg(long, env = variable::ANNOTATE, value_parser = FalseyValueParser::new())]
    annotate: bool,
    /// Where the report will be found, for those annotations
    #[arg(long, value_name = "URL", env = variable::REPORT_URL, requires = "annotate")]
    report_url: Option<String>,
    /// Audit one part of prefixes, the same for everybody; with -o json. Its report is no answer: that
    /// is what merge makes of the reports of all parts
    #[arg(long, value_name = "I/N", env = variable::SHARD, conflicts_with_all = ["file", "metrics_file"])]
    shard: Option<Shard>,
    /// What the audit is called whose part it is: reports of others are not put together with it
    #[arg(long, value_name = "TEXT", env = variable::RUN_ID, requires = "shard", default_value = "")]
    run_id: String,
    /// Write a page as well, for people who decide by it: one HTML file that needs nothing else
    #[arg(long, value_name = "FILE", env = variable::HTML)]
    html: Option<PathBuf>,
    #[command(flatten)]
    signed: SignedArgs,
    /// Say only what is missing or could not be found out, and no totals
    #[arg(short, long, env = variable::QUIET, value_parser = FalseyValueParser::new())]
    quiet: bool,
    #[arg(
        required_unless_present = "file",
        help = "Directories, s3:// prefixes with a slash at the end, files, s3:// objects, oci:// images; workflows \
                of a cluster as argo://NAMESPACE/NAME, or argo://NAMESPACE/ for all that ended; - for a list on \
                standard input, one a line. Or merge, and behind it the reports of all parts, or directories with \
                them (./merge is a directory of that name)",
        value_name = "PLACE"
    )]
    places: Vec<PathBuf>,
}

/// How findings are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    Text,
    /// For programs: one JSON object a line
    Json,
    /// For spreadsheets: one finding a line, after a line of names
    Csv,
    #[value(help = "For CI: test cases in XML, as JUnit writes them")]
    Junit,
}

impl AuditArgs {
    /// What is said, and where to.
    fn teller(&self, also: Also) -> Result<Teller, Failure> {
        Ok(Teller::new(self.output, self.quiet, Sink::new(self.report.as_deref())?, also))
    }

    /// Whom to trust.
    fn trusting(&self) -> Trusting<'_> {
        Trusting {
            policy: self.policy.as_ref(),
            keys: &self.key,
            identity: None,
            builder_id: self.builder_id.as_deref(),
            root: self.trusted_root.as_ref(),
        }
    }

    /// Whether somebody is named to trust, or something to trust them by.
    fn says_whom_to_trust(&self) -> bool {
        let Trusting { policy, keys, identity, builder_id, root } = self.trusting();
        policy.is_some() || !keys.is_empty() || identity.is_some() || builder_id.is_some() || root.is_some()
    }

    /// What nobody attests: Argo's logs, where nothing is said.
    fn not_ours(&self) -> Vec<String> {
        if self.not_ours.is_empty() { vec![USUAL_LOG.to_owned()] } else { self.not_ours.clone() }
    }

    /// By what it is narrowed.
    fn narrowing(&self, since: Option<Timestamp>) -> Narrowing {
        Narrowing {
            since,
            selector: self.selector.as_deref().map(told::shown),
            not_ours: self.not_ours().iter().map(|name| told::shown(name)).collect(),
        }
    }

    /// The places, as they are told.
    fn place_names(&self) -> Vec<String> {
        self.places.iter().map(|place| told::shown(&place.to_string_lossy())).collect()
    }

    fn write_metrics(
        &self,
        places: &[String],
        totals: &Totals,
        narrowing: &Narrowing,
        began: Instant,
    ) -> Result<(), Failure> {
        let Some(file) = &self.metrics_file else { return Ok(()) };
        let files = self.file.iter().map(|file| match file {
            DocumentName::File(path) => shown_path(path),
            DocumentName::Object { location, key } => told::shown(&format!("{location}/{key}")),
        });
        let place = files.chain(places.iter().cloned()).collect::<Vec<_>>().join(" ");
        let is_complete = totals.is_complete();
        let (at, took) = (Timestamp::now(), began.elapsed());
        let is_narrowed = !narrowing.is_none();
        let text =
            metrics::text(&metrics::Ended { place: &place, totals, is_complete, is_narrowed, at, took })
                .map_err(|e| Failure::new(Exit::Software, format!("cannot write the counts: {e}")))?;
        sink::put(file, text.as_bytes())
    }
}

/// Audits all that is named, and tells it in order.
pub(super) async fn audit(args: AuditArgs) -> Result<Exit, Failure> {
    let began = Instant::now();
    if let Some((merge, reports)) = args.places.split_first()
        && merge == Path::new(MERGE)
    {
        return merge::merged(&args, reports, began).await;
    }
    args.only_what_can_be()?;
    input_once(args.policy.iter().chain(&args.trusted_root).chain(&args.file), &args.key, &args.places)?;
    let Trusted { policy, own, digest } = trusted(args.trusting()).await?;
    let mut runs = Vec::new();
    for name in &args.file {
        runs.extend(read(&name.open(&ProcessEnv)?).await?);
    }
    let (now, wanted) = (Timestamp::now(), Wanted::default());
    let since = args.since.map(|since| since.at(now));
    let (in_cluster, places): (Vec<_>, Vec<_>) =
        args.places.iter().cloned().partition(|place| workflows::is_in_cluster(place));
    let named = runs.len();
    runs.retain(|run| since.is_none_or(|since| run.may_have_run_since(since)));
    let old_runs = named - runs.len();
    // Whether there is a Workflow that a file tells of, and whether it is like that, nobody asked the cluster.
    let of_files = runs.len();
    let found = workflows::find(&in_cluster, args.selector.as_deref(), since).await?;
    let workflows::Found { runs: of_cluster, unknown: unread, unseen, person } = found;
    runs.extend(of_cluster);
    let narrowing = args.narrowing(since);
    let beside = Beside::open(&args, digest, runs.len(), (now, &narrowing)).await?;
    let asked_by = shard::asked(&policy, &args.not_ours());
    let checker = Checker { policy, now, bundle: None, wanted, largest: MAX_ATTESTATION };
    let part = Part { shard: args.shard, since, old_outcomes: !runs.is_empty() };
    let images = ImageArgs { plain_http: args.plain_http, ..ImageArgs::default() };
    let all = All::part_of(&places, Naming::Attestations, images, part).await?;
    let stores = shard::addresses(&all.stores);
    let All { lots, orphans, old_outcomes, unchanged, listings, lanes, .. } = all;
    let open = |location: &Location| Ok(Box::new(asked::open(location)?) as Box<dyn Store>);
    let images = args.registries.images(args.plain_http, &places);
    let auditor = Auditor::new(checker, lanes, (Box::new(open), images), args.not_ours());

    let (artifacts, unknown) = listed::of(&auditor, lots)?;
    let least = unknown.len() + artifacts.iter().map(|listed| listed.artifacts.least()).sum::<usize>();
    let bar = if args.quiet { Bar::default() } else { bar(&runs, least, &args) };
    let mut outcomes = Outcomes::of(&runs);
    let there = listed::names(&artifacts, &orphans);
    let left = auditor.look_at(orphans, &there, &mut outcomes).await;
    drop(there);
    if let Some(shard) = args.shard {
        let head = shard::head((shard, &args.run_id), asked_by, (&args.places, stores), narrowing);
        let found = shard::Found { artifacts, unknown, listings, unchanged, left };
        return shard::told(&auditor, &args, &head, found).await;
    }
    auditor.note_outcomes(old_outcomes, &mut outcomes).await;
    auditor.find_outcomes(&runs, &mut outcomes).await;
    let mut teller = args.teller(beside.gathering(bar))?;
    let mut told = Names::new();
    let narrowing = narrowing.beyond(&[USUAL_LOG]);
    teller.begin(narrowing.clone())?;
    let has_runs = !runs.is_empty();
    unread.iter().try_for_each(|entry| teller.entry(entry))?;
    for (at, run) in runs.into_iter().enumerate() {
        let (run, mut of_run) = (Arc::new(run), Totals::default());
        teller.workflow(&run)?;
        let of_node = |entry: Entry| {
            of_run.count(&entry.finding);
            teller.entry(&entry)
        };
        auditor.workflow(&run, &outcomes, &mut told, of_node).await?;
        if let Some(person) = person.as_ref().filter(|_| args.annotate && at >= of_files) {
            workflows::annotate(person, &run, &of_run, args.report_url.as_deref()).await;
        }
    }
    let passed_over = unseen.into_iter().map(|(place, count, why)| Entry::not_looked_at(place, count, why));
    let passed_over: Vec<_> = passed_over.chain(older(&places, since, &unchanged, old_runs)).collect();
    if places.is_empty() {
        passed_over.iter().try_for_each(|entry| teller.entry(entry))?;
    } else {
        teller.places();
        unknown.iter().try_for_each(|entry| teller.entry(entry))?;
        let late = auditor.artifacts(artifacts, &told, |entry, _| teller.entry(&entry)).await?;
        passed_over.iter().try_for_each(|entry| teller.entry(entry))?;
        auditor.left(left, &told, &late, |entry| teller.entry(&entry)).await?;
    }
    let (totals, also, exit) = teller.end()?;
    args.write_metrics(&args.place_names(), &totals, &narrowing, began)?;
    if !args.quiet {
        summary(&totals, has_runs, own, args.output);
    }
    beside.write(also, &totals, auditor.policy()).await?;
    Ok(exit)
}

/// Of how much it is told that nobody looked at it.
fn older(
    places: &[PathBuf],
    since: Option<Timestamp>,
    unchanged: &[(usize, u64)],
    runs: usize,
) -> Vec<Entry> {
    let Some(since) = since else { return Vec::new() };
    let places = unchanged.iter().filter_map(|(place, count)| Some((places.get(*place)?.clone(), *count)));
    let runs = u64::try_from(runs).ok().filter(|runs| *runs > 0).map(|runs| (PathBuf::from(WORKFLOWS), runs));
    let why = Unseen::Unchanged { since };
    places.chain(runs).map(|(place, count)| Entry::not_looked_at(place, count, why)).collect()
}

/// Of what will be told: at least one thing of each node that ran, and one of each artifact.
fn bar(runs: &[WorkflowRun], artifacts: usize, args: &AuditArgs) -> Bar {
    let nodes = runs.iter().flat_map(|run| &run.nodes).filter(|node| node.account() != Account::Frame);
    let of_nodes: usize = nodes.map(|node| node.outputs.len().max(1)).sum();
    Bar::of(of_nodes + artifacts, args.output == Output::Junit || args.report.is_some())
}

/// What is said at the end, on standard error.
fn summary(totals: &Totals, has_runs: bool, own: bool, output: Output) {
    if totals.all() == 0 {
        tell("nothing was found that could be attested\n");
    } else {
        tell(&format!("{totals}\n"));
        if totals.looked_at() == 0 {
            tell("nothing was looked at, which says nothing of what is there\n");
        }
    }
    if has_runs {
        tell(UNSIGNED);
    }
    if own && output == Output::Text {
        tell("only your own key is trusted here; --key or --policy names others\n");
    }
}

/// The workflows of a document.
async fn read(document: &Document) -> Result<Vec<WorkflowRun>, Failure> {
    let bytes = document
        .read(WORKFLOWS_LIMIT)
        .await
        .map_err(|e| Failure::from(&e).about("cannot read the workflow"))?;
    let failed = |error: RunError| Failure::from(&error).about(&document.to_string());
    WorkflowRun::read_all(&bytes).map_err(failed)
}
