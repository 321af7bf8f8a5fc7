//! `argo-attest audit merge`: the reports of all parts, as one.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use argo_attest_core::secret::shown_path;
use argo_attest_core::text::causes;

use super::super::trusted::{input_once, trusted};
use super::super::{Exit, Failure, tell};
use super::AuditArgs;
use super::also::Also;
use super::shard::asked;
use super::told::Teller;
use crate::attestations::is_called_attestation;
use crate::audit::merge::{MergeError, Parts};
use crate::regular_file::{self, Links};

/// More files are not all parts of one audit.
const MOST_FILES: usize = argo_attest_core::audit::MOST_SHARDS as usize;

impl From<MergeError> for Failure {
    fn from(error: MergeError) -> Self {
        Self::from(&error).about("the reports are not put together")
    }
}

/// Puts the reports of all parts together.
pub(super) async fn merged(args: &AuditArgs, reports: &[PathBuf], began: Instant) -> Result<Exit, Failure> {
    let narrows = !args.file.is_empty() || args.shard.is_some() || args.since.is_some();
    if narrows || args.selector.is_some() || args.annotate {
        return Err(Failure::new(Exit::Usage, "reports are put together as they are").remedy(
            "leave out -f, --shard, --since, --selector and --annotate; for a place called merge write ./merge",
        ));
    }
    args.without_more("reports that are put together")?;
    let parts = self::reports(reports, args.quiet)?;
    judged_so(args, &parts, reports).await?;
    let shown = |place: &Vec<u8>| super::told::shown(&String::from_utf8_lossy(place));
    let places: Vec<_> = parts.head().map(|head| head.places.iter().map(shown).collect()).unwrap_or_default();
    let mut teller = args.teller(Also::default())?;
    let narrowing = parts.narrowing().beyond(&[super::USUAL_LOG]);
    teller.begin(narrowing.clone())?;
    merge(parts, &mut teller)?;
    let (totals, _, exit) = teller.end()?;
    args.write_metrics(&places, &totals, &narrowing, began)?;
    if !args.quiet {
        super::summary(&totals, false, false, args.output);
    }
    Ok(exit)
}

/// Holds the reports to what is said here of whom to trust and what nobody attests, where that is said: whoever
/// names a policy must not be answered by the words of another.
async fn judged_so<R: BufRead>(
    args: &AuditArgs,
    parts: &Parts<R>,
    reports: &[PathBuf],
) -> Result<(), Failure> {
    let Some(head) = parts.head() else { return Ok(()) };
    let differs = |what| Failure::from(MergeError::Otherwise { what });
    let says_not_ours = !args.not_ours.is_empty();
    if says_not_ours && args.narrowing(None).not_ours != head.not_ours {
        return Err(differs("names with --not-ours"));
    }
    if !args.says_whom_to_trust() {
        return Ok(());
    }
    input_once(args.policy.iter().chain(&args.trusted_root), &args.key, reports)?;
    let policy = trusted(args.trusting()).await?.policy;
    let not_ours = if says_not_ours { &args.not_ours } else { &head.not_ours };
    if asked(&policy, not_ours) == head.asked { Ok(()) } else { Err(differs("keys, policy or options")) }
}

/// The reports of all parts that are named, or lie in directories that are. Attestations that lie there with them
/// are none: where they do, what stages reports stages those as well.
fn reports(named: &[PathBuf], quiet: bool) -> Result<Parts<BufReader<File>>, Failure> {
    let mut files = Vec::new();
    for path in named {
        if path.is_dir() {
            let is_attestation = |path: &PathBuf| is_called_attestation(path.as_os_str().as_bytes());
            let (attestations, mut found): (Vec<_>, Vec<_>) =
                beneath(path)?.into_iter().partition(is_attestation);
            if !attestations.is_empty() && !quiet {
                let (count, directory) = (attestations.len(), shown_path(path));
                tell(&format!(
                    "note: {count} attestations in {directory} are passed over: they are no reports\n"
                ));
            }
            found.sort();
            files.append(&mut found);
        } else {
            files.push(path.clone());
        }
        if files.len() > MOST_FILES {
            return Err(Failure::new(Exit::Usage, format!("there are more than {MOST_FILES} reports"))
                .remedy("name the reports of one audit"));
        }
    }
    let open = |path: PathBuf| {
        let file = regular_file::open(&path, Links::Followed)
            .map_err(|e| Failure::from(&e).about(&format!("cannot read {}", shown_path(&path))))?;
        Ok((shown_path(&path), BufReader::new(file)))
    };
    let files = files.into_iter().map(open).collect::<Result<_, Failure>>()?;
    Ok(Parts::of(files)?)
}

/// Tells the reports of all parts as one.
fn merge(parts: Parts<BufReader<File>>, teller: &mut Teller) -> Result<(), Failure> {
    teller.places();
    parts.tell(|entry| teller.entry(&entry))
}

/// What a directory holds that is no directory itself.
fn beneath(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |e: &std::io::Error| {
        Failure::new(Exit::Io, format!("cannot read {}: {}", shown_path(directory), causes(e)))
            .remedy("check that the user this runs as may read it")
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(|e| failed(&e))? {
        let path = entry.map_err(|e| failed(&e))?.path();
        if !path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}
