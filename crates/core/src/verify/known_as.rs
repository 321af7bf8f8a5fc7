//! Under which name an artifact is known to whoever asks, and which of a statement's
//! names are that one.

use crate::relpath::RelPath;

/// The path or key by which the artifact was asked for. Its parts are bytes, compared as
/// they are: no case is folded and nothing is decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAs(Box<[u8]>);

impl KnownAs {
    /// A path or an object's key.
    pub fn new(path: impl AsRef<[u8]>) -> Self {
        Self(path.as_ref().into())
    }

    /// For people, printable.
    pub(super) fn shown(&self) -> String {
        let name = self.parts().last().unwrap_or_default();
        crate::text::brief(&crate::relpath::escaped(name), 300)
    }

    /// An empty part is one: the key `a//b` is another than `a/b`.
    fn parts(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|b| *b == b'/')
    }

    /// Whether the path ends in all of a subject's name.
    pub fn ends_with(&self, name: &str) -> bool {
        let name = unescaped(name);
        let count = parts(&name).count();
        count > 0 && self.shared(&name) == count
    }

    /// How many parts, from the end, the path has in common with a subject's name.
    pub(super) fn in_common(&self, name: &str) -> usize {
        self.shared(&unescaped(name))
    }

    /// Whether both have the same last part.
    pub fn is_called(&self, name: &str) -> bool {
        self.in_common(name) > 0
    }

    fn shared(&self, name: &[u8]) -> usize {
        self.parts().rev().zip(parts(name).rev()).take_while(|(a, b)| a == b).count()
    }
}

fn parts(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|b| *b == b'/').filter(|part| !part.is_empty())
}

/// A subject's name as bytes. Other tools do not escape: what is not in our form is what
/// it says.
fn unescaped(name: &str) -> Box<[u8]> {
    RelPath::from_escaped(name).map_or_else(|_| name.as_bytes().into(), |path| path.as_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_part_by_part() {
        let known = KnownAs::new("/build/out/b/c");
        for (name, ends, common) in [
            ("c", true, 1),
            ("b/c", true, 2),
            ("out/b/c", true, 3),
            ("lib/b/c", false, 2),
            ("bb/c", false, 1),
            ("C", false, 0),
            ("b", false, 0),
            ("b/c/d", false, 0),
            ("", false, 0),
            ("./b/c", false, 2),
            ("/b/c", true, 2),
        ] {
            assert_eq!((known.ends_with(name), known.in_common(name)), (ends, common), "{name}");
        }
        for other in ["out//b/c", "out/./b/c", "out/x/../b/c"] {
            assert_eq!(KnownAs::new(other).in_common("out/b/c"), 2, "{other}");
        }
        for other in ["out/b/c/", "out/b//c/.", "out/b/c/.."] {
            assert_eq!(KnownAs::new(other).in_common("out/b/c"), 0, "{other}");
        }
        // One name, escaped and not; two names that only look alike.
        assert!(KnownAs::new("a%b").is_called("a%25b") && KnownAs::new("a%b").is_called("x/a%25b"));
        assert!(KnownAs::new("a%zz").is_called("a%zz"));
        assert!(!KnownAs::new("caf\u{e9}").is_called("cafe\u{301}"));
        assert!(!KnownAs::new("a%25b").is_called("a%25b"), "that is the name of a%b");
    }
}
