//! That a leaf is in a Merkle tree (RFC 9162 section 2.1.3.2, the hashes of RFC 6962 section 2.1).

use sha2::{Digest as _, Sha256};

/// A hash of the tree.
pub(super) type Hash = [u8; 32];
/// No tree of 64 bits of leaves has a longer path.
pub(super) const MAX_PATH: usize = 64;

/// The hash of a leaf.
pub(super) fn leaf(body: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(body).finalize().into()
}

/// The root of the tree of `size` leaves in which `leaf` is at `index`, by its path; `None` if no
/// such tree has such a path.
pub(super) fn root(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if index >= size || path.len() > MAX_PATH {
        return None;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            hash = parent(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = parent(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

fn parent(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By the definition (RFC 6962 section 2.1): the tree's root, and a leaf's path.
    fn tree(leaves: &[Hash]) -> Hash {
        match leaves {
            [one] => *one,
            many => {
                let (left, right) = many.split_at(split(many.len()));
                parent(&tree(left), &tree(right))
            }
        }
    }

    fn path(leaves: &[Hash], index: usize) -> Vec<Hash> {
        if leaves.len() < 2 {
            return Vec::new();
        }
        let at = split(leaves.len());
        let (left, right) = leaves.split_at(at);
        let (mut below, beside) =
            if index < at { (path(left, index), tree(right)) } else { (path(right, index - at), tree(left)) };
        below.push(beside);
        below
    }

    /// The largest power of two that is smaller.
    fn split(count: usize) -> usize {
        count.next_power_of_two() / 2
    }

    fn leaves(count: usize) -> Vec<Hash> {
        (0..count).map(|n| leaf(&n.to_be_bytes())).collect()
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proven() {
        for count in 1..40 {
            let leaves = leaves(count);
            let expected = tree(&leaves);
            for index in 0..count {
                let path = path(&leaves, index);
                assert_eq!(root(leaves[index], index as u64, count as u64, &path), Some(expected));
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_else_is(count in 2_usize..40, index in 0_usize..40, other in 0_u64..50, bit in 0_usize..256) {
            let (leaves, index) = (leaves(count), index % count);
            let (expected, mut path) = (tree(&leaves), path(&leaves, index));
            if other != index as u64 {
                prop_assert_ne!(root(leaves[index], other, count as u64, &path), Some(expected));
            }
            let at = bit % path.len();
            path[at][bit / 8] ^= 1 << (bit % 8);
            prop_assert_ne!(root(leaves[index], index as u64, count as u64, &path), Some(expected));
            path[at][bit / 8] ^= 1 << (bit % 8);
            let longer = [&path[..], &[expected]].concat();
            prop_assert_eq!(root(leaves[index], index as u64, count as u64, &longer), None);
            path.pop();
            prop_assert_eq!(root(leaves[index], index as u64, count as u64, &path), None);
        }
    }
}
