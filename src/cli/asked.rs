//! From what was named to the artifacts that are verified.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argo_attest_core::argo::StoreKind;
use argo_attest_core::audit::shard_report::Listing;
use argo_attest_core::policy::ArtifactKind;
use argo_attest_core::text::brief;

use super::answer::CheckFailure;
use super::images::ImageArgs;
use super::verify::{SCHEME, object_uri};
use super::{Exit, Failure};
use crate::registry::{Registries, RegistryError};
use crate::regular_file::{self, STANDARD_INPUT};
use crate::store::{self, Location, ProcessEnv, Store, StoreError};
use crate::verify::{
    Artifact, Artifacts, CheckError, Collection, FoundArtifact, Lanes, MAX_ENTRIES, OneWait, Orphan, Part,
    folder, prefix_part,
};

/// What some editors begin a text with.
const BYTE_ORDER_MARK: &str = "\u{feff}";
/// Bytes of a list on standard input.
const MAX_LIST: usize = 64 * 1024 * 1024;

/// One of the artifacts.
pub(super) struct Asked {
    /// What is said of it.
    pub(super) told: Told,
    /// What is to be checked, or why that is not known.
    pub(super) artifact: Result<Artifact, CheckFailure>,
}

/// What an argument stands for.
pub(super) enum Lot {
    /// Itself.
    Named(Asked),
    /// What was found in the place that it names; and which argument it is.
    Found(usize, Artifacts),
}

/// How an artifact is told of.
pub(super) struct Told {
    /// As it is told.
    pub(super) name: PathBuf,
    /// What a policy calls it where it has no attestation, if it has a name for that.
    pub(super) kind: Option<ArtifactKind>,
    /// Whether somebody named it as an argument.
    pub(super) is_named: bool,
    /// Whether it was found beneath something that was named.
    pub(super) is_found: bool,
}

impl From<FoundArtifact> for Asked {
    fn from(FoundArtifact { artifact, kind, at: _, is_late: _ }: FoundArtifact) -> Self {
        let told = Told { name: artifact.name(), kind, is_named: false, is_found: true };
        Self { told, artifact: Ok(artifact) }
    }
}

/// What arguments name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Naming {
    /// One artifact each, since one attestation is named for all of them: `-` is its bytes.
    One,
    /// An artifact, or a place with at least one.
    #[default]
    Artifacts,
    /// The same, or a place of which nothing is left but attestations.
    Attestations,
}

/// All of them, in order.
#[derive(Default)]
pub(super) struct All {
    pub(super) lots: VecDeque<Lot>,
    /// Attestations whose artifacts are not there.
    pub(super) orphans: Vec<Orphan>,
    /// Attestations that were not looked at, but for what they say of workflows.
    pub(super) old_outcomes: Vec<Orphan>,
    /// How many of an argument's were not looked at.
    pub(super) unchanged: Vec<(usize, u64)>,
    /// All that was listed of an argument, if only a part of it is here.
    pub(super) listings: Vec<(usize, Listing)>,
    /// Who looked at them, with connections that are still good.
    pub(super) lanes: Lanes,
    part: Part,
    /// Which argument it is.
    argument: usize,
    naming: Naming,
    /// The buckets, each opened once.
    pub(super) stores: BTreeMap<String, Arc<dyn Store>>,
    images: ImageArgs,
    /// Made when the first image is named.
    registries: Option<Registries>,
}

impl All {
    /// Of these arguments.
    pub(super) async fn of(
        arguments: &[PathBuf],
        naming: Naming,
        images: ImageArgs,
    ) -> Result<Self, Failure> {
        Self::part_of(arguments, naming, images, Part::default()).await
    }

    /// Of these arguments, of prefixes only a part.
    pub(super) async fn part_of(
        arguments: &[PathBuf],
        naming: Naming,
        images: ImageArgs,
        part: Part,
    ) -> Result<Self, Failure> {
        let mut all = Self { part, naming, images, ..Self::default() };
        let list = arguments.iter().filter(|argument| argument.as_os_str() == STANDARD_INPUT).count();
        if list > 1 {
            return Err(Failure::new(Exit::Usage, "standard input is given twice").remedy("name - once"));
        }
        for (at, argument) in arguments.iter().enumerate() {
            all.argument = at;
            match argument.to_str() {
                _ if naming == Naming::One => all.one(argument, true),
                Some(STANDARD_INPUT) => {
                    for listed in listed()? {
                        all.place(&listed, false).await;
                    }
                }
                _ => all.place(argument, true).await,
            }
        }
        Ok(all)
    }

    /// The next of them, in order; none at the end. Those before are to be verified first.
    pub(super) async fn next(&mut self) -> Vec<Asked> {
        let mut next = Vec::new();
        while let Some(lot) = self.lots.pop_front() {
            match lot {
                Lot::Named(asked) => next.push(asked),
                found @ Lot::Found(..) if !next.is_empty() => {
                    self.lots.push_front(found);
                    return next;
                }
                Lot::Found(argument, mut artifacts) => {
                    let found = artifacts.next(&self.lanes).await;
                    if !found.is_empty() {
                        self.lots.push_front(Lot::Found(argument, artifacts));
                        return found.into_iter().map(Asked::from).collect();
                    }
                }
            }
        }
        next
    }

    /// All of them.
    pub(super) async fn gathered(&mut self) -> Vec<Asked> {
        let mut all = Vec::new();
        loop {
            let next = self.next().await;
            if next.is_empty() {
                return all;
            }
            all.extend(next);
        }
    }

    /// How many there are at least; none only if there is none.
    pub(super) fn least(&self) -> usize {
        let least = |lot: &Lot| match lot {
            Lot::Named(_) => 1,
            Lot::Found(_, artifacts) => artifacts.least(),
        };
        self.lots.iter().map(least).sum()
    }

    /// What is at a place, which may be many.
    async fn place(&mut self, argument: &Path, is_named: bool) {
        let found = match object_uri(argument) {
            Some(uri) if is_prefix(uri) => self.prefix(uri).await.map(Some),
            Some(_) => Ok(None),
            None if image(argument).is_some() => Ok(None),
            None => folder(argument).await.map_err(CheckFailure::from),
        };
        let is_enough = |found: &Collection| {
            let has_more = found.has_others || found.unchanged > 0 || !found.old_outcomes.is_empty();
            !found.artifacts.is_empty()
                || (self.naming == Naming::Attestations && !found.orphans.is_empty())
                || has_more
        };
        match found {
            Ok(Some(found)) if !is_enough(&found) => match object_uri(argument) {
                Some(uri) => {
                    let nothing = CheckError::NothingBeneath(brief(uri, 300));
                    self.push(argument, is_named, Err(nothing.into()));
                }
                None => self.one(argument, is_named),
            },
            Ok(None) => self.one(argument, is_named),
            Ok(Some(found)) => {
                self.orphans.extend(found.orphans);
                self.old_outcomes.extend(found.old_outcomes);
                self.listings.extend(found.listing.map(|listing| (self.argument, listing)));
                if found.unchanged > 0 {
                    self.unchanged.push((self.argument, found.unchanged));
                }
                self.lots.push_back(Lot::Found(self.argument, found.artifacts));
            }
            Err(why) => self.push(argument, is_named, Err(why)),
        }
    }

    async fn prefix(&mut self, uri: &str) -> Result<Collection, CheckFailure> {
        let place = uri.strip_prefix(SCHEME).unwrap_or(uri);
        let (bucket, under) = place.split_once('/').unwrap_or((place, ""));
        let location = format!("s3://{bucket}").parse().map_err(|e| usage(&e))?;
        let store = self.store(&location)?;
        Ok(prefix_part(&self.lanes, store, under, &self.part).await?)
    }

    fn one(&mut self, argument: &Path, is_named: bool) {
        let artifact = match object_uri(argument) {
            None if let Some(name) = image(argument) => self.image(name),
            None => Ok(Artifact::Path(argument.to_owned())),
            Some(uri) => Location::artifact(uri)
                .map_err(|e| usage(&e))
                .and_then(|(location, key)| Ok(Artifact::Object(self.store(&location)?, key))),
        };
        self.push(argument, is_named, artifact);
    }

    fn push(&mut self, name: &Path, is_named: bool, artifact: Result<Artifact, CheckFailure>) {
        let kind = if image(name).is_some() { ArtifactKind::Image } else { kind(object_uri(name).is_some()) };
        let told = Told { name: name.to_owned(), kind: Some(kind), is_named, is_found: false };
        self.lots.push_back(Lot::Named(Asked { told, artifact }));
    }

    fn image(&mut self, name: &str) -> Result<Artifact, CheckFailure> {
        let reference = name.parse().map_err(|source| {
            CheckError::from(RegistryError::Reference { text: brief(name, 300), source })
        })?;
        let registries = match &self.registries {
            Some(registries) => registries.clone(),
            None => Registries::from_env(&ProcessEnv, self.images.plain_http).map_err(CheckError::from)?,
        };
        self.registries = Some(registries.clone());
        Ok(Artifact::Image(registries, reference, self.images.platform.clone()))
    }

    /// A bucket, opened once.
    fn store(&mut self, location: &Location) -> Result<Arc<dyn Store>, CheckFailure> {
        let name = location.to_string();
        if let Some(store) = self.stores.get(&name) {
            return Ok(Arc::clone(store));
        }
        let store: Arc<dyn Store> = Arc::new(open(location).map_err(CheckError::from)?);
        self.stores.insert(name, Arc::clone(&store));
        Ok(store)
    }
}

/// Opens a store that many artifacts wait for together.
pub(super) fn open(location: &Location) -> Result<OneWait, StoreError> {
    Ok(OneWait::new(store::open_named(location, &ProcessEnv)?.into(), OneWait::LEAST))
}

fn kind(is_stored: bool) -> ArtifactKind {
    if is_stored { ArtifactKind::Stored(StoreKind::S3) } else { ArtifactKind::File }
}

/// The name of an image in a registry.
pub(super) fn image(argument: &Path) -> Option<&str> {
    argument.to_str()?.strip_prefix("oci://")
}

/// All objects of a bucket, or those beneath a prefix of it.
pub(super) fn is_prefix(uri: &str) -> bool {
    uri.ends_with('/') || !uri.strip_prefix(SCHEME).unwrap_or(uri).contains('/')
}

fn usage(error: &crate::store::InvalidLocation) -> CheckFailure {
    let failure = Failure::from_error(Exit::Usage, error);
    CheckFailure::Other(
        failure.remedy("write s3://bucket/key, or s3://bucket/prefix/ for all that is beneath it"),
    )
}

/// The artifacts that are named on standard input.
fn listed() -> Result<Vec<PathBuf>, Failure> {
    let bytes = regular_file::read_named(Path::new(STANDARD_INPUT), MAX_LIST)
        .map_err(|e| Failure::from(&e).about("cannot read the list of artifacts on standard input"))?;
    let names = names(&bytes, |name| name.symlink_metadata().is_ok());
    let refused = |why: &str, remedy: &str| Err(Failure::new(Exit::Usage, why).remedy(remedy));
    match names.as_slice() {
        [] => refused("standard input names no artifact", "give one a line, or name them as arguments"),
        names if names.len() > MAX_ENTRIES => {
            refused(&format!("standard input names more than {MAX_ENTRIES} artifacts"), "give them in parts")
        }
        names if names.iter().any(|name| name.as_os_str() == STANDARD_INPUT) => refused(
            "the list on standard input names standard input",
            "with --bundle FILE, - is the artifact itself",
        ),
        _ => Ok(names),
    }
}

/// One a line; with NUL among them, as `find -print0` writes it, between those instead.
///
/// Where other systems' editors write text there is a byte order mark before the first line, and a
/// carriage return at the end of each. They are no parts of names, unless there is what has them.
fn names(bytes: &[u8], is_there: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    if bytes.contains(&0) {
        return bytes
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty())
            .map(path)
            .map(Into::into)
            .collect();
    }
    let lines = || bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
    let carriage_returns = lines().all(|(_, line)| line.ends_with(b"\r"));
    let bare = |(at, line): (usize, &'_ [u8])| {
        let mark = if at == 0 { line.strip_prefix(BYTE_ORDER_MARK.as_bytes()) } else { None };
        let rest = mark.unwrap_or(line);
        let rest = rest.strip_suffix(b"\r").filter(|_| carriage_returns).unwrap_or(rest);
        if rest.len() < line.len() && is_there(path(line)) { line.to_owned() } else { rest.to_owned() }
    };
    let names = lines().map(bare).filter(|name| !name.is_empty());
    names.map(|name| PathBuf::from(OsString::from_vec(name))).collect()
}

fn path(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_one_name_a_line_or_nuls() {
        let told = |bytes: &[u8]| names(bytes, |_| false);
        assert_eq!(told(b"a\n\nb c\n"), [Path::new("a"), Path::new("b c")]);
        assert_eq!(told(b"a\nb\0c\0"), [Path::new("a\nb"), Path::new("c")]);
        assert_eq!(told(b"\n"), Vec::<PathBuf>::new());
        assert_eq!(told(b"\xff"), [Path::new(OsStr::from_bytes(b"\xff"))]);
    }

    #[test]
    fn what_an_editor_adds_is_no_part_of_a_name() {
        let told = |bytes: &[u8]| names(bytes, |_| false);
        let two = [Path::new("a"), Path::new("b c")];
        assert_eq!(told(b"\xef\xbb\xbfa\r\n\r\nb c\r\n"), two);
        assert_eq!(told(b"\xef\xbb\xbfa\nb c"), two);
        assert_eq!(told(b"\r\n"), Vec::<PathBuf>::new());
        // A name may end so, and one that is there is what is meant.
        assert_eq!(told(b"a\r\nb\n"), [Path::new("a\r"), Path::new("b")]);
        assert_eq!(told(b"\xef\xbb\xbfa\r\0"), [Path::new("\u{feff}a\r")]);
        let there = names(b"a\r\nb\r\n", |name| name == Path::new("a\r"));
        assert_eq!(there, [Path::new("a\r"), Path::new("b")]);
    }

    #[test]
    fn what_ends_in_a_slash_is_many() {
        for many in ["s3://b", "s3://b/", "s3://b/p/", "s3://b/p//", "s3://s3://"] {
            assert!(is_prefix(many), "{many}");
        }
        assert!(!is_prefix("s3://b/p") && !is_prefix("s3://b/p/x"));
    }
}
