//! The mounts of this container, as the kernel lists them (proc(5),
//! `/proc/pid/mountinfo`).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::ops::Bound;
use std::path::Path;

use argo_attest_core::relpath::RelPath;

use crate::regular_file::{Links, read_first};

/// The list.
const MOUNT_INFO: &str = "/proc/self/mountinfo";
/// Bytes that are read of it. What main mounts is mirrored here, so its length is the
/// template's choice.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Mounts that are kept; a pod has some dozens.
const MAX_MOUNTS: usize = 2048;

/// Why it is not known what is mounted here.
#[derive(Debug, thiserror::Error)]
pub enum MountsError {
    /// The list cannot be read.
    #[error("the mounts of this container cannot be read, {MOUNT_INFO}")]
    Read(#[from] io::Error),
    /// More than anybody needs.
    #[error("this container has more than {MAX_MOUNTS} mounts, or {MAX_BYTES} bytes of them")]
    TooMany,
    /// A line that is not one of a mount.
    #[error("{MOUNT_INFO} is not as the kernel writes it")]
    Malformed,
}

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    id: u64,
    parent: u64,
    /// What of its file system is mounted.
    root: Vec<u8>,
    /// Where, from `/`.
    point: RelPath,
}

/// Which part of a pod's empty directory a mount shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmptyDir {
    /// The volume's name.
    pub volume: String,
    /// The path in it.
    pub sub_path: RelPath,
}

impl Mounted {
    /// Where it is mounted, from `/`.
    pub fn point(&self) -> &RelPath {
        &self.point
    }

    /// The pod's empty directory that it shows, where the kubelet's own path says so
    /// (`pods/UID/volumes/kubernetes.io~empty-dir/NAME`). Not of one in memory, which is
    /// a file system of its own.
    pub fn empty_dir(&self) -> Option<EmptyDir> {
        let parts: Vec<&[u8]> = self.root.split(|b| *b == b'/').collect();
        let is_kubelets =
            |window: &[&[u8]]| matches!(window, [b"pods", _, b"volumes", b"kubernetes.io~empty-dir"]);
        let at = parts.windows(4).position(is_kubelets)?;
        let (volume, rest) = parts.get(at + 4..)?.split_first()?;
        let volume = String::from_utf8(volume.to_vec()).ok()?;
        let sub_path = RelPath::from_bytes(&rest.join(&b'/')).ok()?;
        Some(EmptyDir { volume, sub_path })
    }
}

/// The mounts of this container that can be seen, by their places: none that another hides.
#[derive(Debug, Clone)]
pub struct MountTable(BTreeMap<RelPath, Mounted>);

impl MountTable {
    /// The mounts as they are now.
    pub fn of_this_process() -> Result<Self, MountsError> {
        Self::parse(
            &read_first(Path::new(MOUNT_INFO), Links::Refused, MAX_BYTES + 1).map_err(io::Error::from)?,
        )
    }

    /// Reads the kernel's list.
    pub fn parse(text: &[u8]) -> Result<Self, MountsError> {
        let lines = || text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        if text.len() > MAX_BYTES || lines().count() > MAX_MOUNTS {
            return Err(MountsError::TooMany);
        }
        let mounts: Result<Vec<_>, _> = lines().map(mounted).collect();
        let mounts: Vec<_> = mounts?.into_iter().flatten().collect();
        let tree = Tree::of(&mounts);
        let seen = mounts.iter().filter(|m| tree.at(&m.point).is_some_and(|on| on.id == m.id));
        Ok(Self(seen.map(|m| (m.point.clone(), m.clone())).collect()))
    }

    /// The mount that a path is on, if no link is on the way to it.
    pub fn covering(&self, path: &RelPath) -> Option<&Mounted> {
        above(path).find_map(|at| self.0.get(&at))
    }

    /// The mounts beneath a path.
    pub fn beneath<'a>(&'a self, path: &'a RelPath) -> impl Iterator<Item = &'a Mounted> {
        beneath(&self.0, path).map(|(_, mounted)| mounted)
    }
}

/// A path and all those above it, up to the root.
pub(super) fn above(path: &RelPath) -> impl Iterator<Item = RelPath> {
    std::iter::successors(Some(path.clone()), RelPath::parent)
}

/// The entries beneath a path, which is none of them.
pub(super) fn beneath<'a, T>(
    map: &'a BTreeMap<RelPath, T>,
    path: &'a RelPath,
) -> impl Iterator<Item = (&'a RelPath, &'a T)> {
    let after = map.range::<RelPath, _>((Bound::Excluded(path), Bound::Unbounded));
    // In the order of bytes `a.x` comes between `a` and `a/x`.
    let alike = after.take_while(|(at, _)| at.as_bytes().starts_with(path.as_bytes()));
    alike.filter(|(at, _)| at.starts_with(path))
}

/// Which mount is on which.
struct Tree<'a> {
    root: Option<&'a Mounted>,
    children: HashMap<u64, Vec<&'a Mounted>>,
}

impl<'a> Tree<'a> {
    fn of(mounts: &'a [Mounted]) -> Self {
        let ids: HashSet<u64> = mounts.iter().map(|m| m.id).collect();
        let root = mounts.iter().find(|m| m.point.is_root() && !ids.contains(&m.parent));
        let mut children: HashMap<u64, Vec<&Mounted>> = HashMap::new();
        for mount in mounts {
            children.entry(mount.parent).or_default().push(mount);
        }
        Self { root, children }
    }

    /// The mount that a path is on. Of several at one place it is the one that was mounted
    /// last, and one that another hides is none.
    fn at(&self, path: &RelPath) -> Option<&'a Mounted> {
        let mut on = self.root?;
        let mut met = HashSet::from([on.id]);
        // From the root down: the next is the first that the way to the path meets.
        loop {
            let children = self.children.get(&on.id).map(Vec::as_slice).unwrap_or_default();
            let next = children.iter().filter(|m| path.starts_with(&m.point));
            match next.min_by_key(|m| m.point.as_bytes().len()) {
                None => return Some(on),
                // Ids that lead in a circle.
                Some(next) if !met.insert(next.id) => return None,
                Some(next) => on = next,
            }
        }
    }
}

/// A line; `None` for a mount whose place is gone, or not beneath our root.
fn mounted(line: &[u8]) -> Result<Option<Mounted>, MountsError> {
    let (id, parent, root, point) = fields(line).ok_or(MountsError::Malformed)?;
    let point = point.strip_prefix(b"/").and_then(|point| RelPath::from_bytes(point).ok());
    Ok(point.map(|point| Mounted { id, parent, root, point }))
}

/// Id, parent's id, what is mounted, and where.
fn fields(line: &[u8]) -> Option<(u64, u64, Vec<u8>, Vec<u8>)> {
    let mut fields = line.split(|b| *b == b' ');
    let id = number(fields.next()?)?;
    let parent = number(fields.next()?)?;
    let _device = fields.next()?;
    let (root, point) = (unescaped(fields.next()?)?, unescaped(fields.next()?)?);
    let _options = fields.next()?;
    // What follows is for others, up to the sign that all kernels write.
    fields.find(|field| *field == b"-")?;
    Some((id, parent, root, point))
}

fn number(field: &[u8]) -> Option<u64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// The kernel writes white space and backslashes as three octal digits.
fn unescaped(field: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let (digits, tail) = tail.split_at_checked(3)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()?);
        rest = tail;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::from_bytes(text.as_bytes()).unwrap()
    }

    fn table(mounts: &[(u64, u64, &str)]) -> MountTable {
        let line = |(id, parent, point): &(u64, u64, &str)| {
            format!("{id} {parent} 0:{id} /x {point} rw,relatime - ext4 /dev/vda rw\n")
        };
        MountTable::parse(mounts.iter().map(line).collect::<String>().as_bytes()).unwrap()
    }

    fn on(table: &MountTable, at: &str) -> Option<u64> {
        table.covering(&path(at)).map(|m| m.id)
    }

    #[test]
    fn a_path_is_on_the_deepest_mount_above_it() {
        let table = table(&[(1, 0, "/"), (2, 1, "/data"), (3, 2, "/data/in"), (4, 1, "/data2")]);
        for (at, id) in
            [("x", 1), ("data", 2), ("data/x", 2), ("data/in/x", 3), ("data/in2", 2), ("data2", 4)]
        {
            assert_eq!(on(&table, at), Some(id), "{at}");
        }
        let points = |at: &str| table.beneath(&path(at)).map(|m| m.point.to_string()).collect::<Vec<_>>();
        assert_eq!(points("data"), ["data/in"]);
        assert!(points("data/in").is_empty() && points("data/i").is_empty());
        assert_eq!(points(""), ["data", "data/in", "data2"]);
    }

    /// Whatever order the kernel lists them in: a mount over another, and one that was there
    /// before a mount above it.
    #[test]
    fn what_is_hidden_is_not_seen() {
        for order in [[0, 1, 2, 3], [3, 2, 1, 0]] {
            let mounts = [(1, 0, "/"), (2, 1, "/data/in"), (3, 1, "/data"), (4, 3, "/data")];
            let table = table(&order.map(|at| mounts[at]));
            assert_eq!(on(&table, "data/in/x"), Some(4));
            assert_eq!(table.beneath(&path("data")).count(), 0);
        }
    }

    #[test]
    fn ids_that_lead_in_a_circle_lead_nowhere() {
        assert_eq!(on(&table(&[(1, 2, "/"), (2, 1, "/")]), "x"), None);
        assert_eq!(on(&table(&[(1, 0, "/"), (2, 3, "/a"), (3, 2, "/a")]), "a"), Some(1));
        assert_eq!(on(&table(&[(1, 0, "/"), (2, 1, "/a"), (2, 2, "/a")]), "a/b"), Some(1));
    }

    #[test]
    fn names_with_spaces_and_backslashes() {
        let line = b"1 0 0:1 / / rw - t s o\n2 1 0:2 /a\\040b /c\\134\\011d rw - t s o\n";
        let table = MountTable::parse(line).unwrap();
        let mount = table.covering(&RelPath::from_bytes(b"c\\\td/x").unwrap()).unwrap();
        assert_eq!((mount.point.as_bytes(), mount.root.as_slice()), (&b"c\\\td"[..], &b"/a b"[..]));
    }

    #[test]
    fn which_empty_directory_is_shown() {
        let shown = |root: &str| {
            let table = MountTable::parse(format!("1 0 0:1 {root} / rw - t s o").as_bytes()).unwrap();
            table
                .covering(&RelPath::root())
                .unwrap()
                .empty_dir()
                .map(|dir| (dir.volume, dir.sub_path.to_string()))
        };
        let dir = "/var/lib/kubelet/pods/0b4f/volumes/kubernetes.io~empty-dir";
        assert_eq!(shown(&format!("{dir}/work")), Some(("work".into(), ".".into())));
        assert_eq!(shown(&format!("{dir}/in/a/b")), Some(("in".into(), "a/b".into())));
        assert_eq!(
            shown("/pods/0b4f/volumes/kubernetes.io~empty-dir/work"),
            Some(("work".into(), ".".into()))
        );
        assert_eq!(shown(&format!("/pods/x{dir}/work")), Some(("work".into(), ".".into())));
        for other in ["/", dir, "/pods", "/var/lib/kubelet/pods/0b4f/volumes/kubernetes.io~csi/work"] {
            assert_eq!(shown(other), None, "{other}");
        }
    }

    #[test]
    fn what_the_kernel_does_not_write_is_refused() {
        for line in
            ["x", "1 0 0:1 / / rw", "1 0 0:1 / /a\\04 rw - t s o", "1 0 0:1 / /a\\999 rw - t s o", "-1 0"]
        {
            assert!(matches!(MountTable::parse(line.as_bytes()), Err(MountsError::Malformed)), "{line}");
        }
        let many = "1 0 0:1 / / rw - t s o\n".repeat(MAX_MOUNTS + 1);
        assert!(matches!(MountTable::parse(many.as_bytes()), Err(MountsError::TooMany)));
        // A mount whose place was removed is nowhere.
        let gone = MountTable::parse(b"1 0 0:1 / / rw - t s o\n2 1 0:1 / /a//deleted rw - t s o\n").unwrap();
        assert_eq!(gone.0.len(), 1);
    }

    #[test]
    fn this_machines_own_list() {
        let table = MountTable::of_this_process().unwrap();
        let proc = table.covering(&path("proc/self")).unwrap();
        assert_eq!(proc.point(), &path("proc"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = MountTable::parse(&text);
        }

        /// Each mount has the nearest one above it for its parent, as when a runtime mounts them
        /// in the order of their depth: then the deepest above a path is the one that it is on.
        #[test]
        fn without_hidden_ones_the_longest_is_right(
            points in proptest::collection::btree_set("(/[ab]){1,4}", 0..8),
            at in "[ab](/[ab]){0,5}",
        ) {
            let above = |point: &str| points.iter().filter(|p| {
                point.strip_prefix(p.as_str()).is_some_and(|rest| rest.starts_with('/'))
            }).max_by_key(|p| p.len());
            let id = |point: &str| points.iter().position(|p| p == point).map_or(1, |n| n as u64 + 2);
            let mut mounts = vec![(1, 0, "/")];
            mounts.extend(points.iter().map(|p| (id(p), above(p).map_or(1, |p| id(p)), p.as_str())));
            let expected = above(&format!("/{at}/x")).map_or(1, |p| id(p));
            prop_assert_eq!(on(&table(&mounts), &format!("{at}/x")), Some(expected));
        }
    }
}
