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

use crate::argo::Mount;
use crate::argo::path::join;
use crate::relpath::RelPath;

use mains::INPUT_ARTIFACTS;
pub use mains::MainMounts;
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
pub const OWN_DIRECTORIES: [&str; 2] = ["/etc/argo-attest", "/run/argo-attest"];

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
        let mut first: Option<&Mount> = None;
        for container in self.main.containers() {
            let above = nearest(container, &path)?;
            // What another container of the set has there of its own is another file.
            let Some(mount) = above.filter(|m| first.is_none_or(|first| place(first) == place(m))) else {
                if first.is_none() && self.main.has_main() {
                    break;
                }
                continue;
            };
            first = Some(mount);
            self.compare(container, mount, &path)?;
        }
        if first.is_some() {
            return Ok(Seen::Volume);
        }
        let within = self.main.containers().flatten().filter_map(place).find(|at| at.starts_with(&path));
        if let Some(mount) = within {
            return Err(Unseen::Within { mount: shown(&mount) });
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
        let is_listed = |m: &Mounted| {
            let mut mounts = self.main.containers().flatten().filter(|mount| mount.volume == INPUT_ARTIFACTS);
            mounts.any(|mount| place(mount).as_ref() == Some(m.point()))
        };
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
    fn compare(&self, container: &[Mount], mount: &Mount, path: &RelPath) -> Result<(), Unseen> {
        self.same(mount, path)?;
        let beneath = |m: &&Mount| place(m).is_some_and(|at| at != *path && at.starts_with(path));
        for inner in container.iter().filter(beneath) {
            let at = place(inner).ok_or(Unseen::NoPath)?;
            nearest(container, &at)?;
            self.same(inner, &at)?;
        }
        let known = |m: &Mounted| container.iter().any(|theirs| place(theirs).as_ref() == Some(m.point()));
        match self.here.beneath(path).find(|m| !known(m)) {
            Some(extra) => Err(Unseen::Covered { mount: shown(extra.point()) }),
            None => Ok(()),
        }
    }

    /// Whether the path is on this mount here, too.
    fn same(&self, mount: &Mount, path: &RelPath) -> Result<(), Unseen> {
        let at = place(mount).ok_or(Unseen::NoPath)?;
        let here = self.here.covering(path).filter(|here| here.point().starts_with(&at));
        let here = here.ok_or_else(|| Unseen::NotMounted { mount: shown(&at) })?;
        if at.is_root() {
            return Err(Unseen::NotMounted { mount: shown(&at) });
        }
        if *here.point() != at {
            return Err(Unseen::Covered { mount: shown(here.point()) });
        }
        if mount.sub_path_expr.replace(NODE_ID, "").contains('$') {
            return Err(Unseen::Chosen { mount: shown(&at) });
        }
        // Of other volumes the kernel does not know what the pod calls them.
        match here.empty_dir() {
            Some(dir) if !is_of(&dir, mount) => Err(Unseen::OtherVolume { mount: shown(&at) }),
            _ => Ok(()),
        }
    }
}

fn is_of(here: &EmptyDir, mount: &Mount) -> bool {
    let sub_path = RelPath::from_bytes(join("/", &mount.sub_path).trim_start_matches('/').as_bytes());
    here.volume == mount.volume
        && (!mount.sub_path_expr.is_empty() || sub_path.as_ref() == Ok(&here.sub_path))
}

/// The mount that a path is on; an error where two are at one place.
fn nearest<'m>(container: &'m [Mount], path: &RelPath) -> Result<Option<&'m Mount>, Unseen> {
    let above = container.iter().filter_map(|m| Some((place(m)?, m))).filter(|(at, _)| path.starts_with(at));
    let mut above: Vec<_> = above.collect();
    above.sort_by_key(|(at, _)| std::cmp::Reverse(at.as_bytes().len()));
    match above.as_slice() {
        [(one, _), (other, _), ..] if one == other => Err(Unseen::Ambiguous { mount: shown(one) }),
        [(_, mount), ..] => Ok(Some(mount)),
        [] => Ok(None),
    }
}

fn place(mount: &Mount) -> Option<RelPath> {
    from_root(&mount.path)
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
