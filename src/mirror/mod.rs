//! Whether what lies at a path here is what main sees at that path.
//!
//! Gate and sidecar judge files at main's paths. That says something of main only where
//! both have the same volume at the same place, so it is decided by mount points: by the
//! kernel's list of what is mounted here ([`MountTable`]), and by what is mounted into
//! main ([`MainMounts`]). A path that is on this container's own file system, or on a mount
//! that every container has of its own, is not one of main's, whatever lies there.
//!
//! Not seen: what links in main's image do to main's own paths.

mod mains;
mod table;
mod unseen;

use argo_attest_core::argo::Mount;
use argo_attest_core::argo::path::join;
use argo_attest_core::contract::place;
use argo_attest_core::relpath::RelPath;

pub use mains::MainMounts;
use mains::{INPUT_ARTIFACTS, Mounts};
pub use table::{EmptyDir, MountTable, Mounted, MountsError};
pub use unseen::Unseen;

/// Where the kubelet and the container runtime mount things of each container's own. What
/// main mounts at, above or beneath such a place cannot be told from them.
const EACH_CONTAINERS_OWN: [&str; 9] = [
    "/dev",
    "/proc",
    "/sys",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/var/run/secrets",
    "/run/secrets",
    "/run/.containerenv",
];

/// Where the deployments of this program keep what is its own.
pub const OWN_DIRECTORIES: [&str; 2] = [place::CONFIGURATION, place::EVIDENCE];

/// The one variable in a `subPathExpr` that is the same in all containers of a pod: Argo
/// sets it, after what the template sets.
const NODE_ID: &str = "$(ARGO_NODE_ID)";

/// What is mounted here beside what is mounted in main.
#[derive(Debug, Clone)]
pub struct Mirror {
    here: MountTable,
    main: MainMounts,
    /// What this container has for itself.
    own: Vec<RelPath>,
}

/// What main has at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// A volume, which is mounted here as it is in main.
    Volume,
    /// No volume: the file system of main's image.
    Image,
}

impl Mirror {
    /// With these mounts. `own`: directories of this container that are nobody else's.
    pub fn new(here: MountTable, main: MainMounts, own: &[&str]) -> Self {
        let own = own.iter().filter_map(|path| from_root(path)).collect();
        Self { here, main, own }
    }

    /// Whether a path of main's, with all beneath it, can be seen from here.
    pub fn look(&self, path: &str) -> Result<Seen, Unseen> {
        let path = from_root(path).ok_or(Unseen::NoPath)?;
        let theirs = EACH_CONTAINERS_OWN.iter().filter_map(|place| from_root(place));
        if let Some(place) = theirs.into_iter().find(|place| overlap(place, &path)) {
            return Err(Unseen::EachContainersOwn { path: shown(&path), place: shown(&place) });
        }
        if let Some(place) = self.own.iter().find(|place| overlap(place, &path)) {
            return Err(Unseen::OwnFiles { path: shown(&path), place: shown(place) });
        }
        let mut first: Option<RelPath> = None;
        for container in self.main.containers() {
            // What another container of the set has there of its own is another file.
            match container.covering(&path)? {
                Some((at, mount)) if first.as_ref().is_none_or(|first| *first == at) => {
                    self.compare(container, mount, &at, &path)?;
                    first = Some(at);
                }
                None if first.is_none() && self.main.has_main() => break,
                _ => {}
            }
        }
        if first.is_some() {
            return Ok(Seen::Volume);
        }
        let within = self.main.containers().find_map(|container| container.beneath(&path).next());
        if let Some((mount, _)) = within {
            return Err(Unseen::Within { mount: shown(mount) });
        }
        // All that is mounted here is main's: then main has got something there after all.
        let above = self.here.covering(&path).filter(|here| !here.point().is_root());
        match above.or_else(|| self.here.beneath(&path).next()) {
            Some(extra) => Err(Unseen::Covered { mount: shown(extra.point()) }),
            None => Ok(Seen::Image),
        }
    }

    /// An input that Argo has staged into a mount of its own, and that is none of those that
    /// main is known to have.
    pub fn unlisted_input(&self) -> Option<String> {
        let is_input = |m: &&Mounted| m.empty_dir().is_some_and(|dir| dir.volume == INPUT_ARTIFACTS);
        let is_listed = |m: &Mounted| self.main.containers().any(|c| c.has(m.point(), INPUT_ARTIFACTS));
        let root = RelPath::root();
        let unlisted = self.here.beneath(&root).filter(is_input).find(|m| !is_listed(m));
        unlisted.map(|m| shown(m.point()))
    }

    /// Whether a directory is a mount of its own here.
    pub fn is_mounted(&self, directory: &str) -> bool {
        let is_point = |path: &RelPath| self.here.covering(path).is_some_and(|m| m.point() == path);
        from_root(directory).is_some_and(|path| !path.is_root() && is_point(&path))
    }

    /// One container of main's, which has this mount at or above the path.
    fn compare(&self, theirs: &Mounts, mount: &Mount, at: &RelPath, path: &RelPath) -> Result<(), Unseen> {
        self.same(mount, at, path)?;
        for (at, inner) in theirs.beneath(path) {
            theirs.covering(at)?;
            self.same(inner, at, at)?;
        }
        match self.here.beneath(path).find(|here| !theirs.is_at(here.point())) {
            Some(extra) => Err(Unseen::Covered { mount: shown(extra.point()) }),
            None => Ok(()),
        }
    }

    /// Whether the path is on this mount here, too.
    fn same(&self, mount: &Mount, at: &RelPath, path: &RelPath) -> Result<(), Unseen> {
        let here = self.here.covering(path).filter(|here| here.point().starts_with(at));
        let here = here.ok_or_else(|| Unseen::NotMounted { mount: shown(at) })?;
        if at.is_root() {
            return Err(Unseen::NotMounted { mount: shown(at) });
        }
        if here.point() != at {
            return Err(Unseen::Covered { mount: shown(here.point()) });
        }
        if mount.sub_path_expr.replace(NODE_ID, "").contains('$') {
            return Err(Unseen::Chosen { mount: shown(at) });
        }
        // Of other volumes the kernel does not know what the pod calls them.
        match here.empty_dir() {
            Some(dir) if !is_of(&dir, mount) => Err(Unseen::OtherVolume { mount: shown(at) }),
            _ => Ok(()),
        }
    }
}

fn is_of(here: &EmptyDir, mount: &Mount) -> bool {
    let sub_path = RelPath::from_bytes(join("/", &mount.sub_path).trim_start_matches('/').as_bytes());
    here.volume == mount.volume
        && (!mount.sub_path_expr.is_empty() || sub_path.as_ref() == Ok(&here.sub_path))
}

fn overlap(one: &RelPath, other: &RelPath) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// A path as the kubelet and the runtime take it: from `/`, and clean.
fn from_root(path: &str) -> Option<RelPath> {
    RelPath::from_bytes(join("/", path).strip_prefix('/')?.as_bytes()).ok()
}

fn shown(path: &RelPath) -> String {
    format!("/{}", path.escaped())
}

#[cfg(test)]
mod tests;
