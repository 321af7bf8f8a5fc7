//! A directory and all beneath it, in a map that is ordered by path.

use std::collections::BTreeMap;
use std::ops::Bound;

use argo_attest_core::relpath::RelPath;

/// Removes `top` and all paths beneath it, in time that depends only on their
/// number.
pub(super) fn remove<T>(map: &mut BTreeMap<RelPath, T>, top: &RelPath) {
    map.remove(top);
    // In the order of bytes `top.x` comes between `top` and `top/x`.
    let Ok(first) = RelPath::from_bytes(&[top.as_bytes(), b"/\x01"].concat()) else {
        map.clear();
        return;
    };
    loop {
        let next = map.range::<RelPath, _>((Bound::Included(&first), Bound::Unbounded)).next();
        match next.map(|(path, _)| path) {
            Some(path) if path.starts_with(top) => {
                let path = path.clone();
                map.remove(&path);
            }
            _ => return,
        }
    }
}

/// Takes out `top` and all paths beneath it, in their order.
pub(super) fn take<T>(map: &mut BTreeMap<RelPath, T>, top: &RelPath) -> impl Iterator<Item = (RelPath, T)> {
    let last = if top.is_root() {
        Bound::Unbounded
    } else {
        // `0` follows `/`: what lies between is the path, what is beneath it, and names that go on.
        RelPath::from_bytes(&[top.as_bytes(), b"0"].concat()).map_or(Bound::Unbounded, Bound::Excluded)
    };
    map.extract_if((Bound::Included(top.clone()), last), move |path, _| path.starts_with(top))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(top: &[u8]) -> Vec<String> {
        let mut map: BTreeMap<_, _> = [&b"a"[..], b"a.x", b"a/\x01", b"a/b", b"a/b/c", b"a0", b"b"]
            .map(|path| (RelPath::from_bytes(path).unwrap(), 1))
            .into();
        remove(&mut map, &RelPath::from_bytes(top).unwrap());
        map.keys().map(RelPath::escaped).collect()
    }

    #[test]
    fn what_is_taken_is_what_would_be_removed() {
        for top in [&b""[..], b"a", b"a/b", b"a0", b"c"] {
            let all = [&b"a"[..], b"a.x", b"a/\x01", b"a/b", b"a/b/c", b"a/b0", b"a/~", b"a0", b"b"];
            let map: BTreeMap<_, _> = all.map(|path| (RelPath::from_bytes(path).unwrap(), 1)).into();
            let top = RelPath::from_bytes(top).unwrap();
            let (mut rest, mut removed) = (map.clone(), map.clone());
            remove(&mut removed, &top);
            let taken: Vec<_> = take(&mut rest, &top).map(|(path, _)| path).collect();
            assert_eq!(rest, removed, "{top}");
            assert!(taken.is_sorted() && taken.len() + rest.len() == map.len(), "{top}: {taken:?}");
        }
    }

    #[test]
    fn takes_all_beneath_and_nothing_beside() {
        assert_eq!(left(b"a"), ["a.x", "a0", "b"]);
        assert_eq!(left(b"a/b"), ["a", "a.x", "a/%01", "a0", "b"]);
        assert_eq!(left(b"c").len(), 7);
        assert!(left(b"").is_empty());
    }
}
