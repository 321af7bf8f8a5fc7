//! Writing it.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Head, Listing, NodeRun, Open};
use crate::relpath::escaped;
use crate::secret::redacted;
use crate::trouble::Fault;

/// One finding as the audit tells it, and what kind of trouble it is if it could not be found out.
#[derive(Debug)]
pub struct EntryText {
    /// The JSON object.
    pub json: Box<RawValue>,
    /// The kind of trouble.
    pub unknown: Option<Fault>,
}

/// Writes a report: the head first, and at last [`ShardWriter::end`].
#[derive(Debug)]
pub struct ShardWriter<W> {
    to: W,
    lines: u64,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(rename = "as")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    places: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stores: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_ours: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<[&'a str; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_on: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<&'a RawValue>,
}

impl<W: Write> ShardWriter<W> {
    /// Begins a report.
    pub fn begin(to: W, head: &Head) -> io::Result<Self> {
        let mut writer = Self { to, lines: 0 };
        writer.line(&Wire {
            kind: "head",
            program: Some(&head.program),
            shard: Some(head.shard.to_string()),
            run_id: Some(&head.run),
            asked: Some(&head.asked),
            places: Some(head.places.iter().map(|place| name(place)).collect()),
            stores: Some(&head.stores),
            since: head.since,
            not_ours: Some(&head.not_ours),
            ..Wire::default()
        })?;
        Ok(writer)
    }

    /// A place that could not be looked at.
    pub fn place(&mut self, entry: &EntryText) -> io::Result<()> {
        self.line(&with("place", entry))
    }

    /// What there was in a place.
    pub fn listed(&mut self, place: usize, Listing { count, digest }: Listing) -> io::Result<()> {
        let digest = Some(digest.to_string());
        self.line(&Wire { kind: "listed", place: Some(place), count: Some(count), digest, ..Wire::default() })
    }

    /// An artifact, which is the one with this number of all in this place.
    pub fn artifact(&mut self, place: usize, at: u64, entry: &EntryText) -> io::Result<()> {
        self.line(&Wire { place: Some(place), at: Some(at), ..with("artifact", entry) })
    }

    /// How many of a place have not changed.
    pub fn older(&mut self, place: usize, count: u64) -> io::Result<()> {
        self.line(&Wire { kind: "older", place: Some(place), count: Some(count), ..Wire::default() })
    }

    /// How a node ended is known.
    pub fn ended(&mut self, run: &NodeRun, started_on: Option<Timestamp>) -> io::Result<()> {
        self.line(&Wire { kind: "ended", node: Some(pair(run)), started_on, ..Wire::default() })
    }

    /// What an outcome says.
    pub fn outcome(&mut self, from: &[u8], open: Option<&Open>, entry: &EntryText) -> io::Result<()> {
        self.line(&of_outcome("outcome", from, open, entry))
    }

    /// What there is of an object that an outcome names.
    pub fn object(&mut self, from: &[u8], open: Option<&Open>, entry: &EntryText) -> io::Result<()> {
        self.line(&of_outcome("object", from, open, entry))
    }

    /// An attestation of what is not there.
    pub fn left(&mut self, entry: &EntryText) -> io::Result<()> {
        self.line(&with("left", entry))
    }

    /// Says that this is all.
    pub fn end(mut self) -> io::Result<W> {
        self.line(&Wire { kind: "end", count: Some(self.lines), ..Wire::default() })?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn line(&mut self, wire: &Wire<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut self.to, wire)?;
        self.to.write_all(b"\n")?;
        self.lines += 1;
        Ok(())
    }
}

fn with<'a>(kind: &'a str, EntryText { json, unknown }: &'a EntryText) -> Wire<'a> {
    Wire { kind, entry: Some(json), fault: unknown.map(word), ..Wire::default() }
}

fn of_outcome<'a>(kind: &'a str, from: &[u8], open: Option<&'a Open>, entry: &'a EntryText) -> Wire<'a> {
    Wire {
        from: Some(name(from)),
        open: open.is_some(),
        node: open.and_then(|open| open.run.as_ref()).map(pair),
        started_on: open.and_then(|open| open.started_on),
        ..with(kind, entry)
    }
}

/// A name, in the form from which its bytes can be had.
fn name(bytes: &[u8]) -> String {
    redacted(&escaped(bytes)).into_owned()
}

fn pair((uid, node): &NodeRun) -> [&str; 2] {
    [uid, node]
}

/// The word for a kind of trouble.
pub(super) fn word(fault: Fault) -> &'static str {
    match fault {
        Fault::No => "no",
        Fault::Usage => "usage",
        Fault::Malformed => "malformed",
        Fault::Missing => "missing",
        Fault::Unavailable => "unavailable",
        Fault::Bug => "bug",
        Fault::Io => "io",
        Fault::Permission => "permission",
    }
}
