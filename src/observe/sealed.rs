//! One artifact as it stood at the end: what it is, what is in it, what was refused.

use std::sync::Arc;

use argo_attest_core::contents::Contents;
use argo_attest_core::digest::DirHash;
use argo_attest_core::links::Links;
use argo_attest_core::relpath::RelPath;

use super::refusal::TOO_MANY_LINKS;
use super::{Artifact, Baseline, Observation, ObservedFile, Presence, Refusal, Seen, SeenFiles, subtree};

/// Why a directory is not attested of whose entries none can be.
pub const NOTHING_IN_IT: &str = "nothing in it could be attested";

/// What an artifact's path holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One file, whose path is the root.
    File,
    /// A directory: all of its files, of which there may be none.
    Directory,
    /// Some of a directory's files.
    Loose,
    /// Something that was refused; the refusal says why.
    Refused,
    /// Nothing at all.
    Missing,
    /// Nothing that could be attested, and why.
    Nothing(&'static str),
}

/// An artifact after the authoritative scan.
#[derive(Debug, Clone)]
pub struct SealedArtifact {
    artifact: Artifact,
    shape: Shape,
    /// Shared with whoever lists them or compares with them: there may be a million.
    files: Arc<SeenFiles>,
    links: Links,
    too_many_links: bool,
    /// By path from the artifact.
    refused: Vec<(RelPath, Refusal)>,
    /// When its directories were last changed.
    rearranged: i64,
}

impl SealedArtifact {
    /// What was observed at and beneath its path. `shared`: other artifacts are made of the same
    /// observation's files there; else these are taken out of it, of very many keeping none twice.
    pub(super) fn new(
        artifact: Artifact,
        observation: &mut Observation,
        shared: bool,
        baseline: Baseline,
    ) -> Self {
        let beneath = |path: &RelPath| path.strip_prefix(&artifact.path);
        let seen = |file: &ObservedFile| Box::new(Seen::from(file));
        let mut files = SeenFiles::default();
        if shared {
            let all = observation.files.iter();
            files.extend(all.filter_map(|(path, file)| Some((beneath(path)?, seen(file)))));
        } else {
            let taken = subtree::take(&mut observation.files, &artifact.path);
            files.extend(taken.filter_map(|(path, file)| Some((beneath(&path)?, seen(&file)))));
        }
        let refused: Vec<_> = observation
            .refused
            .iter()
            .filter_map(|(path, refusal)| Some((beneath(path)?, refusal.clone())))
            .collect();
        let links: Links = observation
            .links
            .iter()
            .filter_map(|(path, target)| Some((beneath(path)?, target.clone())))
            .collect();
        let too_many_links =
            links.are_too_many() || refused.iter().any(|(_, why)| *why == Refusal::TooManyLinks);
        let rearranged = observation.rearranged.get(&artifact.path).copied().unwrap_or(i64::MIN);
        let presence = observation.interests.get(&artifact.path).copied().unwrap_or(Presence::Missing);
        let shape = match presence {
            // What was not looked at could be anything.
            _ if !observation.complete => Shape::Nothing("not all of it could be read"),
            Presence::Missing => Shape::Missing,
            Presence::Refused => Shape::Refused,
            Presence::File if files.contains_key(&RelPath::root()) => Shape::File,
            Presence::File => Shape::Nothing("it was not digested"),
            Presence::Directory if !files.is_empty() => match baseline {
                Baseline::Include => Shape::Directory,
                Baseline::OnlyNewOrChanged => Shape::Loose,
            },
            Presence::Directory if !refused.is_empty() && links.is_empty() => Shape::Nothing(NOTHING_IN_IT),
            Presence::Directory => match baseline {
                Baseline::Include => Shape::Directory,
                Baseline::OnlyNewOrChanged => Shape::Nothing("no file is new or changed"),
            },
        };
        Self { artifact, shape, files: Arc::new(files), links, too_many_links, refused, rearranged }
    }

    /// The same artifact, of which only an archive could be seen, as what is in
    /// that archive.
    #[must_use]
    pub fn unpacked(
        self,
        shape: Shape,
        files: SeenFiles,
        links: Links,
        refused: Vec<(RelPath, Refusal)>,
    ) -> Self {
        let too_many_links = links.are_too_many();
        Self { shape, files: Arc::new(files), links, too_many_links, refused, ..self }
    }

    /// The same artifact without its links, whatever they are, which are no part of what is
    /// stored of it; and where they were.
    #[must_use]
    pub fn without_links(self) -> (Self, Vec<RelPath>) {
        let Self { shape, links, refused, .. } = self;
        let is_link = |(path, why): &(RelPath, Refusal)| !path.is_root() && why.is_of_a_link();
        let (strays, refused): (Vec<_>, Vec<_>) = refused.into_iter().partition(is_link);
        let paths = links.iter().map(|(path, _)| path.clone());
        let paths = paths.chain(strays.into_iter().map(|(path, _)| path)).collect();
        let shape = match shape {
            Shape::Nothing(NOTHING_IN_IT) if refused.is_empty() => Shape::Directory,
            shape => shape,
        };
        (Self { shape, links: Links::default(), too_many_links: false, refused, ..self }, paths)
    }

    /// The same artifact, of whose links each is refused for this reason.
    #[must_use]
    pub fn refusing_links(mut self, refusal: &Refusal) -> Self {
        let links = std::mem::take(&mut self.links);
        self.refused.extend(links.iter().map(|(path, _)| (path.clone(), refusal.clone())));
        self
    }

    /// The first change, if any, that was made after this point (a change time, in
    /// nanoseconds since 1970): a file was written, or a directory's entries were.
    pub fn changed_after(&self, end: i64) -> Option<String> {
        let file = self.files.iter().find(|(_, seen)| seen.changed > end);
        match file {
            Some((path, _)) if path.is_root() => Some("it was changed".to_owned()),
            Some((path, _)) => Some(format!("{path} was changed")),
            None if self.rearranged > end => Some("a file in it was added, renamed or removed".to_owned()),
            None => None,
        }
    }

    /// What it is made of: which artifact, its files, and what in it was refused.
    pub fn into_parts(self) -> (Artifact, Arc<SeenFiles>, Vec<(RelPath, Refusal)>) {
        (self.artifact, self.files, self.refused)
    }

    /// The artifact.
    pub fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    /// What it turned out to be.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Its files, by path from the artifact.
    pub fn files(&self) -> &SeenFiles {
        &self.files
    }

    /// The same, to keep.
    pub fn shared_files(&self) -> &Arc<SeenFiles> {
        &self.files
    }

    /// Its symbolic links, by path from the artifact.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// What is in it and has no digest, by path from the artifact.
    pub fn refused(&self) -> &[(RelPath, Refusal)] {
        &self.refused
    }

    /// What a statement about it names; or why there can be none.
    pub fn contents(&self) -> Result<Contents, String> {
        let name = &self.artifact.name;
        if self.too_many_links {
            return Err(TOO_MANY_LINKS.into());
        }
        match self.shape {
            Shape::File => {
                let file = self.files.get(&RelPath::root()).ok_or("it was not digested")?;
                Ok(Contents::file(name, file.digest))
            }
            Shape::Directory => {
                Ok(Contents::directory(name, Arc::clone(&self.files)).with_links(self.links.clone()))
            }
            Shape::Loose => Ok(Contents::files(Arc::clone(&self.files)).with_links(self.links.clone())),
            Shape::Refused => Err(self.refusal()),
            Shape::Missing => Err("it does not exist".into()),
            Shape::Nothing(why) => Err(why.into()),
        }
    }

    /// Why the artifact itself, not something in it, was refused.
    fn refusal(&self) -> String {
        let own = self.refused.iter().find(|(path, _)| path.is_root());
        own.map_or_else(|| "it was refused".into(), |(_, refusal)| refusal.to_string())
    }

    /// The digest of the whole, `sha256:…` or `dirHash:…`, where it has one.
    pub fn digest(&self) -> Option<String> {
        match self.shape {
            Shape::File => Some(format!("sha256:{}", self.files.get(&RelPath::root())?.digest)),
            Shape::Directory => {
                let digests = self.files.iter().map(|(path, seen)| (path, &seen.digest));
                Some(format!("dirHash:{}", DirHash::of_files(digests)))
            }
            Shape::Loose | Shape::Refused | Shape::Missing | Shape::Nothing(_) => None,
        }
    }
}
