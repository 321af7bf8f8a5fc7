//! Output artifacts: where their bytes are on disk, how Argo packs them, and
//! which object it writes.

use super::elsewhere::Elsewhere;
use super::location::{ObjectRef, Unlocated};
use super::object_key::Repository;
use super::{path, wire};
use crate::archive::{Format, Naming};

/// Where the executor's emissary leaves what it packed (Argo's
/// cmd/argoexec/commands/emissary.go, `saveArtifact`).
const PACKED_DIR: &str = "/var/run/argo/outputs/artifacts";

/// Where Argo's `wait` container has main's volumes (`ExecutorMainFilesystemDir`
/// in workflow/common/common.go): a zip of one file holds this path.
const MAIN_FILESYSTEM: &str = "/mainctrfs";

/// Where `wait` unpacks and re-packs (`tempOutArtDir` in executor.go).
const STAGING_DIR: &str = "/tmp/argo/outputs/artifacts";

/// An output artifact that the step declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputArtifact {
    /// Its name.
    pub name: String,
    /// Its path in main, as declared.
    pub declared_path: String,
    /// Whether it may be absent.
    pub optional: bool,
    /// Where it is and where it goes, or why that cannot be said.
    pub plan: Result<Plan, Unattestable>,
}

/// Why an output cannot be attested, before anything was looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unattestable {
    /// Argo itself refuses the path, and fails the step.
    #[error("the output has no path that Argo accepts")]
    Path,
    /// The path has no last component to name things by (`/`, `.`, `..`), or is
    /// longer than Linux allows.
    #[error("the output's path cannot name an artifact")]
    Nameless,
    /// Its object is not known.
    #[error(transparent)]
    Object(#[from] Unlocated),
}

/// Where an output is in the pod and in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its path in main, as Argo cleans it.
    pub path: String,
    /// Whether that path is on a shared volume.
    pub place: Place,
    /// How it is stored.
    pub archive: Archive,
    /// Where Argo stores it.
    pub destination: Destination,
    /// Whether the template names that place: else it is beneath the step's own prefix, where
    /// Argo puts what has no key.
    pub own_key: bool,
    artifact: String,
}

/// Where Argo stores an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// The object that Argo writes, in a store that can be asked; for
    /// [`Packing::ObjectPerFile`] what the keys begin with.
    Object(ObjectRef),
    /// In a kind of store that cannot be asked what it holds.
    Elsewhere(Elsewhere),
}

impl Destination {
    /// The object.
    ///
    /// Errors: [`Unlocated::Unsupported`].
    pub fn object(&self) -> Result<&ObjectRef, Unlocated> {
        match self {
            Self::Object(object) => Ok(object),
            Self::Elsewhere(place) => Err(Unlocated::Unsupported(place.kind())),
        }
    }
}

/// Whether other containers of the pod can see an output's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In main's own file system. The emissary packs it when main has ended.
    BaseLayer {
        /// The `.tgz` that it leaves on the volume that all containers share.
        packed: String,
    },
    /// On a volume that main mounts. `wait` reads it there, after main has ended.
    Volume {
        /// Where main mounts that volume: from `/`, and above or at the output's
        /// path, if that is taken from `/`, too.
        mount: String,
    },
    /// At or below the path of an input artifact, which is on a volume of Argo's
    /// that main has mounted. The emissary packs it all the same, and that
    /// `.tgz` is not what is stored.
    InputVolume {
        /// The input artifact's name.
        input: String,
    },
}

/// How an artifact is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Archive {
    /// A gzipped tar.
    Tar,
    /// As it is; a directory as one object a file.
    None,
    /// A zip.
    Zip,
}

/// What an output turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One regular file.
    File,
    /// A directory.
    Directory,
}

/// What the stored object is, compared with the bytes on disk.
///
/// For [`Place::BaseLayer`] "the file" is the one in the packed `.tgz`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packing {
    /// The object is the file, byte for byte.
    AsIs,
    /// Each file is an object beneath the key ([`ObjectRef::beneath`]).
    ObjectPerFile,
    /// The object is the packed `.tgz` of [`Place::BaseLayer`], byte for byte.
    PackedOnDisk,
    /// The object is an archive that exists nowhere else.
    Repacked(Format, Naming),
    /// Argo fails to store it: it moves a single base-layer file away before it
    /// zips it (`stageArchiveFile` in executor.go, 3.7 and 4.0).
    NeverStored,
}

impl Plan {
    /// What the stored object is, for an output of that shape.
    pub fn packing(&self, shape: Shape) -> Packing {
        let base = path::base(&self.path);
        let beneath = |base: &str| Naming::Beneath(base.as_bytes().to_vec());
        let single = |name: &str| Naming::Single(name.as_bytes().to_vec());
        let in_base_layer = matches!(self.place, Place::BaseLayer { .. });
        match (self.archive, in_base_layer, shape) {
            (Archive::None, _, Shape::File) => Packing::AsIs,
            (Archive::None, _, Shape::Directory) => Packing::ObjectPerFile,
            (Archive::Tar, true, _) => Packing::PackedOnDisk,
            (Archive::Tar, false, Shape::File) => Packing::Repacked(Format::TarGz, single(base)),
            (Archive::Tar, false, Shape::Directory) => Packing::Repacked(Format::TarGz, beneath(base)),
            // A zip of one file holds the whole path it was read from (`zipFile`
            // in util/archive/archive.go).
            (Archive::Zip, false, Shape::File) => {
                Packing::Repacked(Format::Zip, single(&path::join(MAIN_FILESYSTEM, &self.path)))
            }
            (Archive::Zip, false, Shape::Directory) => Packing::Repacked(Format::Zip, beneath(base)),
            // Unpacked under the artifact's name; moved to its own name only if
            // it is a file, which the zip that follows then looks for in vain,
            // unless the two names are equal.
            (Archive::Zip, true, Shape::Directory) => Packing::Repacked(Format::Zip, beneath(&self.artifact)),
            (Archive::Zip, true, Shape::File) if self.artifact == base => {
                Packing::Repacked(Format::Zip, single(&path::join(STAGING_DIR, base)))
            }
            (Archive::Zip, true, Shape::File) => Packing::NeverStored,
        }
    }

    /// How the entries of the packed `.tgz` of [`Place::BaseLayer`] are named: all
    /// at or below the path's last component.
    pub fn packed_base(&self) -> &[u8] {
        path::base(&self.path).as_bytes()
    }
}

/// What the rules for outputs look at beside the artifact itself.
pub(super) struct Surroundings<'a> {
    pub(super) mounts: Vec<&'a str>,
    pub(super) inputs: &'a [wire::Artifact],
    pub(super) repository: Repository,
}

impl Surroundings<'_> {
    /// `isBaseImagePath` in Argo's workflow/executor/executor.go. Input paths
    /// count as written, not cleaned.
    fn place(&self, path: &str) -> Place {
        let mount =
            self.mounts.iter().filter(|mount| path::overlaps(path, mount)).max_by_key(|mount| mount.len());
        if let Some(mount) = mount {
            // A mount path may be relative, to Kubernetes and to Argo; the kubelet and Argo's
            // `wait` both take it from `/`.
            return Place::Volume { mount: path::join("/", mount) };
        }
        for input in self.inputs {
            if path == input.path {
                if input.optional && !super::input::supplied(input) {
                    break;
                }
                return Place::InputVolume { input: input.name.clone() };
            }
            if path.strip_prefix(input.path.as_str()).is_some_and(|rest| rest.starts_with('/')) {
                return Place::InputVolume { input: input.name.clone() };
            }
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        Place::BaseLayer { packed: path::clean(&format!("{PACKED_DIR}/{path}.tgz")) }
    }

    fn plan(&self, artifact: &wire::Artifact) -> Result<Plan, Unattestable> {
        let path = path::clean_artifact(&artifact.path).ok_or(Unattestable::Path)?;
        let base = path::base(&path);
        if matches!(base, "/" | "." | "..")
            || path.starts_with("../")
            || path.len() > 4095
            || path.contains('\0')
        {
            return Err(Unattestable::Nameless);
        }
        let place = self.place(&path);
        let archive = strategy(artifact.archive.as_ref(), &place);
        let file_name = match archive {
            Archive::Tar => format!("{}.tgz", artifact.name),
            Archive::Zip => format!("{}.zip", artifact.name),
            Archive::None => base.to_owned(),
        };
        let destination = self.repository.destination(&artifact.location(), Some(&file_name))?;
        let without_key = self.repository.destination(&wire::Location::default(), Some(&file_name));
        let own_key = without_key.as_ref() != Ok(&destination);
        Ok(Plan { path, place, archive, destination, own_key, artifact: artifact.name.clone() })
    }

    pub(super) fn output(&self, artifact: &wire::Artifact) -> OutputArtifact {
        OutputArtifact {
            name: artifact.name.clone(),
            declared_path: artifact.path.clone(),
            optional: artifact.optional,
            plan: self.plan(artifact),
        }
    }
}

/// `stageArchiveFile` in executor.go. Its order of tests differs between the two
/// places, and `archive: {}`, no strategy at all, falls through to a tar on a
/// volume and to nothing in the base layer.
fn strategy(given: Option<&wire::Archive>, place: &Place) -> Archive {
    let Some(wire::Archive { tar, none, zip }) = given else { return Archive::Tar };
    match place {
        Place::BaseLayer { .. } if tar.is_some() => Archive::Tar,
        Place::BaseLayer { .. } if zip.is_some() => Archive::Zip,
        Place::BaseLayer { .. } => Archive::None,
        _ if none.is_some() => Archive::None,
        _ if zip.is_some() => Archive::Zip,
        _ => Archive::Tar,
    }
}
