//! The symbolic links that a scan found: read, bounded, and judged.
//!
//! A link is never followed to read anything. What it holds is read by `readlinkat(2)` through
//! the opened link itself, and it is part of an output only if following it stays in there:
//! by the texts of all links together ([`Links::leads`]), which is what is signed, and by what
//! the kernel says of it at that moment (`RESOLVE_BENEATH`, openat2(2)), which knows of mounts
//! and of what is not part of the output.

use std::collections::BTreeMap;

use argo_attest_core::links::{Leads, LinkTarget, Links, MAX_LINK_BYTES, MAX_LINKS};
use argo_attest_core::relpath::RelPath;
use argo_attest_core::secret::is_private_key;

use super::interests::Interests;
use super::refusal::Refusal;
use super::root::Root;

/// Links by the innermost interest that they are in, and their paths from there.
#[derive(Debug, Default)]
pub(super) struct FoundLinks(BTreeMap<RelPath, Found>);

#[derive(Debug, Default)]
struct Found {
    links: BTreeMap<RelPath, LinkTarget>,
    bytes: usize,
}

impl FoundLinks {
    /// Reads a link. What cannot be read, or is more than an output may have, is refused.
    pub(super) fn read(&mut self, root: &Root, interests: &Interests, path: &RelPath) -> Result<(), Refusal> {
        // An output that is a link itself is where somebody else's bytes are.
        let (interest, rest) = interests.innermost(path).ok_or(Refusal::Symlink)?;
        if rest.is_root() {
            return Err(Refusal::Symlink);
        }
        let target = root.read_link(path)?;
        if is_private_key(target.as_bytes()) {
            return Err(Refusal::LinkHoldsKey);
        }
        let found = self.0.entry(interest).or_default();
        let bytes = found.bytes + rest.as_bytes().len() + target.as_bytes().len();
        if found.links.len() >= MAX_LINKS || bytes > MAX_LINK_BYTES {
            return Err(Refusal::TooManyLinks);
        }
        found.bytes = bytes;
        found.links.insert(rest, target);
        Ok(())
    }

    /// Those that stay within the output that they are in, by their paths from the root; of
    /// the others, why they are refused.
    pub(super) fn judged(self, root: &Root) -> (BTreeMap<RelPath, LinkTarget>, BTreeMap<RelPath, Refusal>) {
        let (mut within, mut refused) = (BTreeMap::new(), BTreeMap::new());
        for (interest, Found { links, .. }) in self.0 {
            let links: Links = links.into_iter().collect();
            let directory = root.subroot(&interest);
            for ((path, target), (_, leads)) in links.iter().zip(links.leads()) {
                let said = match (leads, &directory) {
                    (Leads::Inside, Ok(directory)) => directory.follow(path),
                    // It is not there any more, which the end of the scan says.
                    (leads, _) => leads,
                };
                let at = interest.concat(path);
                match said {
                    Leads::Inside => drop(within.insert(at, target.clone())),
                    Leads::Outside => drop(refused.insert(at, Refusal::LinkLeaves)),
                    Leads::Astray => drop(refused.insert(at, Refusal::LinkAstray)),
                }
            }
        }
        (within, refused)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::fixture::{directory, path, write};
    use super::super::root::Resolution;
    use super::super::{Cancel, NoProgress, Observation, digest_tree};
    use super::*;

    fn look(root: &Root, at: &str) -> Observation {
        digest_tree(root, &path(at), NonZeroUsize::MIN, &NoProgress, &Cancel::new()).unwrap()
    }

    fn link(dir: &Path, at: &str, to: &str) {
        let at = dir.join(at);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(to, at).unwrap();
    }

    #[test]
    fn what_stays_inside_is_recorded_and_what_leaves_is_refused() {
        let (dir, _) = directory();
        write(dir.path(), "out/d/file", "x");
        write(dir.path(), "beside", "secret");
        for (at, to) in [
            ("file", "d/file"),
            ("up", "d/../d/./file"),
            ("dangling", "not/there"),
            ("root", "."),
            ("d/back", ".."),
            ("through", "d/back/file"),
            ("d/\u{1b}", "file"),
        ] {
            link(dir.path(), &format!("out/{at}"), to);
        }
        let leaving = [
            ("beside", "../beside"),
            ("abs", "/etc/hostname"),
            ("null", "/dev/null"),
            ("d/out", "../../out/d"),
        ];
        for (at, to) in leaving.into_iter().chain([("chain", "beside"), ("d/deep", "back/../x")]) {
            link(dir.path(), &format!("out/{at}"), to);
        }
        for (at, to) in [("a", "b"), ("b", "a"), ("self", "self"), ("into", "self/x")] {
            link(dir.path(), &format!("out/{at}"), to);
        }
        for resolution in [Resolution::Openat2, Resolution::Walk] {
            let root = Root::open_with(dir.path(), Some(resolution)).unwrap();
            let seen = look(&root, "out");
            let links: Vec<_> = seen.links.keys().map(RelPath::escaped).collect();
            let expected = ["dangling", "d/%1B", "d/back", "file", "root", "through", "up"]
                .map(|at| format!("out/{at}"));
            let mut expected = expected.to_vec();
            expected.sort();
            assert_eq!(links, expected);
            assert_eq!(seen.links[&path("out/up")].as_bytes(), b"d/../d/./file");
            assert_eq!(seen.files.len(), 1, "{:?}", seen.files);
            let refused = |wanted: &Refusal| {
                let of = seen.refused.iter().filter(|(_, why)| *why == wanted);
                of.map(|(at, _)| at.escaped()).collect::<Vec<_>>()
            };
            let leaves = ["abs", "beside", "chain", "d/deep", "d/out", "null"].map(|at| format!("out/{at}"));
            assert_eq!(refused(&Refusal::LinkLeaves), leaves);
            assert_eq!(refused(&Refusal::LinkAstray), ["out/a", "out/b", "out/into", "out/self"]);
            assert!(seen.complete);
        }
    }

    #[test]
    fn an_output_that_is_a_link_is_refused() {
        let (dir, root) = directory();
        write(dir.path(), "real/x", "x");
        link(dir.path(), "out", "real");
        let seen = look(&root, "out");
        assert_eq!(seen.refused, BTreeMap::from([(path("out"), Refusal::Symlink)]));
        assert!(seen.links.is_empty() && seen.files.is_empty());
    }

    #[test]
    fn only_so_many_are_recorded() {
        let (dir, root) = directory();
        for n in 0..=MAX_LINKS {
            link(dir.path(), &format!("many/{n}"), "x");
        }
        let seen = look(&root, "many");
        assert_eq!(seen.links.len(), MAX_LINKS);
        assert_eq!(seen.refused.into_values().collect::<Vec<_>>(), [Refusal::TooManyLinks]);
        let target = "a/".repeat(2000);
        for n in 0..200 {
            link(dir.path(), &format!("long/{n}"), &target);
        }
        let seen = look(&root, "long");
        assert!(seen.links.len() < 140 && seen.refused.values().all(|why| *why == Refusal::TooManyLinks));
    }

    #[test]
    fn a_key_in_a_target_is_not_recorded() {
        let (dir, root) = directory();
        link(dir.path(), "out/key", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA");
        // Names by content are what links are for.
        link(
            dir.path(),
            "out/blob",
            "../out2/9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        );
        link(dir.path(), "out/in", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let seen = look(&root, "out");
        assert_eq!(seen.refused[&path("out/key")], Refusal::LinkHoldsKey);
        assert!(seen.refused.values().all(|why| !why.to_string().contains("9d61")));
        assert_eq!(seen.links.keys().map(RelPath::escaped).collect::<Vec<_>>(), ["out/in"]);
    }

    /// Whatever is put in a link's place while it is looked at: nothing outside is ever
    /// recorded as inside, and nothing is read through it.
    #[test]
    fn links_that_are_swapped_meanwhile() {
        let (dir, root) = directory();
        write(dir.path(), "outside", "secret");
        write(dir.path(), "out/in", "x");
        let at = dir.path().join("out/l");
        let other = dir.path().join("spare");
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut n = 0_usize;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    n += 1;
                    match n % 5 {
                        0 => drop(symlink("in", &other)),
                        1 => drop(symlink("../outside", &other)),
                        2 => drop(symlink("/dev/zero", &other)),
                        3 => drop(symlink("l", &other)),
                        _ => drop(std::fs::write(&other, "file")),
                    }
                    std::fs::rename(&other, &at).unwrap();
                }
            });
            for _ in 0..300 {
                let seen = look(&root, "out");
                let found = seen.links.get(&path("out/l")).map(|target| target.as_bytes().to_vec());
                assert!(found.is_none() || found.as_deref() == Some(b"in"), "{found:?}");
                let secret = argo_attest_core::digest::Sha256Digest::of(b"secret");
                assert!(seen.files.values().all(|file| file.digest != secret));
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }

    #[test]
    fn a_link_is_judged_by_the_output_that_it_is_in() {
        let (dir, _) = directory();
        write(dir.path(), "out/inner/x", "x");
        write(dir.path(), "out/y", "y");
        link(dir.path(), "out/inner/up", "../y");
        link(dir.path(), "out/down", "inner/x");
        let interests = Interests::new(vec![path("out"), path("out/inner")], Vec::new());
        let root = Root::open(dir.path()).unwrap();
        let mut found = FoundLinks::default();
        for at in ["out/inner/up", "out/down"] {
            found.read(&root, &interests, &path(at)).unwrap();
        }
        let (within, refused) = found.judged(&root);
        assert_eq!(within.into_keys().collect::<Vec<_>>(), [path("out/down")]);
        assert_eq!(refused, BTreeMap::from([(path("out/inner/up"), Refusal::LinkLeaves)]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// The kernel, which follows them all, never gets out of what is said to stay inside.
        #[test]
        fn agrees_with_the_kernel(
            all in proptest::collection::btree_map(
                "[abc](/[abc]){0,2}",
                "(\\.\\./|[abc]/|\\./){0,4}[abc]",
                0..8,
            ),
        ) {
            let (dir, root) = directory();
            std::fs::create_dir(dir.path().join("out")).unwrap();
            for deep in ["a/a", "a/b", "b/c", "c/a"] {
                let _ = std::fs::create_dir_all(dir.path().join("out").join(deep));
            }
            for (at, to) in &all {
                let _ = symlink(to, dir.path().join("out").join(at));
            }
            let seen = look(&root, "out");
            let out = dir.path().join("out").canonicalize().unwrap();
            for at in seen.links.keys() {
                if let Ok(real) = dir.path().join(at.as_path()).canonicalize() {
                    prop_assert!(real.starts_with(&out), "{:?} leads to {:?}", at, real);
                }
            }
            for (at, why) in &seen.refused {
                let known = matches!(why, Refusal::LinkLeaves | Refusal::LinkAstray);
                prop_assert!(known, "{:?}: {:?}", at, why);
            }
        }
    }
}
