//! The reports of all parts of an audit, as one: what one audit of the whole would have said.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::BufRead;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use argo_attest_core::audit::shard_report::{
    About, Head, Line, Listing, Reported, ReportedStep, ShardReport, ShardReportError,
};
use argo_attest_core::audit::{Finding, Narrowing, Told, Unseen};
use argo_attest_core::relpath::printable;
use argo_attest_core::trouble::{Fault, Trouble};
use argo_attest_core::verify::Reason;
use serde_json::Value;

use super::{Entry, Remark, Settler, Step, Subject};
use crate::report::Accepted;
use crate::verify::MAX_ENTRIES;

/// Of so many nodes, and objects, something is kept to the end: as many as one audit looks at.
const MOST_KEPT: usize = MAX_ENTRIES;

/// Why reports are not put together.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// There is none.
    #[error("no report is named")]
    None,
    /// One of them cannot be read.
    #[error("{report}")]
    Report {
        /// Which one, printable.
        report: String,
        /// Why not.
        source: ShardReportError,
    },
    /// They are not of the same audit.
    #[error("{report} is of another audit than {first}: {what} differs")]
    Another {
        /// Which one, printable.
        report: String,
        /// Another one, printable.
        first: String,
        /// What of it.
        what: &'static str,
    },
    /// They were judged by something else than is said where they are put together.
    #[error("the reports are of an audit by other {what} than are given here")]
    Otherwise {
        /// What differs, in the plural.
        what: &'static str,
    },
    /// A part is there more than once.
    #[error("{report} and {first} are both of part {part}")]
    Twice {
        /// One of them, printable.
        report: String,
        /// The other one, printable.
        first: String,
        /// Which part.
        part: u32,
    },
    /// They say more than is kept.
    #[error("the reports have more than {MOST_KEPT} nodes that ended, or objects that outcomes name")]
    TooMany,
    /// A part is not there.
    #[error("there is no report of part {part} of {of}")]
    Missing {
        /// Which one.
        part: u32,
        /// Of how many.
        of: u32,
    },
}

impl Trouble for MergeError {
    fn fault(&self) -> Fault {
        match self {
            Self::None => Fault::Usage,
            Self::Report { source, .. } => source.fault(),
            Self::Another { .. } | Self::Otherwise { .. } | Self::Twice { .. } | Self::TooMany => {
                Fault::Malformed
            }
            Self::Missing { .. } => Fault::Missing,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::None => "name the reports of all parts, or a directory with them",
                Self::Report { source, .. } => return source.remedy(),
                Self::Another { .. } => {
                    "audit all parts with the same program, policy and options, and the same --run-id"
                }
                Self::Otherwise { .. } => {
                    "give here what all parts were audited by, or nothing of it; else audit them again"
                }
                Self::TooMany => "audit less at a time",
                Self::Twice { .. } => "give the report of each part once",
                Self::Missing { .. } => "audit that part, and give its report as well",
            }
            .to_owned(),
        )
    }
}

/// The reports of all parts.
#[derive(Debug)]
pub struct Parts<R>(Vec<Part<R>>);

#[derive(Debug)]
struct Part<R> {
    name: String,
    report: ShardReport<R>,
    next: Option<Line>,
}

impl<R: BufRead> Part<R> {
    /// The next line, if it is one of those, and then on.
    fn take_if(&mut self, is: impl FnOnce(&Line) -> bool) -> Result<Option<Line>, MergeError> {
        if !self.next.as_ref().is_some_and(is) {
            return Ok(None);
        }
        let line = self.next.take();
        self.advance()?;
        Ok(line)
    }

    fn advance(&mut self) -> Result<(), MergeError> {
        let failed = |source| MergeError::Report { report: self.name.clone(), source };
        self.next = self.report.next_line().map_err(failed)?;
        Ok(())
    }
}

impl<R: BufRead> Parts<R> {
    /// All parts of one audit, each with its name, which is printable.
    ///
    /// Errors: [`MergeError`], where these are not all parts of one audit.
    pub fn of(reports: Vec<(String, R)>) -> Result<Self, MergeError> {
        let mut parts: BTreeMap<u32, Part<R>> = BTreeMap::new();
        for (name, from) in reports {
            let failed = |source| MergeError::Report { report: name.clone(), source };
            let report = ShardReport::open(from).map_err(failed)?;
            if let Some((_, first)) = parts.first_key_value()
                && let Some(what) = difference(first.report.head(), report.head())
            {
                return Err(MergeError::Another { report: name, first: first.name.clone(), what });
            }
            let number = report.head().shard.number();
            if let Some(first) = parts.get(&number) {
                return Err(MergeError::Twice { report: name, first: first.name.clone(), part: number });
            }
            parts.insert(number, Part { name, report, next: None });
        }
        let of = parts.first_key_value().ok_or(MergeError::None)?.1.report.head().shard.of();
        if let Some(part) = (1..=of).find(|number| !parts.contains_key(number)) {
            return Err(MergeError::Missing { part, of });
        }
        let mut parts: Vec<_> = parts.into_values().collect();
        parts.iter_mut().try_for_each(Part::advance)?;
        Ok(Self(parts))
    }

    /// Which audit they are of: the head of the first.
    pub fn head(&self) -> Option<&Head> {
        self.0.first().map(|part| part.report.head())
    }

    /// By what it was narrowed, but for parts.
    pub fn narrowing(&self) -> Narrowing {
        let of = |head: &Head| Narrowing {
            since: head.since,
            selector: None,
            not_ours: head.not_ours.iter().map(|name| printable(name.as_bytes())).collect(),
        };
        self.head().map(of).unwrap_or_default()
    }

    /// Tells all of it, in the order in which one audit would have done.
    ///
    /// Errors: those of `tell`, and [`MergeError`] of what cannot be read further.
    pub fn tell<E: From<MergeError>>(
        mut self,
        mut tell: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut unread: Vec<Reported> = Vec::new();
        for part in &mut self.0 {
            while let Some(Line::Place(entry)) = part.take_if(|line| matches!(line, Line::Place(_)))? {
                // What each part met is told once.
                if !unread.contains(&entry) {
                    unread.push(entry);
                }
            }
        }
        for entry in unread {
            tell(entry_of(entry))?;
        }
        for entry in self.changing()? {
            tell(entry)?;
        }
        while let Some(Line::Artifact { entry, .. }) = self.first(|line| match line {
            Line::Artifact { place, at, .. } => Some((*place, *at)),
            _ => None,
        })? {
            tell(entry_of(entry))?;
        }
        for entry in self.older()? {
            tell(entry)?;
        }
        let (mut settler, mut kept) = (Settler::default(), 0_usize);
        let mut keep = || {
            kept += 1;
            if kept > MOST_KEPT { Err(MergeError::TooMany) } else { Ok(()) }
        };
        while let Some(line) = self.first(|line| matches!(line, Line::Ended { .. }).then_some(()))? {
            keep()?;
            settled(&mut settler, line, &mut tell)?;
        }
        while let Some(line) = self.first(|line| match line {
            Line::Outcome { from, open, .. } => Some((open.is_some(), from.clone())),
            _ => None,
        })? {
            settled(&mut settler, line, &mut tell)?;
        }
        while let Some(line) = self.first(|line| match line {
            Line::Object { from, open, .. } => Some((open.is_some(), from.clone())),
            _ => None,
        })? {
            keep()?;
            settled(&mut settler, line, &mut tell)?;
        }
        while let Some(line) = self.first(|line| match line {
            Line::Left(entry) => Some(entry.artifact.clone()),
            _ => None,
        })? {
            settled(&mut settler, line, &mut tell)?;
        }
        Ok(())
    }

    /// The line that comes first, of those that have a place in an order; of equals that of the
    /// first part.
    fn first<K: Ord>(&mut self, key: impl Fn(&Line) -> Option<K>) -> Result<Option<Line>, MergeError> {
        let keyed = |(at, part): (usize, &Part<R>)| Some((key(part.next.as_ref()?)?, at));
        let Some((_, at)) = self.0.iter().enumerate().filter_map(keyed).min() else { return Ok(None) };
        match self.0.get_mut(at) {
            Some(part) => part.take_if(|_| true),
            None => Ok(None),
        }
    }

    /// The places in which parts saw different things.
    fn changing(&mut self) -> Result<Vec<Entry>, MergeError> {
        let mut listings: BTreeMap<usize, Vec<Listing>> = BTreeMap::new();
        while let Some(Line::Listed { place, listing }) =
            self.first(|line| matches!(line, Line::Listed { .. }).then_some(()))?
        {
            listings.entry(place).or_default().push(listing);
        }
        let Some(Head { places, .. }) = self.head() else { return Ok(Vec::new()) };
        let differ = |(place, seen): (usize, Vec<Listing>)| {
            let first = seen.first()?;
            let differs = seen.iter().any(|listing| listing != first);
            Some(changing(path(places.get(place)?), &seen)).filter(|_| differs)
        };
        Ok(listings.into_iter().filter_map(differ).collect())
    }

    /// How many were not looked at, of each place.
    fn older(&mut self) -> Result<Vec<Entry>, MergeError> {
        let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
        while let Some(Line::Older { place, count }) =
            self.first(|line| matches!(line, Line::Older { .. }).then_some(()))?
        {
            let sum = counts.entry(place).or_default();
            *sum = sum.saturating_add(count);
        }
        let Some(Head { places, since: Some(since), .. }) = self.head() else { return Ok(Vec::new()) };
        let why = Unseen::Unchanged { since: *since };
        let older =
            |(place, count): (usize, u64)| Some(Entry::not_looked_at(path(places.get(place)?), count, why));
        Ok(counts.into_iter().filter_map(older).collect())
    }
}

/// What of two audits is not the same.
fn difference(one: &Head, other: &Head) -> Option<&'static str> {
    let Head { program, shard, run, asked, places, stores, since, not_ours } = one;
    [
        (*program != other.program, "the program's version"),
        (shard.of() != other.shard.of(), "the number of parts"),
        (*run != other.run, "the run (--run-id)"),
        (*places != other.places, "what was audited"),
        (*stores != other.stores, "the store's address"),
        (*since != other.since, "the time (--since)"),
        (*not_ours != other.not_ours, "what is not ours (--not-ours)"),
        (*asked != other.asked, "the policy, or an option,"),
    ]
    .into_iter()
    .find_map(|(differs, what)| differs.then_some(what))
}

fn settled<E: From<MergeError>>(
    settler: &mut Settler<'_>,
    line: Line,
    tell: &mut impl FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    let remark = match line {
        Line::Ended { run, started_on } => Remark::Ended { run, started_on },
        Line::Outcome { from, open, entry } => {
            Remark::Outcome { from: OsString::from_vec(from), open, entry: entry_of(entry) }
        }
        Line::Object { from, open, entry } => {
            Remark::Object { from: OsString::from_vec(from), open, entry: entry_of(entry) }
        }
        Line::Left(entry) => Remark::Left(entry_of(entry)),
        Line::Place(_) | Line::Listed { .. } | Line::Artifact { .. } | Line::Older { .. } => return Ok(()),
    };
    settler.settle(remark).map_or(Ok(()), tell)
}

/// That parts saw different things in a place. What one of them saw as a whole, another as its parts, may have
/// been looked at by none.
fn changing(place: PathBuf, seen: &[Listing]) -> Entry {
    let counts = seen.iter().map(|listing| listing.count);
    let (least, most) = (counts.clone().min().unwrap_or_default(), counts.max().unwrap_or_default());
    let told = if least == most {
        format!("the parts saw {most} objects each, and not the same ones")
    } else {
        format!("the parts saw from {least} to {most} objects")
    };
    let finding = Finding::Unknown(Told {
        reason: Reason::Changing,
        fault: Fault::Unavailable,
        message: format!("something came or went while it was audited: {told}"),
        remedy: Some("audit all parts again while nothing changes there, or the whole in one".to_owned()),
    });
    Entry { step: None, subject: Subject::Artifact { path: place, output: None }, finding, accepted: None }
}

fn path(name: &[u8]) -> PathBuf {
    OsString::from_vec(name.to_vec()).into()
}

/// A finding as it was, as far as a report tells it.
fn entry_of(reported: Reported) -> Entry {
    let Reported { artifact, about, finding, step, output, accepted } = reported;
    let path = PathBuf::from(OsString::from_vec(artifact));
    let step = step.map(|step| Arc::new(step_of(step)));
    let subject = match about {
        About::Artifact => Subject::Artifact { path, output },
        About::Step => Subject::Step,
        About::Output => Subject::Output(output.unwrap_or_default()),
        About::Input => Subject::Input(printable(path.into_os_string().as_encoded_bytes())),
        About::Attestation => Subject::Attestation(path),
    };
    let is_attested = !accepted.is_empty();
    let accepted = is_attested.then(|| serde_json::from_value::<Accepted>(Value::Object(accepted)));
    match accepted {
        Some(Ok(accepted)) => Entry { step, subject, finding, accepted: Some(Box::new(accepted)) },
        // Nothing may be told of as attested of which it is not known by whom.
        Some(Err(_)) => Entry { step, subject, finding: unreadable(), accepted: None },
        None => Entry { step, subject, finding, accepted: None },
    }
}

fn unreadable() -> Finding {
    Finding::Unknown(Told {
        reason: Reason::Malformed,
        fault: Fault::Malformed,
        message: "the report says that it is attested, and not by whom".to_owned(),
        remedy: Some("audit that part again".to_owned()),
    })
}

fn step_of(step: ReportedStep) -> Step {
    let ReportedStep { id, name, template, phase, workflow, namespace, uid } = step;
    Step { workflow, namespace, uid, node_id: id, node: name, template, phase }
}
