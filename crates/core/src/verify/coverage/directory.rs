//! Directories, and what is in them: by the files that a statement lists, or by a manifest of theirs.

use std::collections::BTreeMap;
use std::io::BufRead;

use super::{Content, Tree, VerifiedStatement};
use crate::digest::{DirHash, Sha256Digest};
use crate::intoto::{ResourceDescriptor, member_name, member_path};
use crate::links::Links;
use crate::manifest::{self, Differences};
use crate::relpath::RelPath;
use crate::slsa::Provenance;
use crate::verify::{Authentic, Rejection};

impl Authentic {
    pub(super) fn accept_directory(
        self,
        Tree { files, links }: &Tree,
        manifest: Option<&mut dyn BufRead>,
    ) -> Result<VerifiedStatement, Rejection> {
        let shown = format!("dirHash:{}", DirHash::of_files(files));
        if let Some(subject) = self.subject_of_directory(files) {
            let name = subject.name.clone();
            self.check_links(&RelPath::root(), links)?;
            return Ok(self.verified(name, shown, count(files)));
        }
        if let Some((directory, attested)) = self.directory() {
            let differences = self.differences(directory, &attested, &RelPath::root(), files, manifest)?;
            if !differences.is_empty() {
                return Err(Rejection::Differs(differences));
            }
        }
        Err(Rejection::OtherArtifact { found: shown, about: self.about() })
    }

    pub(super) fn accept_member(
        self,
        path: &RelPath,
        content: &Content,
        manifest: Option<&mut dyn BufRead>,
    ) -> Result<VerifiedStatement, Rejection> {
        let (name, matched) = self.name_of_member(path, content, manifest)?;
        let shown = match content {
            Content::File(digest) => format!("sha256:{digest}"),
            Content::Directory(tree) => format!("dirHash:{}", DirHash::of_files(&tree.files)),
        };
        Ok(self.verified(name, shown, matched))
    }

    /// The attested name of what is at this path, and how many files that covers.
    pub(in crate::verify) fn name_of_member(
        &self,
        path: &RelPath,
        content: &Content,
        manifest: Option<&mut dyn BufRead>,
    ) -> Result<(String, u64), Rejection> {
        let Some((directory, hash)) = self.directory() else {
            return Err(Rejection::NotADirectory { about: self.about() });
        };
        let as_tree;
        let (files, links, shown) = match content {
            Content::File(digest) => {
                as_tree = BTreeMap::from([(RelPath::root(), *digest)]);
                (&as_tree, None, format!("sha256:{digest}"))
            }
            Content::Directory(Tree { files, links }) => {
                (files, Some(links), format!("dirHash:{}", DirHash::of_files(files)))
            }
        };
        let differences = self.differences(directory, &hash, path, files, manifest)?;
        let name = member_name(&directory.name, path);
        let linked = match links.filter(|_| differences.is_empty()) {
            Some(links) => self.check_links(path, links)?,
            None => 0,
        };
        if differences.is_empty() && differences.matched() + linked > 0 {
            return Ok((name, differences.matched()));
        }
        if differences.is_empty()
            || matches!(differences.named(), [manifest::Difference::Added(p)] if p.is_root())
        {
            return Err(Rejection::NotListed { directory: directory.name.clone(), path: path.clone() });
        }
        Err(match content {
            Content::File(_) => Rejection::OtherArtifact { found: shown, about: name },
            Content::Directory(_) => Rejection::Differs(differences),
        })
    }

    /// The attested links beneath `base` are those that are there, no more and no fewer; how
    /// many there are. Which statement says nothing of links speaks of none.
    fn check_links(&self, base: &RelPath, there: &Links) -> Result<u64, Rejection> {
        let differences = manifest::compare_links(&self.links()?.beneath(base), there);
        if differences.is_empty() { Ok(differences.matched()) } else { Err(Rejection::Differs(differences)) }
    }

    /// The links that the statement lists; a claim that is no provenance speaks of none.
    fn links(&self) -> Result<Links, Rejection> {
        Ok(self.provenance().map(Provenance::links).transpose()?.unwrap_or_default())
    }

    /// Attested files beneath `base` against those that are there.
    fn differences(
        &self,
        directory: &ResourceDescriptor,
        hash: &DirHash,
        base: &RelPath,
        there: &BTreeMap<RelPath, Sha256Digest>,
        manifest: Option<&mut dyn BufRead>,
    ) -> Result<Differences, Rejection> {
        let mut listed: BTreeMap<_, _> = self.listed(directory).collect();
        if self.lists_all(directory, hash) {
            return manifest::compare(|| Ok(listed.pop_first()), base, there);
        }
        let Some(manifest) = manifest else {
            return Ok(Differences::default());
        };
        let mut reader = manifest::Reader::new(manifest);
        let differences = manifest::compare(|| reader.next_entry(), base, there)?;
        check_manifest(reader, hash)?;
        Ok(differences)
    }

    /// The subject that is a directory, if there is just one.
    pub(in crate::verify) fn directory(&self) -> Option<(&ResourceDescriptor, DirHash)> {
        let mut directories =
            self.statement().subjects().iter().filter_map(|s| s.digest.dir_hash().map(|hash| (s, hash)));
        directories.next().filter(|_| directories.next().is_none())
    }

    /// The files of the directory that are subjects themselves.
    pub(in crate::verify) fn listed<'a>(
        &'a self,
        directory: &'a ResourceDescriptor,
    ) -> impl Iterator<Item = (RelPath, Sha256Digest)> + 'a {
        self.statement().subjects().iter().filter_map(|subject| {
            Some((member_path(&directory.name, &subject.name)?, subject.digest.sha256()?))
        })
    }

    /// Whether the statement says itself which files are in the directory: they are subjects,
    /// or there are none.
    pub(super) fn lists_all(&self, directory: &ResourceDescriptor, hash: &DirHash) -> bool {
        self.listed(directory).next().is_some() || *hash == DirHash::of_files(&BTreeMap::new())
    }

    pub(super) fn subject_of_directory(
        &self,
        files: &BTreeMap<RelPath, Sha256Digest>,
    ) -> Option<&ResourceDescriptor> {
        let hash = DirHash::of_files(files);
        self.statement().subjects().iter().find(|s| s.digest.dir_hash() == Some(hash))
    }
}

pub(in crate::verify) fn check_manifest<R: BufRead>(
    reader: manifest::Reader<R>,
    wanted: &DirHash,
) -> Result<(), Rejection> {
    let found = reader.finish()?;
    if found == *wanted {
        return Ok(());
    }
    Err(Rejection::OtherManifest { found: found.to_string(), wanted: wanted.to_string() })
}

fn count(files: &BTreeMap<RelPath, Sha256Digest>) -> u64 {
    u64::try_from(files.len()).unwrap_or(u64::MAX)
}
