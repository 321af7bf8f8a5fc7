//! The bytes of a file that is to be signed as what it is: those that were digested, or none.

use std::collections::BTreeMap;
use std::fs::File;
use std::time::Duration;

use argo_attest_core::argo::{Predicates, Report};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::predicate::{Document, MAX_DOCUMENT};
use argo_attest_core::relpath::RelPath;
use argo_attest_core::text::causes;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::{Documents, Key, Read, key};
use crate::observe::{Artifact, Root, SealedArtifact, Seen, Shape};
use crate::regular_file::read_all;
use crate::sidecar::grace::{Deadline, TimeUp};
use crate::sidecar::packed;
use crate::sidecar::planned::{Planned, Way};

/// Bytes of all documents of a step: they are held until the last of them is signed.
const MAX_TOGETHER: usize = 16 * 1024 * 1024;
/// How long all of them may take to be read, or a part of what is left of the grace period if that is
/// longer: a volume that hangs, or a report in a large archive, must not keep the outputs themselves
/// from being attested.
const READING: Duration = Duration::from_secs(5);
const PART_FOR_READING: u32 = 4;
/// Why one was not read.
const TOO_LATE: &str = "there was no time to read it";

impl<'a> Documents<'a> {
    /// Reads what the step names, of outputs as they were sealed. What changed after `ended` is not
    /// main's.
    pub(in crate::sidecar) async fn read(
        predicates: &'a Predicates,
        outputs: &[Planned],
        sealed: &BTreeMap<usize, SealedArtifact>,
        ended: i64,
        deadline: Deadline,
    ) -> Self {
        let long = READING.max(deadline.left() / PART_FOR_READING);
        let until = deadline.or_before(Deadline::after(long));
        let mut read: BTreeMap<Key, Read> = BTreeMap::new();
        let mut left = MAX_TOGETHER;
        for report in predicates.iter() {
            if read.contains_key(&key(report)) {
                continue;
            }
            let found = match until.within(document(report, outputs, sealed, ended, &mut left)).await {
                Ok(Ok(Some(document))) => Read::Document(document),
                Ok(Ok(None)) => Read::Absent,
                Ok(Err(reason)) => Read::Refused(reason),
                Err(TimeUp) => Read::Refused(TOO_LATE.to_owned()),
            };
            read.insert(key(report), found);
        }
        Self { predicates, read, one_at_a_time: Mutex::new(()) }
    }
}

/// One of them; `None` if its output is rightly absent. `left`: bytes that may still be held.
async fn document(
    report: &Report,
    outputs: &[Planned],
    sealed: &BTreeMap<usize, SealedArtifact>,
    ended: i64,
    left: &mut usize,
) -> Result<Option<Document>, String> {
    let output = outputs.iter().find(|output| output.name == report.artifact);
    let output = output.ok_or("the step has no such output artifact")?;
    let way = output.way.as_ref().map_err(Clone::clone)?;
    let sealed = sealed.get(&way.at).ok_or("it was not observed")?;
    if sealed.shape() == Shape::Missing {
        return if output.optional { Ok(None) } else { Err("main did not write it".to_owned()) };
    }
    if let Some(change) = sealed.changed_after(ended) {
        return Err(format!("{change} after main had ended"));
    }
    let bytes = content(way, sealed, &report.path).await?;
    let rest = left.checked_sub(bytes.len());
    *left =
        rest.ok_or_else(|| format!("the step's documents have more than {MAX_TOGETHER} bytes together"))?;
    let kind = report.kind.clone();
    // Megabytes, while SIGTERM has to be heard.
    let read = spawn_blocking(move || Document::read(&kind, &bytes)).await.map_err(|e| e.to_string())?;
    read.map(Some).map_err(|error| causes(&error))
}

async fn content(way: &Way, sealed: &SealedArtifact, path: &RelPath) -> Result<Vec<u8>, String> {
    if way.packed {
        return packed::content(way, sealed, path, MAX_DOCUMENT).await;
    }
    let Some(seen) = sealed.files().get(path).map(|seen| **seen) else {
        let why = sealed.refused().iter().find(|(refused, _)| refused == path);
        return Err(why.map_or_else(|| absent(sealed, path), |(_, why)| why.to_string()));
    };
    let (artifact, path) = (sealed.artifact().clone(), path.clone());
    spawn_blocking(move || on_volume(&artifact, &path, seen)).await.map_err(|e| e.to_string())?
}

fn absent(sealed: &SealedArtifact, path: &RelPath) -> String {
    match sealed.shape() {
        Shape::Directory | Shape::Loose if path.is_root() => {
            "it is a directory: name the file in it, as OUTPUT/PATH".to_owned()
        }
        _ => format!("there is no file {path} in the output"),
    }
}

/// Blocks.
fn on_volume(artifact: &Artifact, path: &RelPath, seen: Seen) -> Result<Vec<u8>, String> {
    if usize::try_from(seen.size).map_or(true, |size| size > MAX_DOCUMENT) {
        return Err(format!("it has {} bytes, and at most {MAX_DOCUMENT} are signed", seen.size));
    }
    let root = Root::open(&artifact.root).map_err(|e| causes(&e))?;
    let (file, _) = root.open_file(&artifact.path.concat(path)).map_err(|e| e.to_string())?;
    let bytes = read_all(File::from(file), MAX_DOCUMENT).map_err(|e| causes(&e))?;
    // Whoever else can write to the volume is not main, and what is signed is what was seen.
    if Sha256Digest::of(&bytes) == seen.digest {
        Ok(bytes)
    } else {
        Err("it was changed after it was digested".to_owned())
    }
}
