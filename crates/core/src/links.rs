//! The symbolic links of an artifact: where each is, and the text that it holds.
//!
//! A link is no file: what it is, is its path and its target, byte by byte as the kernel
//! gives them. One is part of an artifact only if following it never leaves the artifact,
//! whatever other links of the artifact it leads through ([`Links::leads`]): else two
//! places with the very same bytes would not be the same artifact.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::{AtMost, Object};
use crate::relpath::{self, InvalidRelPath, RelPath};
use crate::secret::shown;

/// How many links one artifact may have.
pub const MAX_LINKS: usize = 4096;
/// Bytes of the paths and targets of all of them.
pub const MAX_LINK_BYTES: usize = 512 * 1024;
/// The longest target, in bytes (`PATH_MAX`, `path_resolution(7)`).
pub const MAX_TARGET: usize = 4095;

/// Links that are followed for one (`path_resolution(7)`, `MAXSYMLINKS`).
const MAX_HOPS: usize = 40;
/// Components of all the targets on one way.
const MAX_STEPS: usize = 4096;

/// What a symbolic link holds: not empty, no NUL, not longer than the kernel takes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkTarget(Box<[u8]>);

/// Why bytes or text are no [`LinkTarget`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLinkTarget {
    /// Empty, which symlink(2) refuses.
    #[error("the link's target is empty")]
    Empty,
    /// A NUL, which no system call can pass on.
    #[error("the link's target holds a NUL byte")]
    Nul,
    /// Longer than [`MAX_TARGET`].
    #[error("the link's target has more than {MAX_TARGET} bytes")]
    TooLong,
    /// Not in its printable form.
    #[error(transparent)]
    Escape(#[from] InvalidRelPath),
}

impl LinkTarget {
    /// Takes raw bytes, as readlink(2) gives them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidLinkTarget> {
        match bytes {
            [] => Err(InvalidLinkTarget::Empty),
            _ if bytes.len() > MAX_TARGET => Err(InvalidLinkTarget::TooLong),
            _ if bytes.contains(&0) => Err(InvalidLinkTarget::Nul),
            _ => Ok(Self(bytes.into())),
        }
    }

    /// Takes the form that [`Self::escaped`] gives.
    pub fn from_escaped(text: &str) -> Result<Self, InvalidLinkTarget> {
        Self::from_bytes(&relpath::unescaped(text)?)
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The printable, reversible form, as of a path. It may hold whatever main wrote into
    /// it: a log or an error names the link, never its target.
    pub fn escaped(&self) -> String {
        relpath::escaped(&self.0)
    }
}

impl LinkTarget {
    /// Whether the text alone, from a link at this path, never goes above the artifact.
    fn stays_inside_from(&self, path: &RelPath) -> bool {
        let above = path.components().count().saturating_sub(1);
        let depth = self.0.split(|byte| *byte == b'/').try_fold(above, |depth, name| match name {
            b"" | b"." => Some(depth),
            b".." => depth.checked_sub(1),
            _ => Some(depth + 1),
        });
        depth.is_some() && !self.0.starts_with(b"/")
    }
}

impl fmt::Debug for LinkTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", shown(&self.0))
    }
}

impl Serialize for LinkTarget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.escaped())
    }
}

impl<'de> Deserialize<'de> for LinkTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_escaped(&text).map_err(serde::de::Error::custom)
    }
}

/// Where following a link ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leads {
    /// Within the artifact, whether or not something is there.
    Inside,
    /// Out of it, be it only on the way.
    Outside,
    /// Nowhere: through more links than the kernel follows.
    Astray,
}

/// An artifact's links, by their paths from the artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links(BTreeMap<RelPath, LinkTarget>);

impl Links {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Where the link at this path leads to, if there is one.
    pub fn get(&self, path: &RelPath) -> Option<&LinkTarget> {
        self.0.get(path)
    }

    /// All of them, in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&RelPath, &LinkTarget)> {
        self.0.iter()
    }

    /// Those beneath a directory of the artifact, by their paths from there.
    #[must_use]
    pub fn beneath(&self, directory: &RelPath) -> Self {
        let beneath = |(path, target): (&RelPath, &LinkTarget)| {
            let path = path.strip_prefix(directory).filter(|path| !path.is_root())?;
            Some((path, target.clone()))
        };
        Self(self.0.iter().filter_map(beneath).collect())
    }

    /// Whether they are more than a statement holds.
    pub fn are_too_many(&self) -> bool {
        let bytes = |(path, target): (&RelPath, &LinkTarget)| path.as_bytes().len() + target.0.len();
        self.0.len() > MAX_LINKS || self.0.iter().map(bytes).sum::<usize>() > MAX_LINK_BYTES
    }

    /// Where each of them leads, in their order.
    ///
    /// It is told from the links alone, as the kernel would resolve them one component after
    /// the other (`path_resolution(7)`), and so of the very links that are signed. That what is
    /// no link is a directory cannot be known here; where it is none, the kernel gives up
    /// before it gets anywhere, and nothing is left. A target has to stay inside as a text,
    /// too: what Argo unpacks it looks at so (`untar` in its workflow/executor/executor.go).
    pub fn leads(&self) -> impl Iterator<Item = (&RelPath, Leads)> {
        let tree = Tree::of(self);
        self.0.iter().map(move |(path, target)| {
            (path, if target.stays_inside_from(path) { tree.follow(path) } else { Leads::Outside })
        })
    }
}

impl FromIterator<(RelPath, LinkTarget)> for Links {
    fn from_iter<T: IntoIterator<Item = (RelPath, LinkTarget)>>(links: T) -> Self {
        Self(links.into_iter().collect())
    }
}

/// The way to every link, component by component: what is not on one is no link.
struct Tree<'a> {
    /// By the number of a directory and a name in it.
    children: HashMap<(usize, &'a [u8]), usize>,
    targets: HashMap<usize, &'a LinkTarget>,
}

/// The artifact itself.
const ROOT: usize = 0;

impl<'a> Tree<'a> {
    fn of(links: &'a Links) -> Self {
        let (mut children, mut targets) = (HashMap::new(), HashMap::new());
        let mut next = ROOT + 1;
        for (path, target) in &links.0 {
            let mut at = ROOT;
            for name in path.components() {
                at = *children.entry((at, name)).or_insert_with(|| {
                    next += 1;
                    next - 1
                });
            }
            targets.insert(at, target);
        }
        Self { children, targets }
    }

    fn follow(&self, path: &RelPath) -> Leads {
        // Of directories on the way to no link there is no number.
        let mut at = vec![Some(ROOT)];
        let mut rest: Vec<&[u8]> = path.components().collect();
        rest.reverse();
        let (mut hops, mut steps) = (0, 0);
        while let Some(name) = rest.pop() {
            match name {
                b"" | b"." => continue,
                b".." => {
                    at.pop();
                    if at.is_empty() {
                        return Leads::Outside;
                    }
                    continue;
                }
                _ => {}
            }
            let directory = at.last().copied().flatten();
            let child = directory.and_then(|at| self.children.get(&(at, name)).copied());
            let Some(target) = child.and_then(|child| self.targets.get(&child)) else {
                at.push(child);
                continue;
            };
            if target.0.starts_with(b"/") {
                return Leads::Outside;
            }
            hops += 1;
            let before = rest.len();
            rest.extend(target.0.split(|byte| *byte == b'/').rev());
            steps += rest.len() - before;
            if hops > MAX_HOPS || steps > MAX_STEPS {
                return Leads::Astray;
            }
        }
        Leads::Inside
    }
}

/// One link, as a predicate has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Link<P, T> {
    path: P,
    target: T,
}

impl Serialize for Links {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(path, target)| Link { path, target }))
    }
}

impl<'de> Deserialize<'de> for Links {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;

        let AtMost(listed) =
            AtMost::<Object<Link<RelPath, LinkTarget>>, MAX_LINKS>::deserialize(deserializer)?;
        let mut links = BTreeMap::new();
        for Object(Link { path, target }) in listed {
            if path.is_root() {
                return Err(D::Error::custom("a link has the path of the artifact itself"));
            }
            // One list has one spelling.
            if links.last_key_value().is_some_and(|(last, _)| *last >= path) {
                return Err(D::Error::custom("the links are not sorted by their paths"));
            }
            links.insert(path, target);
        }
        Ok(Self(links))
    }
}

#[cfg(test)]
mod tests;
