//! Beside a file or a directory of this machine.

use std::ffi::OsStr;
use std::io;
use std::iter;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use argo_attest_core::relpath::RelPath;
use argo_attest_core::verify::{KnownAs, Place};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};

use super::candidate::{Manifest, shown};
use super::names::{self, LOOKED_FOR, OF_SOME_FILES};
use super::put::{self, PutError};
use super::{
    AttestationNames, Attestations, Candidate, Candidates, FindError, Form, Kept, MAX_ATTESTATION_BYTES,
    NamedAttestation, NewAttestation, ObjectAttestations, Reach,
};
use crate::document::Document;
use crate::regular_file::{self, Links, ReadError};
use crate::store::{FileStore, InvalidKey, ObjectKey, StoreError};

/// The attestations of a file or a directory.
#[derive(Debug)]
pub struct FileAttestations {
    /// Absolute, without `..`.
    artifact: PathBuf,
    /// Where one is put, and what the artifact is called in there.
    home: Option<(FileStore, RelPath)>,
    /// Of which type statements are looked for first that are no provenance.
    label: Option<String>,
    /// Bytes of the largest that is read.
    most: usize,
}

impl FileAttestations {
    /// Of what is at an absolute path, which has no `..` and ends in a name.
    pub fn new(artifact: &Path) -> Self {
        Self { artifact: artifact.to_owned(), home: None, label: None, most: MAX_ATTESTATION_BYTES }
    }

    /// Of what is at this path beneath a directory: through no link out of it is an
    /// attestation put.
    pub fn beneath(root: &Path, path: &RelPath) -> Result<Self, StoreError> {
        let artifact = root.join(OsStr::from_bytes(path.as_bytes()));
        let home = Some((FileStore::open(root)?, path.clone()));
        Ok(Self { artifact, home, label: None, most: MAX_ATTESTATION_BYTES })
    }

    /// The same, where what is called after the type with this label is looked at before all else
    /// that lies beside the artifact
    /// ([`PredicateType::label`](argo_attest_core::predicate::PredicateType::label)).
    #[must_use]
    pub fn labelled(self, label: Option<String>) -> Self {
        Self { label, ..self }
    }

    /// The same, where one that is larger is an error.
    #[must_use]
    pub fn at_most(self, bytes: u64) -> Self {
        Self { most: usize::try_from(bytes).unwrap_or(usize::MAX).min(MAX_ATTESTATION_BYTES), ..self }
    }

    /// The attestation that the user says is about it, which brings its own manifest.
    pub fn named<'b>(&self, attestation: &'b NamedAttestation) -> Candidate<'b> {
        let place = Place::Named(KnownAs::new(self.artifact.as_os_str().as_bytes()));
        match attestation.document() {
            Document::File(file) => {
                let base = Path::new(OsStr::from_bytes(names::stem_of_path(file.as_os_str().as_bytes())));
                candidate(base, place, Form::Either, attestation.origin(), attestation.bytes())
            }
            Document::Object { store, key } => {
                let stem = names::stem_of_path(key.as_str().as_bytes());
                let base = std::str::from_utf8(stem).ok().and_then(|stem| ObjectKey::new(stem).ok());
                let beside = ObjectAttestations::new(store.as_ref(), base.as_ref().unwrap_or(key));
                beside.brought(attestation, place)
            }
        }
    }

    /// The files in which one of this artifact may lie, as seen from where its path is: beside it,
    /// and of some of a directory's files in there.
    pub fn own_files(artifact: &Path) -> impl Iterator<Item = PathBuf> {
        let beside = artifact.file_name().map(|name| artifact.with_file_name(name));
        [beside, Some(artifact.join(OF_SOME_FILES))]
            .into_iter()
            .flatten()
            .flat_map(|base| LOOKED_FOR.map(|form| appended(&base, names::suffix(form))))
    }

    /// What it is called where one is put.
    fn key(&self) -> Result<ObjectKey, InvalidKey> {
        if let Some((_, path)) = &self.home {
            return ObjectKey::for_path(path);
        }
        let name = self.artifact.file_name().unwrap_or_default();
        RelPath::from_bytes(name.as_bytes()).map_or(Err(InvalidKey::Empty), |name| ObjectKey::for_path(&name))
    }

    /// What speaks of some of the files of the innermost directory that has such.
    fn among(&self) -> impl Iterator<Item = Result<Candidate<'static>, FindError>> + Send + '_ {
        let mut nearest = None;
        let looks = self.artifact.ancestors().skip(1).flat_map(move |directory| {
            LOOKED_FOR.iter().filter_map(move |form| Some((directory, self.look_in(directory, *form)?)))
        });
        looks
            .take_while(move |(directory, _)| *nearest.get_or_insert(*directory) == *directory)
            .map(|(_, candidate)| candidate)
    }

    fn look_in(&self, directory: &Path, form: Form) -> Option<Result<Candidate<'static>, FindError>> {
        let base = directory.join(OF_SOME_FILES);
        let path = appended(&base, names::suffix(form));
        let bytes = read(&path, self.most).transpose()?;
        let rest = self.artifact.strip_prefix(directory).unwrap_or(&self.artifact);
        let place = RelPath::from_bytes(rest.as_os_str().as_bytes())
            .map_err(|e| io_error(&self.artifact, io::Error::new(io::ErrorKind::InvalidInput, e)));
        Some(bytes.and_then(|bytes| {
            let found = candidate(&base, Place::Among(place?), form, shown(&path), bytes);
            Ok(Candidate { artifact: shown(directory), ..found })
        }))
    }

    /// What is asked for by the names that follow an artifact's: those after the type that is asked
    /// for, then those after none.
    fn looked_for(&self) -> impl Iterator<Item = (String, Form)> + use<> {
        let label = self.label.as_deref().map(names::labelling);
        let labels = label.into_iter().chain([String::new()]);
        labels.flat_map(|label| LOOKED_FOR.map(|form| (label.clone(), form)))
    }

    fn look(&self, base: &Path, label: &str, form: Form) -> Option<Result<Candidate<'static>, FindError>> {
        let path = appended(&appended(&stored_as(base), label), names::suffix(form));
        let bytes = read(&path, self.most).transpose()?;
        let place = || {
            let rest = self.artifact.strip_prefix(base).unwrap_or(&self.artifact).as_os_str().as_bytes();
            match RelPath::from_bytes(rest) {
                Ok(path) if path.is_root() => {
                    Ok(Place::Itself(KnownAs::new(self.artifact.as_os_str().as_bytes())))
                }
                Ok(path) => Ok(Place::Within(path)),
                Err(e) => Err(io_error(&self.artifact, io::Error::new(io::ErrorKind::InvalidInput, e))),
            }
        };
        let stored = stored_as(base);
        Some(bytes.and_then(|bytes| {
            let found = candidate(&stored, place()?, form, shown(&path), bytes);
            let bundle_uri = shown(&appended(&appended(&stored, label), names::suffix(Form::Bundle)));
            Ok(Candidate { bundle_uri, ..found })
        }))
    }
}

#[async_trait]
impl Attestations for FileAttestations {
    fn find(&self, reach: Reach) -> Candidates<'_> {
        let (levels, looked_for) = match reach {
            Reach::Nearest | Reach::Own => {
                let stored = stored_as(&self.artifact);
                let own = |(label, form): (String, Form)| {
                    shown(&appended(&appended(&stored, &label), names::suffix(form)))
                };
                let above = [
                    "the same beside each directory above".to_owned(),
                    format!("{OF_SOME_FILES}{} in each of them", names::suffix(Form::Bundle)),
                ];
                let above = above.into_iter().filter(|_| reach == Reach::Nearest);
                (0, self.looked_for().map(own).chain(above).collect())
            }
            Reach::Above(levels) => (levels, Vec::new()),
        };
        let above = if reach == Reach::Own { 1 } else { usize::MAX };
        let bases = self.artifact.ancestors().skip(levels).take(above);
        let bases = bases.filter(|path| path.file_name().is_some());
        let looks = bases.enumerate().flat_map(move |(level, base)| {
            self.looked_for().filter_map(move |(label, form)| Some((level, self.look(base, &label, form)?)))
        });
        // There is one place for each directory; what lies beside another does not count.
        let all = matches!(reach, Reach::Above(_));
        let mut nearest = None;
        let looks = looks.take_while(move |(level, _)| all || *nearest.get_or_insert(*level) == *level);
        let mut looks = looks.map(|(_, candidate)| candidate);
        let mut among = (reach == Reach::Nearest).then(|| self.among());
        let looks = iter::from_fn(move || {
            if let Some(beside) = looks.next() {
                // Only where there is nothing beside it or a directory that it is in.
                among = None;
                return Some(beside);
            }
            among.as_mut()?.next()
        });
        Candidates::new(stream::iter(looks).boxed(), looked_for)
    }

    async fn is_free(&self) -> Result<(), PutError> {
        let names = AttestationNames::beside(self.key()?.as_str())?;
        match &self.home {
            Some((store, _)) => put::is_free(store, &names).await,
            None => Ok(()),
        }
    }

    async fn put(&self, new: &NewAttestation<'_>) -> Result<Kept, PutError> {
        let opened;
        let store = if let Some((store, _)) = &self.home {
            store
        } else {
            opened = FileStore::open(self.artifact.parent().unwrap_or(&self.artifact))?;
            &opened
        };
        put::put(store, &AttestationNames::beside(self.key()?.as_str())?, new).await
    }

    fn manifest_name(&self) -> String {
        self.key().map(|key| names::manifest_name(key.as_str())).unwrap_or_default()
    }
}

/// `base`: what it is beside, as its name is written there.
fn candidate(base: &Path, place: Place, form: Form, origin: String, bytes: Bytes) -> Candidate<'static> {
    Candidate {
        artifact: shown(base),
        bundle_uri: shown(&appended(base, names::suffix(Form::Bundle))),
        manifest: Manifest::File(appended(base, names::MANIFEST_SUFFIX)),
        origin,
        place,
        form,
        bytes,
    }
}

/// Object keys are text, so what lies beside a name that is not UTF-8 bears the
/// name's escaped form ([`ObjectKey::for_path`]).
fn stored_as(path: &Path) -> PathBuf {
    match path.file_name() {
        Some(name) if name.to_str().is_none() => RelPath::from_bytes(name.as_bytes())
            .map_or_else(|_| path.into(), |n| path.with_file_name(n.escaped())),
        _ => path.into(),
    }
}

/// A file that was found and may be an attestation; `None` if it is not there.
fn read(path: &Path, most: usize) -> Result<Option<Bytes>, FindError> {
    tracing::debug!(file = shown(path), "looking for an attestation");
    match regular_file::read(path, Links::Followed, most) {
        Ok(bytes) => Ok(Some(bytes.into())),
        Err(ReadError::Missing(_)) => Ok(None),
        // A name with the suffix may be longer than a name can be.
        Err(ReadError::Io(e)) if e.kind() == io::ErrorKind::InvalidFilename => Ok(None),
        Err(e) => Err(io_error(path, e.into())),
    }
}

fn appended(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn io_error(path: &Path, source: io::Error) -> FindError {
    FindError::Io { name: shown(path), source }
}
