//! Outputs that only exist packed: what the emissary's `.tgz` holds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;

use argo_attest_core::archive::{EntryKind, ExpectedFile, Inventory, Limits, inventory, inventory_with};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::links::{Leads, LinkTarget, Links};
use argo_attest_core::relpath::RelPath;
use argo_attest_core::text::causes;

use super::planned::Way;
use crate::observe::{Artifact, NOTHING_IN_IT, Refusal, Root, SealedArtifact, Seen, SeenFiles, Shape};

/// For outputs of which only Argo's `.tgz` can be seen: what that holds.
pub(super) async fn unpack(way: &Way, sealed: SealedArtifact) -> Result<SealedArtifact, String> {
    if !way.packed {
        return Ok(sealed);
    }
    let Some(archive) = sealed.files().get(&RelPath::root()).map(|seen| **seen) else {
        return Err("what Argo packed cannot be read".into());
    };
    let artifact = sealed.artifact().clone();
    let base = way.plan.packed_base().to_vec();
    let read = move || read(&artifact, &base, &archive.digest);
    let inventory = tokio::task::spawn_blocking(read).await.map_err(|e| e.to_string())??;
    Ok(as_sealed(sealed, inventory, archive))
}

/// Digests of what a small `.tgz` holds, where only that can be seen; none where it cannot be read.
pub(super) async fn digests(way: &Way, sealed: &SealedArtifact, most: u64) -> Vec<Sha256Digest> {
    let archive = sealed.files().get(&RelPath::root()).filter(|seen| way.packed && seen.size <= most);
    let Some(Seen { digest: expected, .. }) = archive.map(|seen| **seen) else { return Vec::new() };
    let artifact = sealed.artifact().clone();
    let base = way.plan.packed_base().to_vec();
    let read = tokio::task::spawn_blocking(move || read(&artifact, &base, &expected)).await;
    let Ok(Ok(Inventory { files, .. })) = read else { return Vec::new() };
    files.into_values().map(|file| file.digest).collect()
}

/// The content of one file of what Argo packed, where only that can be seen.
pub(super) async fn content(
    way: &Way,
    sealed: &SealedArtifact,
    path: &RelPath,
    most: usize,
) -> Result<Vec<u8>, String> {
    let archive = sealed.files().get(&RelPath::root()).ok_or("what Argo packed cannot be read")?;
    let (artifact, base, expected) =
        (sealed.artifact().clone(), way.plan.packed_base().to_vec(), archive.digest);
    let path = path.clone();
    let reading = move || {
        let archive = open(&artifact)?;
        let (found, content) =
            inventory_with(archive, &base, Limits::PACKED, &path, most).map_err(|e| causes(&e))?;
        unchanged(&found, &expected)?;
        match (found.files.get(&path), content) {
            (Some(file), Some(content)) if file.digest == Sha256Digest::of(&content) => Ok(content),
            (Some(file), _) => Err(format!("it has {} bytes, and at most {most} are signed", file.size)),
            (None, _) if path.is_root() => {
                Err("it is a directory: name the file in it, as OUTPUT/PATH".to_owned())
            }
            (None, _) => Err(format!("there is no file {path} in the output")),
        }
    };
    tokio::task::spawn_blocking(reading).await.map_err(|e| e.to_string())?
}

fn as_sealed(sealed: SealedArtifact, inventory: Inventory, archive: Seen) -> SealedArtifact {
    let Inventory { is_directory, files, links, special, .. } = inventory;
    let seen = |file: ExpectedFile| {
        Box::new(Seen {
            digest: file.digest,
            // The store's checksum is of an object; a file in an archive has to be one to be compared.
            crc64nvme: None,
            size: file.size,
            digested: archive.digested,
            changed: archive.changed,
        })
    };
    let files: SeenFiles = files.into_iter().map(|(path, file)| (path, seen(file))).collect();
    let mut refused: Vec<_> = special.into_iter().map(|(path, kind)| (path, refusal(kind))).collect();
    let leaving = links.leads().filter_map(|(path, leads)| Some((path.clone(), stray(leads)?)));
    let leaving: BTreeMap<_, _> = leaving.collect();
    let within = |(path, target): (&RelPath, &LinkTarget)| {
        (!leaving.contains_key(path)).then(|| (path.clone(), target.clone()))
    };
    // Of too many, which of them lead where is nobody's question.
    let links: Links = if links.are_too_many() { links } else { links.iter().filter_map(within).collect() };
    refused.extend(leaving);
    let nothing = files.is_empty() && links.is_empty();
    let shape = match (is_directory, nothing, refused.is_empty()) {
        (false, false, _) => Shape::File,
        (true, false, _) | (true, true, true) => Shape::Directory,
        (false, true, _) => Shape::Refused,
        (true, true, false) => Shape::Nothing(NOTHING_IN_IT),
    };
    sealed.unpacked(shape, files, links, refused)
}

/// Why a link is refused that leads there.
fn stray(leads: Leads) -> Option<Refusal> {
    match leads {
        Leads::Inside => None,
        Leads::Outside => Some(Refusal::LinkLeaves),
        Leads::Astray => Some(Refusal::LinkAstray),
    }
}

fn refusal(kind: EntryKind) -> Refusal {
    match kind {
        EntryKind::Symlink | EntryKind::HardLink => Refusal::Symlink,
        EntryKind::Fifo => Refusal::Fifo,
        EntryKind::Device => Refusal::CharDevice,
        EntryKind::File | EntryKind::Directory => Refusal::UnknownKind,
    }
}

/// Lists the `.tgz` whose digest was `expected` when it was written. Blocks.
fn read(artifact: &Artifact, base: &[u8], expected: &Sha256Digest) -> Result<Inventory, String> {
    let found = inventory(open(artifact)?, base, Limits::PACKED).map_err(|e| causes(&e))?;
    unchanged(&found, expected)?;
    Ok(found)
}

fn open(artifact: &Artifact) -> Result<BufReader<File>, String> {
    let root = Root::open(&artifact.root).map_err(|e| causes(&e))?;
    let (file, _) = root.open_file(&artifact.path).map_err(|e| e.to_string())?;
    Ok(BufReader::new(File::from(file)))
}

/// Main can write there too, and may have, since it was digested.
fn unchanged(found: &Inventory, expected: &Sha256Digest) -> Result<(), String> {
    if found.object.digest == *expected {
        Ok(())
    } else {
        Err("what Argo packed was changed after it was written".into())
    }
}
