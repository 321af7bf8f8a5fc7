//! `argo-attest audit --shard`: the report of one part, for whoever puts all parts together.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use argo_attest_core::audit::shard_report::{EntryText, Head, Listing, ShardWriter};
use argo_attest_core::audit::{Finding, Narrowing, Shard, Standing};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::policy::Policy;
use argo_attest_core::text::{JsonText, causes};
use serde_json::value::to_raw_value;

use super::super::{Exit, Failure, tell};
use super::AuditArgs;
use super::json::EntryJson;
use super::sink::Sink;
use crate::audit::{Auditor, Entry, FoundAt, Left, Listed, Names, Remark};
use crate::store::Store;

/// The program, as reports name it: the same one reads them.
const PROGRAM: &str = concat!("argo-attest ", env!("CARGO_PKG_VERSION"));

/// Writes a part's report.
pub(super) struct ShardTeller<W: Write>(ShardWriter<JsonText<W>>);

/// Digest of all by which is judged: the policy with its keys and its trusted root, and the options.
/// Of the same version of the program the same policy has the same text.
pub(super) fn asked(policy: &Policy, not_ours: &[String]) -> String {
    format!("sha256:{}", Sha256Digest::of(format!("{policy:?}\n{not_ours:?}").as_bytes()))
}

/// The addresses of the stores that were opened, by the names of their buckets.
pub(super) fn addresses(stores: &BTreeMap<String, Arc<dyn Store>>) -> Vec<String> {
    let of = |(bucket, store): (&String, &Arc<dyn Store>)| {
        store.address().map(|address| format!("{bucket} at {}", address.as_str()))
    };
    stores.iter().filter_map(of).collect()
}

/// What a part's report begins with.
pub(super) fn head(
    (shard, run): (Shard, &str),
    asked: String,
    (places, stores): (&[PathBuf], Vec<String>),
    Narrowing { since, selector: _, not_ours }: Narrowing,
) -> Head {
    let places = places.iter().map(|place| place.as_os_str().as_bytes().to_vec()).collect();
    Head { program: PROGRAM.to_owned(), shard, run: run.to_owned(), asked, places, stores, since, not_ours }
}

impl<W: Write> ShardTeller<W> {
    pub(super) fn begin(to: W, head: &Head) -> Result<Self, Failure> {
        ShardWriter::begin(JsonText::new(to), head).map(Self).map_err(|e| failed(&e))
    }

    /// A place that could not be looked at.
    pub(super) fn place(&mut self, entry: &Entry) -> Result<(), Failure> {
        self.0.place(&text(entry)?).map_err(|e| failed(&e))
    }

    /// What there was in a place, whosever part it is.
    pub(super) fn listed(&mut self, place: usize, listing: Listing) -> Result<(), Failure> {
        self.0.listed(place, listing).map_err(|e| failed(&e))
    }

    /// An artifact.
    pub(super) fn artifact(&mut self, (place, at): FoundAt, entry: &Entry) -> Result<(), Failure> {
        self.0.artifact(place, at, &text(entry)?).map_err(|e| failed(&e))
    }

    /// How many of a place were not looked at.
    pub(super) fn older(&mut self, place: usize, count: u64) -> Result<(), Failure> {
        self.0.older(place, count).map_err(|e| failed(&e))
    }

    /// What attestations of what is not there say.
    pub(super) fn remark(&mut self, remark: &Remark) -> Result<(), Failure> {
        match remark {
            Remark::Ended { run, started_on } => self.0.ended(run, *started_on),
            Remark::Outcome { from, open, entry } => {
                self.0.outcome(from.as_bytes(), open.as_ref(), &text(entry)?)
            }
            Remark::Object { from, open, entry } => {
                self.0.object(from.as_bytes(), open.as_ref(), &text(entry)?)
            }
            Remark::Left(entry) => self.0.left(&text(entry)?),
        }
        .map_err(|e| failed(&e))
    }

    /// Says that this is all.
    pub(super) fn end(self) -> Result<W, Failure> {
        self.0.end().map(JsonText::into_inner).map_err(|e| failed(&e))
    }
}

/// The part's report, into a sink.
pub(super) type Report = ShardTeller<Sink>;

/// What a part of a place holds.
pub(super) struct Found {
    pub(super) artifacts: Vec<Listed>,
    pub(super) unknown: Vec<Entry>,
    pub(super) listings: Vec<(usize, Listing)>,
    pub(super) unchanged: Vec<(usize, u64)>,
    pub(super) left: Left,
}

/// Writes the report of a part. What is missing in it is no answer: the whole may know better. What could not be
/// found out is one: this part is to be audited again.
pub(super) async fn told(
    auditor: &Auditor,
    args: &AuditArgs,
    head: &Head,
    found: Found,
) -> Result<Exit, Failure> {
    let mut teller = Report::begin(Sink::new(args.report.as_deref())?, head)?;
    let Found { artifacts, unknown, listings, unchanged, left } = found;
    let (mut count, none, mut exit) = (0_usize, Names::new(), Exit::Done);
    let mut count_in = |finding: &Finding| exit = Exit::worst([exit, unknown_as(finding)]);
    for entry in &unknown {
        count_in(&entry.finding);
        teller.place(entry)?;
    }
    listings.into_iter().try_for_each(|(place, listing)| teller.listed(place, listing))?;
    let artifact = |entry: Entry, at| {
        count += 1;
        count_in(&entry.finding);
        teller.artifact(at, &entry)
    };
    let late = auditor.artifacts(artifacts, &none, artifact).await?;
    for (place, count) in unchanged {
        teller.older(place, count)?;
    }
    let remark = |remark: Remark| {
        remark.finding().into_iter().for_each(&mut count_in);
        teller.remark(&remark)
    };
    auditor.remarks(left, &none, &late, remark).await?;
    teller.end()?.finish()?;
    if !args.quiet {
        tell(&format!(
            "part {} of {}: {count} artifacts; no answer yet: argo-attest audit merge makes it of all reports\n",
            head.shard.number(),
            head.shard.of()
        ));
        if exit != Exit::Done {
            tell("something of it could not be looked at: audit this part again\n");
        }
    }
    Ok(exit)
}

/// How a part ends that could not find out this.
fn unknown_as(finding: &Finding) -> Exit {
    let is_unknown = finding.standing() == Standing::Unknown;
    finding.fault().filter(|_| is_unknown).map_or(Exit::Done, Exit::from)
}

fn text(entry: &Entry) -> Result<EntryText, Failure> {
    let json = to_raw_value(&EntryJson::new(entry))
        .map_err(|e| Failure::new(Exit::Software, format!("cannot write the report as JSON: {e}")))?;
    let unknown = (entry.finding.standing() == Standing::Unknown).then(|| entry.finding.fault()).flatten();
    Ok(EntryText { json, unknown })
}

fn failed(error: &std::io::Error) -> Failure {
    Failure::new(Exit::Io, format!("cannot write the report: {}", causes(error)))
        .remedy("the report is not complete: look where it goes, and audit this part again")
}
