//! Whether an authentic statement speaks of this very artifact.

mod directory;

use std::collections::BTreeMap;
use std::io::BufRead;

pub(super) use directory::check_manifest;

use super::{Authentic, KnownAs, Rejection, Signer, Subjects};
use crate::digest::Sha256Digest;
use crate::image::layout::is_image;
use crate::intoto::{ResourceDescriptor, Statement, member_name};
use crate::links::Links;
use crate::manifest;
use crate::proof::Proof;
use crate::relpath::{RelPath, printable};
use crate::slsa::Provenance;

/// Which artifact is asked about, relative to what the attestation was found beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// It lies beside the artifact, which is known by this path. What it attests as a whole
    /// may have been renamed; of several files it is about the one whose whole name the
    /// path ends in, and of a directory about none of its files.
    Itself(KnownAs),
    /// The caller named it for the artifact that is known by this path. Of several files it
    /// is about the one whose name has most in common with the path, from its end.
    Named(KnownAs),
    /// It lies beside a parent directory; this is the path from there. A file then
    /// has to be attested under this very name: two files that changed places differ.
    Within(RelPath),
    /// It lies in a directory and speaks of some of the files there; this is the path from
    /// there, and a file has to be attested under this very name.
    Among(RelPath),
    /// It is kept with what has this very digest, as registries keep it: what that is called
    /// says nothing, and it may be one of several things that are attested together.
    ByDigest,
}

/// What the artifact's bytes are.
#[derive(Debug, Clone)]
pub enum Content {
    /// One file.
    File(Sha256Digest),
    /// A directory: all that is in it.
    Directory(Tree),
}

/// What is in a directory, by path from there.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Every file.
    pub files: BTreeMap<RelPath, Sha256Digest>,
    /// Every symbolic link.
    pub links: Links,
}

impl From<BTreeMap<RelPath, Sha256Digest>> for Tree {
    fn from(files: BTreeMap<RelPath, Sha256Digest>) -> Self {
        Self { files, links: Links::default() }
    }
}

/// A statement that a trusted key signed, that the policy accepts, and that
/// speaks of an artifact whose bytes were digested. Nothing else means "verified".
///
/// Only [`Authentic::accept`] makes one; nothing outside its module can:
///
/// ```
/// use argo_attest_core::verify::VerifiedStatement;
/// fn pass_on(verified: VerifiedStatement) -> VerifiedStatement {
///     verified
/// }
/// ```
/// ```compile_fail,E0451
/// use argo_attest_core::verify::VerifiedStatement;
/// fn forge(verified: VerifiedStatement) -> VerifiedStatement {
///     VerifiedStatement { ..verified }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct VerifiedStatement {
    statement: Statement,
    provenance: Option<Provenance>,
    signer: Signer,
    proof: Proof,
    subject: String,
    digest: String,
    files: u64,
}

impl VerifiedStatement {
    /// The statement.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Its predicate; `None` if another claim than provenance was asked for.
    pub fn provenance(&self) -> Option<&Provenance> {
        self.provenance.as_ref()
    }

    /// Who signed it.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// What others vouch for.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// The name under which the artifact is attested.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The artifact's digest, `sha256:…` or `dirHash:…`.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How many files were found as attested.
    pub fn files(&self) -> u64 {
        self.files
    }
}

impl Authentic {
    /// Whether [`Self::accept`] needs the manifest for this question: the
    /// statement is about a directory whose files it does not list itself.
    pub fn needs_manifest(&self, place: &Place, content: &Content) -> bool {
        let Some((directory, hash)) = self.directory() else { return false };
        if self.lists_all(directory, &hash) {
            return false;
        }
        match (place, content) {
            (Place::Within(_) | Place::Among(_), _) => true,
            (Place::Itself(_), Content::File(_)) | (Place::ByDigest, Content::Directory(_)) => false,
            (Place::ByDigest, Content::File(digest)) => self.named_by(digest).is_none(),
            (Place::Named(_), Content::File(digest)) => self.whole(digest).is_none(),
            // Without it the answer would be the same; with it, it names what differs.
            (Place::Itself(_) | Place::Named(_), Content::Directory(tree)) => {
                self.subject_of_directory(&tree.files).is_none()
            }
        }
    }

    /// Whether this statement speaks of the artifact. `manifest` is read if the
    /// statement has one and the question needs it, and trusted only once its hash
    /// is the attested one.
    pub fn accept(
        self,
        place: &Place,
        content: &Content,
        manifest: Option<&mut dyn BufRead>,
    ) -> Result<VerifiedStatement, Rejection> {
        if !self.statement().subjects().iter().any(|subject| subject.digest.is_comparable()) {
            return Err(self.incomparable());
        }
        match (place, content) {
            (Place::ByDigest, content) => self.accept_by_digest(content, manifest),
            (Place::Itself(_) | Place::Named(_), Content::File(digest)) => {
                let name = self.name_of_file(place, digest, manifest)?;
                Ok(self.verified(name, format!("sha256:{digest}"), 1))
            }
            (Place::Itself(_) | Place::Named(_), Content::Directory(tree)) => {
                self.accept_directory(tree, manifest)
            }
            (Place::Among(path), Content::File(digest)) if !self.is_of_some_files() => {
                let name = self.name_among(path, digest)?;
                Ok(self.verified(name, format!("sha256:{digest}"), 1))
            }
            (Place::Among(_), Content::Directory(_)) => Err(Rejection::NotADirectory { about: self.about() }),
            (Place::Within(path) | Place::Among(path), content) => {
                self.accept_member(path, content, manifest)
            }
        }
    }

    /// Whether it speaks of files that were too many to list: of `.`, by a manifest.
    fn is_of_some_files(&self) -> bool {
        self.directory().is_some_and(|(directory, _)| directory.name == ".")
    }

    /// The name under which a file is attested that lies in the directory from which the
    /// subjects are named.
    fn name_among(&self, path: &RelPath, digest: &Sha256Digest) -> Result<String, Rejection> {
        let subjects = self.statement().subjects().iter();
        let mut named = subjects.filter(|s| RelPath::from_escaped(&s.name).as_ref() == Ok(path)).peekable();
        if named.peek().is_none() {
            return Err(Rejection::NotListed { directory: ".".to_owned(), path: path.clone() });
        }
        let same = named.find(|subject| subject.digest.sha256() == Some(*digest));
        same.map(|subject| subject.name.clone()).ok_or_else(|| Rejection::OtherArtifact {
            found: format!("sha256:{digest}"),
            about: printable(path.escaped().as_bytes()),
        })
    }

    /// The name under which a file is attested that is not looked for in a directory.
    pub(super) fn name_of_file(
        &self,
        place: &Place,
        digest: &Sha256Digest,
        manifest: Option<&mut dyn BufRead>,
    ) -> Result<String, Rejection> {
        if let Some(subject) = self.whole(digest) {
            return Ok(subject.name.clone());
        }
        let subjects = Subjects::of(self.statement().subjects());
        let files = || {
            let is_object = |s: &ResourceDescriptor| subjects.object.is_some_and(|o| std::ptr::eq(o, s));
            let digest = |s: &'_ ResourceDescriptor| s.digest.sha256();
            self.statement()
                .subjects()
                .iter()
                .filter(move |s| !is_object(s) && !is_image(s))
                .filter_map(move |s| Some((s, digest(s)?)))
        };
        let about = || Rejection::OtherArtifact { found: format!("sha256:{digest}"), about: self.about() };
        let known = match (place, subjects.directory) {
            // That lies beside the directory, wherever it was put.
            (Place::Itself(_), Some(directory)) => {
                let is_part = subjects.object.is_none() || files().any(|(_, listed)| listed == *digest);
                let directory = printable(directory.name.as_bytes());
                return Err(if is_part { Rejection::OfDirectory { directory } } else { about() });
            }
            (Place::Itself(known) | Place::Named(known), _) => known,
            (Place::Within(_) | Place::Among(_) | Place::ByDigest, _) => return Err(about()),
        };
        let whole = matches!(place, Place::Itself(_));
        let mut search = Search { known, whole, digest, best: 0, found: None, other: None };
        for (subject, listed) in files() {
            search.look(&subject.name, &listed);
        }
        if let (Some((directory, hash)), Some(manifest)) = (self.directory(), manifest) {
            let mut reader = manifest::Reader::new(manifest);
            while let Some((path, listed)) = reader.next_entry()? {
                search.look(&member_name(&directory.name, &path), &listed);
            }
            check_manifest(reader, &hash)?;
        }
        let asked = known.shown();
        search.found.ok_or_else(|| match search.other {
            Some(name) => Rejection::OtherName { attested: printable(name.as_bytes()), asked },
            None => about(),
        })
    }

    fn whole(&self, digest: &Sha256Digest) -> Option<&ResourceDescriptor> {
        Subjects::of(self.statement().subjects()).whole(digest)
    }

    fn incomparable(&self) -> Rejection {
        let subjects = self.statement().subjects().iter().flat_map(|subject| subject.digest.iter());
        let mut names: Vec<_> = subjects.map(|(algorithm, _)| printable(algorithm.as_bytes())).collect();
        names.sort_unstable();
        names.dedup();
        Rejection::Incomparable { algorithms: crate::text::brief(&names.join(", "), 300) }
    }

    /// The subjects' names, for a message.
    pub(super) fn about(&self) -> String {
        let subjects = self.statement().subjects();
        let first = subjects.first().map(called).unwrap_or_default();
        match subjects.iter().filter(|subject| !is_image(subject)).count() {
            0 | 1 => first,
            n => format!("{first} and {} more", n - 1),
        }
    }

    pub(super) fn verified(self, subject: String, digest: String, files: u64) -> VerifiedStatement {
        let (statement, provenance, signer, proof) = self.into_parts();
        VerifiedStatement { statement, provenance, signer, proof, subject, digest, files }
    }
}

/// A subject by its name or, as names may be missing, by its address or digest.
fn called(subject: &ResourceDescriptor) -> String {
    let digest = || subject.digest.iter().next().map(|(algorithm, hex)| format!("{algorithm}:{hex}"));
    let text = [&subject.name, &subject.uri].into_iter().find(|text| !text.is_empty()).cloned();
    printable(text.or_else(digest).unwrap_or_default().as_bytes())
}

/// One file among several that a statement lists: its digest alone says only that it is
/// some of them.
struct Search<'a> {
    known: &'a KnownAs,
    /// Whether its path has to end in the whole name, or in as much of one as it can.
    whole: bool,
    digest: &'a Sha256Digest,
    /// How much of its path the best names so far have.
    best: usize,
    /// Such a name, if its digest is the one.
    found: Option<String>,
    /// A name that the digest has, but the artifact has not.
    other: Option<String>,
}

impl Search<'_> {
    fn look(&mut self, name: &str, digest: &Sha256Digest) {
        let common = self.known.in_common(name);
        let fits = if self.whole { self.known.ends_with(name) } else { common > 0 && common >= self.best };
        if fits && common > self.best && !self.whole {
            // A name that has more of the path is the artifact's, and those before are not.
            self.best = common;
            let before = self.found.take();
            self.other = self.other.take().or(before);
        }
        let place = if fits { &mut self.found } else { &mut self.other };
        if digest == self.digest && place.is_none() {
            *place = Some(name.to_owned());
        }
    }
}
