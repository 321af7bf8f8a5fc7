//! Reading it.

use std::borrow::Cow;
use std::io::{BufRead, Read as _};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::write::word;
use super::{
    About, Head, Line, Listing, MAX_LINE, NodeRun, Open, Reported, ReportedStep, ShardReportError, rank,
};
use crate::audit::{Finding, Retold, Standing, Told};
use crate::json::{self, Limits, Object};
use crate::relpath::unescaped;
use crate::trouble::Fault;
use crate::verify::Reason;

const LIMITS: Limits = Limits { bytes: MAX_LINE, values: 20_000, depth: 12 };
const FAULTS: [Fault; 8] = [
    Fault::No,
    Fault::Usage,
    Fault::Malformed,
    Fault::Missing,
    Fault::Unavailable,
    Fault::Bug,
    Fault::Io,
    Fault::Permission,
];

/// A report that is read line by line.
#[derive(Debug)]
pub struct ShardReport<R> {
    from: R,
    head: Head,
    /// Lines so far.
    lines: u64,
    /// Places that could not be looked at.
    unread: usize,
    /// Places of which there is a listing.
    listed: usize,
    rank: u8,
    last: Option<(usize, u64)>,
    is_over: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire<'a> {
    #[serde(rename = "as", borrow)]
    kind: Cow<'a, str>,
    program: Option<String>,
    shard: Option<String>,
    run_id: Option<String>,
    asked: Option<String>,
    places: Option<Vec<String>>,
    stores: Option<Vec<String>>,
    since: Option<Timestamp>,
    not_ours: Option<Vec<String>>,
    place: Option<usize>,
    at: Option<u64>,
    count: Option<u64>,
    digest: Option<String>,
    from: Option<String>,
    #[serde(default)]
    open: bool,
    node: Option<(String, String)>,
    started_on: Option<Timestamp>,
    fault: Option<String>,
    #[serde(borrow)]
    entry: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Entry {
    artifact: String,
    about: String,
    verdict: String,
    reason: Option<String>,
    message: Option<String>,
    remedy: Option<String>,
    node: Option<Object<Step>>,
    output: Option<String>,
    #[serde(flatten)]
    accepted: Map<String, Value>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Step {
    id: Option<String>,
    name: Option<String>,
    template: Option<String>,
    phase: Option<String>,
    workflow: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
}

impl<R: BufRead> ShardReport<R> {
    /// Reads the head.
    ///
    /// Errors: [`ShardReportError`], as of every line.
    pub fn open(mut from: R) -> Result<Self, ShardReportError> {
        let bytes = line(&mut from, 1)?.ok_or(ShardReportError::NoHead)?;
        let wire = json::parse::<Wire<'_>>(&bytes, LIMITS).map_err(|_| ShardReportError::NoHead)?;
        let head = head(wire)?.ok_or(ShardReportError::NoHead)?;
        Ok(Self { from, head, lines: 1, unread: 0, listed: 0, rank: 0, last: None, is_over: false })
    }

    /// Which audit it is of.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The next line; `None` once its end was read, and nothing came behind that.
    pub fn next_line(&mut self) -> Result<Option<Line>, ShardReportError> {
        if self.is_over {
            return Ok(None);
        }
        let number = self.lines + 1;
        let Some(bytes) = line(&mut self.from, number)? else {
            return Err(ShardReportError::CutOff { line: self.lines });
        };
        let refused = |why| ShardReportError::Line { line: number, why };
        let wire: Wire<'_> =
            json::parse(&bytes, LIMITS).map_err(|source| ShardReportError::Json { line: number, source })?;
        if wire.kind == "end" {
            if wire.count != Some(self.lines) {
                return Err(refused("it is the end of another number of lines"));
            }
            if self.unread + self.listed != self.head.places.len() {
                return Err(refused("it does not say of each place what there was"));
            }
            if !self.from.fill_buf()?.is_empty() {
                return Err(refused("more follows the end"));
            }
            self.is_over = true;
            return Ok(None);
        }
        let next = self.of(wire).map_err(refused)?;
        self.lines = number;
        Ok(Some(next))
    }

    fn of(&mut self, wire: Wire<'_>) -> Result<Line, &'static str> {
        let place = |wire: &Wire<'_>| {
            wire.place
                .filter(|place| *place < self.head.places.len())
                .ok_or("it is of no place of this audit")
        };
        let line = match wire.kind.as_ref() {
            "place" => Line::Place(entry(&wire)?),
            "listed" => Line::Listed { place: place(&wire)?, listing: listing(&wire)? },
            "artifact" => Line::Artifact {
                place: place(&wire)?,
                at: wire.at.ok_or("it does not say where among the others it is")?,
                entry: entry(&wire)?,
            },
            "older" => Line::Older { place: place(&wire)?, count: wire.count.ok_or("it has no count")? },
            "ended" => Line::Ended { run: wire.node.ok_or("it names no node")?, started_on: wire.started_on },
            "outcome" => Line::Outcome { from: from(&wire)?, open: open(&wire), entry: entry(&wire)? },
            "object" => Line::Object { from: from(&wire)?, open: open(&wire), entry: entry(&wire)? },
            "left" => Line::Left(entry(&wire)?),
            _ => return Err("it is nothing that a report has"),
        };
        if matches!(line, Line::Place(_)) {
            self.unread += 1;
            if self.unread > self.head.places.len() {
                return Err("more places could not be looked at than there are");
            }
        }
        if let Line::Listed { place, .. } = &line {
            if self.last.is_some_and(|(last, _)| last >= *place) {
                return Err("places do not come in their order, each once");
            }
            self.listed += 1;
            self.last = Some((*place, 0));
        }
        let rank = rank(&line);
        if rank > self.rank {
            // Another kind of line, which has an order of its own.
            self.last = self.last.filter(|_| matches!(line, Line::Listed { .. }));
        }
        if rank < self.rank {
            return Err("it does not come in its order");
        }
        self.rank = rank;
        if let Line::Artifact { place, at, .. } = &line {
            let this = (*place, *at);
            if self.last.is_some_and(|last| last >= this) {
                return Err("artifacts do not come in their order, each once");
            }
            self.last = Some(this);
        }
        Ok(line)
    }
}

/// A line without its end; `None` where there is none. The last one has an end as well.
fn line(from: &mut impl BufRead, number: u64) -> Result<Option<Vec<u8>>, ShardReportError> {
    let mut bytes = Vec::new();
    from.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut bytes)?;
    match bytes.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(bytes)),
        Some(_) if bytes.len() >= MAX_LINE => Err(ShardReportError::TooLong { line: number }),
        Some(_) => Err(ShardReportError::CutOff { line: number }),
    }
}

/// The head; `None` if it is none.
fn head(wire: Wire<'_>) -> Result<Option<Head>, ShardReportError> {
    let (Some(program), Some(shard), Some(run), Some(asked), Some(places)) =
        (wire.program, wire.shard, wire.run_id, wire.asked, wire.places)
    else {
        return Ok(None);
    };
    let (Some(stores), Some(not_ours)) = (wire.stores, wire.not_ours) else { return Ok(None) };
    let places: Result<Vec<_>, _> = places.iter().map(|place| unescaped(place)).collect();
    let Ok(places) = places else { return Ok(None) };
    if wire.kind != "head" || places.is_empty() {
        return Ok(None);
    }
    let (shard, since) = (shard.parse()?, wire.since);
    Ok(Some(Head { program, shard, run, asked, places, stores, since, not_ours }))
}

fn listing(wire: &Wire<'_>) -> Result<Listing, &'static str> {
    let digest = wire.digest.as_deref().and_then(|digest| digest.parse().ok()).ok_or("it has no digest")?;
    Ok(Listing { count: wire.count.ok_or("it has no count")?, digest })
}

fn from(wire: &Wire<'_>) -> Result<Vec<u8>, &'static str> {
    let from = wire.from.as_deref().ok_or("it names no outcome")?;
    unescaped(from).map_err(|_| "the outcome's name is not escaped as it has to be")
}

fn open(wire: &Wire<'_>) -> Option<Open> {
    let run: Option<NodeRun> = wire.node.clone();
    wire.open.then_some(Open { run, started_on: wire.started_on })
}

fn entry(wire: &Wire<'_>) -> Result<Reported, &'static str> {
    let text = wire.entry.ok_or("it has no finding")?;
    let Object(entry): Object<Entry> = serde_json::from_str(text.get()).map_err(|_| "its finding is none")?;
    let finding = finding(&entry, wire.fault.as_deref())?;
    let about = match entry.about.as_str() {
        "artifact" => About::Artifact,
        "step" => About::Step,
        "output" => About::Output,
        "input" => About::Input,
        "attestation" => About::Attestation,
        _ => return Err("it is about nothing that there is"),
    };
    let step = entry.node.map(|Object(step)| {
        let Step { id, name, template, phase, workflow, namespace, uid } = step;
        ReportedStep { id, name, template, phase, workflow, namespace, uid }
    });
    if matches!(about, About::Step | About::Output) && step.is_none() {
        return Err("it is about a step that it does not name");
    }
    let artifact = unescaped(&entry.artifact).map_err(|_| "its name is not escaped as it has to be")?;
    Ok(Reported { artifact, about, finding, step, output: entry.output, accepted: entry.accepted })
}

/// What is said, if that can be said together.
fn finding(entry: &Entry, fault: Option<&str>) -> Result<Finding, &'static str> {
    let standing = match entry.verdict.as_str() {
        "attested" => Standing::Attested,
        "accounted" => Standing::Accounted,
        "missing" => Standing::LetPass,
        "refused" => Standing::Missing,
        "error" => Standing::Unknown,
        _ => return Err("its verdict is none"),
    };
    let fault = match fault {
        Some(fault) => Some(FAULTS.into_iter().find(|of| word(*of) == fault).ok_or("its fault is none")?),
        None => None,
    };
    if (standing == Standing::Unknown) != fault.is_some() {
        return Err("what could not be found out has a fault, and nothing else has");
    }
    if (standing == Standing::Attested) == entry.accepted.is_empty() {
        return Err("what is attested says by whom, and nothing else does");
    }
    let Some(code) = &entry.reason else {
        let is_plain = standing == Standing::Attested && entry.message.is_none() && entry.remedy.is_none();
        return if is_plain { Ok(Finding::Attested) } else { Err("it has no reason") };
    };
    let reason = Reason::ALL.iter().find(|reason| reason.code() == code).ok_or("its reason is none")?;
    let told = Told {
        reason: *reason,
        fault: fault.unwrap_or(Fault::No),
        message: entry.message.clone().ok_or("it has no message")?,
        remedy: entry.remedy.clone(),
    };
    Ok(Finding::Retold(Retold { standing, told }))
}
