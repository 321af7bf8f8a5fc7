//! One output artifact: how it is declared, what main writes, what Argo stores.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::archives::{Files, Links, tgz, zip};

/// What the step's objects are beneath, unless an artifact has its own key.
pub(crate) const PREFIX: &str = "wf/wf-build-1";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Base,
    Volume,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Tar,
    None,
    Zip,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    File,
    Directory,
}

use Packing::{None, Tar, Zip};
use Place::{Base, Volume};
use Shape::{Directory, File};

/// Everything that Argo can do with an output, but for a file in the base layer
/// as a zip, which it fails to store.
pub(crate) const ALL: [(Place, Packing, Shape); 11] = [
    (Base, Tar, File),
    (Base, Tar, Directory),
    (Base, None, File),
    (Base, None, Directory),
    (Base, Zip, Directory),
    (Volume, Tar, File),
    (Volume, Tar, Directory),
    (Volume, None, File),
    (Volume, None, Directory),
    (Volume, Zip, File),
    (Volume, Zip, Directory),
];

#[derive(Clone)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) packing: Packing,
    pub(crate) shape: Shape,
    pub(crate) optional: bool,
    /// A key of the template's own.
    pub(crate) own_key: Option<String>,
    /// Of a directory, by path in it; of a file, with no name.
    pub(crate) files: Files,
    /// Of a directory, by path in it; in directories that hold files.
    pub(crate) links: Links,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({:?}, {:?}, {:?})", self.name, self.place, self.packing, self.shape)
    }
}

impl Output {
    pub(crate) fn new(name: &str, (place, packing, shape): (Place, Packing, Shape)) -> Self {
        let content = |file: &str| format!("{file} of {name}\n").repeat(1000).into_bytes();
        let files = match shape {
            File => vec![(String::new(), content("all"))],
            Directory => ["one", "sub/deep/three", "sub/two"].map(|f| (f.to_owned(), content(f))).to_vec(),
        };
        let (optional, own_key, links) = (false, Option::None, Vec::new());
        Self { name: name.into(), place, packing, shape, optional, own_key, files, links }
    }

    /// A directory with nothing in it.
    pub(crate) fn empty(name: &str, place: Place, packing: Packing) -> Self {
        Self { files: Vec::new(), ..Self::new(name, (place, packing, Directory)) }
    }

    /// With these symbolic links.
    pub(crate) fn linked(self, links: &[(&str, &str)]) -> Self {
        let links = links.iter().map(|(at, to)| ((*at).to_owned(), (*to).to_owned())).collect();
        Self { links, ..self }
    }

    /// A file on the volume, stored as it is.
    pub(crate) fn plain(name: &str) -> Self {
        Self::new(name, (Volume, None, File))
    }

    pub(crate) fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// Stored under this key, and not beneath the step's prefix.
    pub(crate) fn keyed(self, key: &str) -> Self {
        Self { own_key: Some(key.to_owned()), ..self }
    }

    /// With another byte in one of its files.
    pub(crate) fn altered(&self) -> Self {
        let mut altered = self.clone();
        altered.files.last_mut().unwrap().1[7] ^= 1;
        altered
    }

    /// Its last file, as it is named in what differs.
    pub(crate) fn last(&self) -> &str {
        &self.files.last().unwrap().0
    }

    /// Its path in main.
    pub(crate) fn path(&self, work: &Path) -> String {
        match self.place {
            Base => format!("/app/{}.d/{}", self.name, self.base()),
            Volume => format!("{}/{}", work.display(), self.base()),
        }
    }

    fn base(&self) -> String {
        format!("{}-data", self.name)
    }

    pub(crate) fn declared(&self, work: &Path) -> Value {
        let mut artifact = json!({"name": self.name, "path": self.path(work)});
        match self.packing {
            Tar => {}
            None => artifact["archive"] = json!({"none": {}}),
            Zip => artifact["archive"] = json!({"zip": {}}),
        }
        if let Some(key) = &self.own_key {
            artifact["s3"] = json!({"key": key});
        }
        if self.optional {
            artifact["optional"] = json!(true);
        }
        artifact
    }

    /// What main, and the emissary in it, leave; to be called again for a change.
    pub(crate) fn write(&self, work: &Path, argo: &Path) {
        if self.place == Base {
            let packed = self.packed(argo);
            std::fs::create_dir_all(packed.parent().unwrap()).unwrap();
            return std::fs::write(packed, self.tgz()).unwrap();
        }
        let path = PathBuf::from(self.path(work));
        if self.shape == Directory {
            std::fs::create_dir_all(&path).unwrap();
        }
        for (name, content) in &self.files {
            let file = if name.is_empty() { path.clone() } else { path.join(name) };
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, content).unwrap();
        }
        for (name, target) in &self.links {
            let at = path.join(name);
            let _ = std::fs::remove_file(&at);
            std::os::unix::fs::symlink(target, at).unwrap();
        }
    }

    fn tgz(&self) -> Vec<u8> {
        let base = self.base();
        let links = self.links.iter().map(|(name, target)| (format!("{base}/{name}"), target.clone()));
        tgz(&self.beneath(&base), &links.collect())
    }

    /// Where the emissary leaves the packed output.
    pub(crate) fn packed(&self, argo: &Path) -> PathBuf {
        argo.join("outputs/artifacts/app")
            .join(format!("{}.d", self.name))
            .join(format!("{}.tgz", self.base()))
    }

    fn beneath(&self, base: &str) -> Files {
        let name = |file: &String| if file.is_empty() { base.to_owned() } else { format!("{base}/{file}") };
        let files = self.files.iter().map(|(file, content)| (name(file), content.clone()));
        let directory = (self.shape == Directory).then(|| (format!("{base}/"), Vec::new()));
        directory.into_iter().chain(files).collect()
    }

    /// With an empty file for each link.
    fn zip(&self, base: &str) -> Vec<u8> {
        let mut files = self.beneath(base);
        files.extend(self.links.iter().map(|(name, _)| (format!("{base}/{name}"), Vec::new())));
        zip(&files)
    }

    /// The key that the attestation is named after.
    pub(crate) fn key(&self) -> String {
        if let Some(key) = &self.own_key {
            return key.strip_suffix('/').unwrap_or(key).to_owned();
        }
        match self.packing {
            Tar => format!("{PREFIX}/{}.tgz", self.name),
            None => format!("{PREFIX}/{}", self.base()),
            Zip => format!("{PREFIX}/{}.zip", self.name),
        }
    }

    /// What Argo uploads.
    pub(crate) fn objects(&self, work: &Path) -> Vec<(String, Vec<u8>)> {
        match (self.packing, self.place, self.shape) {
            (Tar, ..) => vec![(self.key(), self.tgz())],
            (None, ..) => {
                let key = |(name, content): &(String, Vec<u8>)| {
                    let end = if name.is_empty() { String::new() } else { format!("/{name}") };
                    (format!("{}{end}", self.key()), content.clone())
                };
                self.files.iter().map(key).collect()
            }
            (Zip, Volume, File) => {
                vec![(self.key(), zip(&self.beneath(&format!("/mainctrfs{}", self.path(work)))))]
            }
            (Zip, Volume, Directory) => vec![(self.key(), self.zip(&self.base()))],
            (Zip, Base, _) => vec![(self.key(), self.zip(&self.name))],
        }
    }
}
